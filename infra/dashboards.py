"""What people look at: three CloudWatch dashboards of a stack, as pure functions from names to bodies.

Three in all, not three an endpoint: each costs money, so an endpoint is chosen by the dashboard's own variable, and slots are
found by search, because endpoints of a stack may call theirs differently.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.page_alarms import page_alarms
from infra.resource_names import Names
from sluice.core.record import Document

CHOSEN = "__endpoint__"
"""What the variable replaces everywhere in a body."""
_COLUMNS = 24
_OBJECTIVE = 0.001
"""Share of requests that may fail; 14.4 and 6 times it are the burn rates of the SRE workbook, chapter 5."""
_HEADING = 2

Widget = dict[str, Any]


def dashboards(names: Names, endpoints: Sequence[str]) -> Mapping[str, Document]:
    """Every body by its word."""
    return {"executive": executive(names), "on-call": on_call(names, endpoints), "debug": debug(names, endpoints)}


def executive(names: Names) -> Document:
    """For who answers for it: how many rollouts, how they ended, what was saved, how fast, and what users saw."""
    ended = {word: _own(names, word) for word in ("Settled", "RolledBack", "Failed")}
    rows = [
        [
            _text(
                f"# {names.project}, stack {names.stack}\nHow releases went. A *save* is a release that did harm and was taken back.",
                _COLUMNS,
                _HEADING,
            )
        ],
        [
            _number("Rollouts", {"submitted": _own(names, "Submitted")}, "Sum", 6),
            _number("Ended well", {"settled": ended["Settled"]}, "Sum", 6),
            _number("Saves", {"harm taken back": _own(names, "Saves")}, "Sum", 6),
            _number("Failed", {"a person was needed": ended["Failed"]}, "Sum", 6),
        ],
        [
            _lines(
                "Success rate, by week",
                [
                    *_hidden(ended),
                    ("rate", "100 * settled / (settled + rolledback + failed)", "settled of all that ended, %"),
                ],
                12,
                period=7 * 86400,
                top=100,
            ),
            _lines(
                "Time to restore",
                [
                    ("worst", _own(names, "SecondsToRestore", "Maximum"), "slowest, s"),
                    ("middle", _own(names, "SecondsToRestore", "p50"), "median, s"),
                ],
                12,
                period=86400,
            ),
        ],
        [_lines("Error budget burn, all endpoints", _burn(None), 24, period=3600, marks=_BURNS)],
    ]
    return _body(rows, names)


def on_call(names: Names, endpoints: Sequence[str]) -> Document:
    """For who was woken: what each slot does now, the weights, what was decided last, and what to type."""
    rows = [
        [_text(_what_to_type(names), 14, 6), _alarms(names, 10, 6)],
        [
            _lines("Requests by slot", [("requests", _slots("Invocations", "Sum"), "")], 12),
            _lines("Server errors by slot", [("errors", _slots("Invocation5XXErrors", "Average"), "")], 12),
        ],
        [
            _lines(
                "Latency p90 by slot, ms", [("us", _slots("ModelLatency", "p90"), None), ("ms", "us / 1000", "")], 12
            ),
            _lines(
                "Canary's weight, %",
                [
                    ("asked", _own(names, "CanaryAsked", "Maximum", CHOSEN), "asked"),
                    ("actual", _own(names, "CanaryActual", "Maximum", CHOSEN), "actual"),
                ],
                12,
                top=100,
            ),
        ],
        [
            _lines("Error budget burn", _burn(CHOSEN), 12, marks=_BURNS),
            _lines(
                "Is anybody looking?",
                [
                    (
                        "overdue",
                        [names.metrics_namespace, "OverdueSeconds", "service", "sweep"],
                        "rollout not looked at, s",
                    ),
                    ("blocked", _own(names, "BlockedSeconds", "Maximum", CHOSEN), "way back blocked, s"),
                ],
                12,
            ),
        ],
        [_log("What was decided last", names, ("archive",), "decision", "kind, by, because", 24)],
    ]
    return _body(rows, names, endpoints)


def debug(names: Names, endpoints: Sequence[str]) -> Document:
    """For who wants to know why: every tick's sentence, every event, what failed on the way."""
    rows = [
        [_log("Evidence, tick by tick", names, ("tick",), "said", "message, rollout", 24)],
        [_log("Audit events", names, ("archive",), "decision", "seq, kind, by, because", 24)],
        [
            _lines("Ticks", [("ticks", _own(names, "Ticks", "Sum", CHOSEN), "ticks")], 8),
            _lines("Alarm events handled", [("handled", _own(names, "AlarmsHandled", "Sum", CHOSEN), "handled")], 8),
            _lines("Faults by function", [("faults", _search(names, "Faults", "service"), "")], 8),
        ],
        [
            _log(
                "What went wrong on the way",
                names,
                ("tick", "alarm", "sweep", "command", "submit", "archive"),
                "fault",
                "message, service",
                24,
            )
        ],
    ]
    return _body(rows, names, endpoints)


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
        for word, body in dashboards(names, endpoints).items():
            aws.cloudwatch.Dashboard(
                word,
                dashboard_name=names.dashboard(word),
                dashboard_body=json.dumps(body, sort_keys=True),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"on_call_url": dashboard_url(names, "on-call")})


