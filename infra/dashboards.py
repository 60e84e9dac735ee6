"""What people look at: three CloudWatch dashboards of a stack, as pure functions from names to bodies.

Three in all, not three an endpoint: each costs money, so an endpoint is chosen by the dashboard's own variable, and slots are
found by search, because endpoints of a stack may call theirs differently.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from infra.resource_names import Names
from infra.widgets import (
    BURNS,
    CHOSEN,
    alarm_list,
    body,
    burn,
    figure,
    graph,
    hidden,
    log_table,
    markdown,
    own,
    search,
    slots,
)
from sluice.core.record import Document

_COLUMNS = 24
_HEADING = 2


def dashboards(names: Names, endpoints: Sequence[str]) -> Mapping[str, Document]:
    """Every body by its word."""
    return {"executive": executive(names), "on-call": on_call(names, endpoints), "debug": debug(names, endpoints)}


def executive(names: Names) -> Document:
    """For who answers for it: how many rollouts, how they ended, what was saved, how fast, and what users saw."""
    ended = {word: own(names, word) for word in ("Settled", "RolledBack", "Failed")}
    rows = [
        [
            markdown(
                f"# {names.project}, stack {names.stack}\nHow releases went. A *save* is a release that did harm and was taken back.",
                _COLUMNS,
                _HEADING,
            )
        ],
        [
            figure("Rollouts", {"submitted": own(names, "Submitted")}, "Sum", 6),
            figure("Ended well", {"settled": ended["Settled"]}, "Sum", 6),
            figure("Saves", {"harm taken back": own(names, "Saves")}, "Sum", 6),
            figure("Failed", {"a person was needed": ended["Failed"]}, "Sum", 6),
        ],
        [
            graph(
                "Success rate, by week",
                [
                    *hidden(ended),
                    ("rate", "100 * settled / (settled + rolledback + failed)", "settled of all that ended, %"),
                ],
                12,
                period=7 * 86400,
                top=100,
            ),
            graph(
                "Time to restore",
                [
                    ("worst", own(names, "SecondsToRestore", "Maximum"), "slowest, s"),
                    ("middle", own(names, "SecondsToRestore", "p50"), "median, s"),
                ],
                12,
                period=86400,
            ),
        ],
        [graph("Error budget burn, all endpoints", burn(None), 24, period=3600, marks=BURNS)],
    ]
    return body(rows, names)


def on_call(names: Names, endpoints: Sequence[str]) -> Document:
    """For who was woken: what each slot does now, the weights, what was decided last, and what to type."""
    rows = [
        [markdown(_what_to_type(names), 14, 6), alarm_list(names, 10, 6)],
        [
            graph("Requests by slot", [("requests", slots("Invocations", "Sum"), "")], 12),
            graph("Server errors by slot", [("errors", slots("Invocation5XXErrors", "Average"), "")], 12),
        ],
        [
            graph("Latency p90 by slot, ms", [("us", slots("ModelLatency", "p90"), None), ("ms", "us / 1000", "")], 12),
            graph(
                "Canary's weight, %",
                [
                    ("asked", own(names, "CanaryAsked", "Maximum", CHOSEN), "asked"),
                    ("actual", own(names, "CanaryActual", "Maximum", CHOSEN), "actual"),
                ],
                12,
                top=100,
            ),
        ],
        [
            graph("Error budget burn", burn(CHOSEN), 12, marks=BURNS),
            graph(
                "Is anybody looking?",
                [
                    (
                        "overdue",
                        [names.metrics_namespace, "OverdueSeconds", "service", "sweep"],
                        "rollout not looked at, s",
                    ),
                    ("blocked", own(names, "BlockedSeconds", "Maximum", CHOSEN), "way back blocked, s"),
                ],
                12,
            ),
        ],
        [log_table("What was decided last", names, ("archive",), "decision", "kind, by, because", 24)],
    ]
    return body(rows, names, endpoints)


def debug(names: Names, endpoints: Sequence[str]) -> Document:
    """For who wants to know why: every tick's sentence, every event, what failed on the way."""
    rows = [
        [log_table("Evidence, tick by tick", names, ("tick",), "said", "message, rollout", 24)],
        [log_table("Audit events", names, ("archive",), "decision", "seq, kind, by, because", 24)],
        [
            graph("Ticks", [("ticks", own(names, "Ticks", "Sum", CHOSEN), "ticks")], 8),
            graph("Alarm events handled", [("handled", own(names, "AlarmsHandled", "Sum", CHOSEN), "handled")], 8),
            graph("Faults by function", [("faults", search(names, "Faults", "service"), "")], 8),
        ],
        [
            graph(
                "Told to people; not sent, and tried again",
                [
                    ("told", own(names, "Told", "Sum", CHOSEN), "told"),
                    ("nottold", own(names, "NotTold", "Sum", CHOSEN), "not sent"),
                ],
                8,
            ),
            graph("Traces that no collector took", [("lost", own(names, "NotTraced", "Sum", CHOSEN), "lost")], 8),
            graph(
                "Audit events: how long unread, s",
                [
                    (
                        "ms",
                        ["AWS/Lambda", "IteratorAge", "FunctionName", names.function("archive"), {"stat": "Maximum"}],
                        None,
                    ),
                    ("age", "ms / 1000", "oldest, s"),
                ],
                8,
            ),
        ],
        [
            log_table(
                "What went wrong on the way",
                names,
                ("tick", "alarm", "sweep", "command", "submit", "archive", "notify", "incident"),
                "fault",
                "message, service",
                24,
            )
        ],
    ]
    return body(rows, names, endpoints)


def _what_to_type(names: Names) -> str:
    """The commands, with the endpoint already in them."""
    named = f"{names.stack}/{CHOSEN}"
    lines = (
        ("what serves, what is tried, why, what next", f"sluice status {named}"),
        ("take it back because it does harm", f"sluice rollback {named} --reason WHY"),
        ("end it without blame, before promotion", f"sluice abort {named} --reason WHY"),
        ("what was decided, by whom, why", f"sluice history {named}"),
        ("the whole story as a page", f"sluice report {named} -o report.html"),
    )
    table = "".join(f"| {meaning} | `{command}` |\n" for meaning, command in lines)
    return f"# {CHOSEN}\n| to see or do | type |\n| --- | --- |\n{table}"


def dashboard_url(names: Names, word: str) -> str:
    """Where a person opens one. It is the same for all endpoints of a stack: which one is chosen there."""
    host = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}.get(names.place.partition)
    region = names.place.region
    where = host or f"{region}.console.aws.amazon.com"
    return f"https://{where}/cloudwatch/home?region={region}#dashboards/dashboard/{names.dashboard(word)}"


class Dashboards(pulumi.ComponentResource):
    """The three, provisioned. Nothing depends on them, and they on nothing but names."""

    def __init__(self, names: Names, endpoints: Sequence[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sluice:infra:Dashboards", "dashboards", None, opts)
        for word, content in dashboards(names, endpoints).items():
            aws.cloudwatch.Dashboard(
                word,
                dashboard_name=names.dashboard(word),
                dashboard_body=json.dumps(content, sort_keys=True),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"on_call_url": dashboard_url(names, "on-call")})