# Bodies

_BURNS = ((14.4, "2 % of a month's budget in an hour"), (6.0, "5 % in six hours"))


def _body(rows: Iterable[Sequence[Widget]], names: Names, endpoints: Sequence[str] = ()) -> Document:
    """Rows from top to bottom, widgets from left to right; with endpoints, a variable to choose one."""
    widgets, y = [], 0
    for row in rows:
        x = 0
        for widget in row:
            widget["properties"] = {
                **({} if widget["type"] == "text" else {"region": names.place.region}),
                **widget["properties"],
            }
            widgets.append({**widget, "x": x, "y": y})
            x += widget["width"]
        y += max(widget["height"] for widget in row)
    body: Document = {"start": "-PT3H" if endpoints else "-P84D", "periodOverride": "inherit", "widgets": widgets}
    if endpoints:
        body["variables"] = [_variable(endpoints)]
    return body


def _variable(endpoints: Sequence[str]) -> Document:
    return {
        "type": "pattern",
        "pattern": CHOSEN,
        "inputType": "select",
        "id": "endpoint",
        "label": "Endpoint",
        "defaultValue": endpoints[0],
        "visible": True,
        "values": [{"value": endpoint, "label": endpoint} for endpoint in endpoints],
    }


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


def _text(markdown: str, width: int, height: int) -> Widget:
    return {"type": "text", "width": width, "height": height, "properties": {"markdown": markdown}}


def _alarms(names: Names, width: int, height: int) -> Widget:
    arns = [names.place.arn("cloudwatch", f"alarm:{names.page_alarm(alarm.word)}") for alarm in page_alarms(names)]
    return {
        "type": "alarm",
        "width": width,
        "height": height,
        "properties": {"title": "The control plane itself", "alarms": arns},
    }


def _number(title: str, metrics: Mapping[str, Any], stat: str, width: int) -> Widget:
    """One figure over the dashboard's whole time."""
    shown = [_metric(f"m{i}", metric, label) for i, (label, metric) in enumerate(metrics.items())]
    properties = {
        "title": title,
        "view": "singleValue",
        "setPeriodToTimeRange": True,
        "sparkline": False,
        "stat": stat,
        "metrics": shown,
    }
    return {"type": "metric", "width": width, "height": 4, "properties": properties}


def _lines(
    title: str,
    series: Sequence[tuple[str, Any, str | None]],
    width: int,
    *,
    period: int = 60,
    top: int | None = None,
    marks: Sequence[tuple[float, str]] = (),
) -> Widget:
    """A graph over time. A series is (id, metric or expression, label); without a label it is only computed with."""
    axis = {"left": {"min": 0, **({} if top is None else {"max": top})}}
    properties: dict[str, Any] = {
        "title": title, "view": "timeSeries", "stacked": False, "period": period, "stat": "Sum", "yAxis": axis,
        "metrics": [_metric(key, metric, label) for key, metric, label in series],
    }  # fmt: skip
    if marks:
        properties["annotations"] = {"horizontal": [{"value": value, "label": label} for value, label in marks]}
    return {"type": "metric", "width": width, "height": 6, "properties": properties}


def _log(title: str, names: Names, words: Sequence[str], tag: str, fields: str, width: int) -> Widget:
    """The newest lines of functions about the chosen endpoint. `tag`: what kind of line is meant."""
    sources = " | ".join(f"SOURCE '{names.log_group(word)}'" for word in words)
    which = "level in ['WARNING', 'ERROR']" if tag == "fault" else f"endpoint = '{CHOSEN}' and {_TAGS[tag]}"
    query = f"{sources} | fields @timestamp, {fields} | filter {which} | sort @timestamp desc | limit 100"
    return {"type": "log", "width": width, "height": 8, "properties": {"title": title, "view": "table", "query": query}}


_TAGS = {"decision": "ispresent(kind)", "said": "ispresent(rollout)"}


def _metric(key: str, metric: Any, label: str | None) -> list[Any]:
    """CloudWatch's array form: the metric's own words, then its rendering; an expression is rendering alone."""
    shown = {"id": key, **({"visible": False} if label is None else {"label": label} if label else {})}
    if isinstance(metric, str):
        return [{"expression": metric, **shown}]
    stat = metric[-1] if isinstance(metric[-1], Mapping) else {}
    return [*metric[: len(metric) - bool(stat)], {**stat, **shown}]


def _own(names: Names, metric: str, stat: str = "Sum", endpoint: str | None = None) -> list[Any] | str:
    """A metric of the control plane: of one endpoint, or of all of them together."""
    service = _SERVICES[metric]
    if endpoint is not None:
        return [names.metrics_namespace, metric, "service", service, "endpoint", endpoint, {"stat": stat}]
    schema = f"{names.metrics_namespace},endpoint,service"
    search = f"SEARCH('{{{schema}}} MetricName=\"{metric}\" service=\"{service}\"', '{stat}')"
    return f"{'MAX' if stat == 'Maximum' else 'AVG' if stat.startswith('p') else 'SUM'}({search})"


_SERVICES = {
    **dict.fromkeys(("Submitted", "Settled", "RolledBack", "Failed", "Saves"), "archive"),
    **dict.fromkeys(("Ticks", "CanaryAsked", "CanaryActual", "SecondsToRestore", "BlockedSeconds"), "tick"),
    "AlarmsHandled": "alarm",
}
"""Which function publishes which metric. What is counted from audit events comes from the archive, once an event."""


def _hidden(metrics: Mapping[str, Any]) -> Iterator[tuple[str, Any, None]]:
    for word, metric in metrics.items():
        yield word.lower(), metric, None


def _search(names: Names, metric: str, *dimensions: str) -> str:
    return f"SEARCH('{{{','.join((names.metrics_namespace, *dimensions))}}} MetricName=\"{metric}\"', 'Sum')"


def _slots(metric: str, stat: str) -> str:
    """Every slot of the chosen endpoint, whatever it is called."""
    return f"SEARCH('{{AWS/SageMaker,EndpointName,VariantName}} MetricName=\"{metric}\" EndpointName=\"{CHOSEN}\"', '{stat}')"


def _burn(endpoint: str | None) -> list[tuple[str, Any, str | None]]:
    """How many times faster than allowed the error budget is used up."""
    chosen = f' EndpointName="{endpoint}"' if endpoint else ""
    counted = {
        key: f"SUM(SEARCH('{{AWS/SageMaker,EndpointName,VariantName}} MetricName=\"{metric}\"{chosen}', 'Sum'))"
        for key, metric in (("bad", "Invocation5XXErrors"), ("all", "Invocations"))
    }
    return [
        ("bad", counted["bad"], None),
        ("every", counted["all"], None),
        ("burn", f"(bad / every) / {_OBJECTIVE}", f"times the budget of {100 * _OBJECTIVE:g} %"),
    ]
