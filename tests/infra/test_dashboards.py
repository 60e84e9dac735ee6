"""The dashboards against CloudWatch's dashboard structure, and every metric on them against what is really published."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.dashboards import dashboard_url, dashboards
from infra.place import Place
from infra.resource_names import Names
from infra.widgets import CHOSEN
from tests.infra.stacks import NAMES, run_program

ENDPOINTS = ["dev-triage", "dev-ward"]
BODIES = dashboards(NAMES, ENDPOINTS)
SHAPES: dict[str, dict[str, type | tuple[type, ...]]] = {
    "text": {"markdown": str},
    "alarm": {"title": str, "alarms": list, "region": str},
    "log": {"title": str, "view": str, "query": str, "region": str},
    "metric": {
        "title": str, "view": str, "metrics": list, "region": str, "stat": str, "period": int, "yAxis": dict, "stacked": bool,
        "annotations": dict, "setPeriodToTimeRange": bool, "sparkline": bool,
    },
}  # fmt: skip
"""Properties of each kind of widget that are used here, after AWS's `Dashboard body structure and syntax`."""
NEEDED = {"text": {"markdown"}, "alarm": {"alarms"}, "log": {"query", "region"}, "metric": {"metrics", "region"}}
RENDERING = {"expression", "id", "label", "visible", "stat", "period", "yAxis", "color"}
STAT = re.compile(r"Sum|Average|Minimum|Maximum|SampleCount|p\d{1,2}(\.\d+)?")


def widgets(kind: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    for word, body in BODIES.items():
        for widget in body["widgets"]:
            if kind in (None, widget["type"]):
                yield word, widget


@pytest.mark.parametrize("word", BODIES)
def test_a_body_is_json_of_a_size_and_with_the_keys_that_cloudwatch_takes(word: str) -> None:
    body = BODIES[word]

    assert set(body) <= {"start", "end", "periodOverride", "variables", "widgets"}
    assert body["periodOverride"] in ("auto", "inherit")
    assert re.fullmatch(r"-P(T\d+[HM]|\d+[DWM])", body["start"])
    assert len(body["widgets"]) <= 500
    assert len(json.dumps(body)) < 1_000_000
    assert NAMES.dashboard(word) == re.fullmatch(r"[A-Za-z0-9_-]{1,255}", NAMES.dashboard(word))[0]  # type: ignore[index]


def test_widgets_stand_in_the_grid_beside_each_other() -> None:
    for word, body in BODIES.items():
        taken: set[tuple[int, int]] = set()
        for widget in body["widgets"]:
            x, y, width, height = (widget[key] for key in ("x", "y", "width", "height"))
            cells = {(column, row) for column in range(x, x + width) for row in range(y, y + height)}

            assert 0 <= x < x + width <= 24, word
            assert 1 <= height <= 1000
            assert not cells & taken, f"{word}: two widgets in one place"
            taken |= cells


def test_each_widget_has_the_properties_of_its_kind() -> None:
    for word, widget in widgets():
        shape, properties = SHAPES[widget["type"]], widget["properties"]

        assert NEEDED[widget["type"]] <= set(properties) <= set(shape), (word, properties)
        assert all(isinstance(value, shape[key]) for key, value in properties.items())
    assert {w["properties"]["view"] for _, w in widgets("metric")} <= {
        "timeSeries",
        "singleValue",
        "bar",
        "pie",
        "table",
    }
    assert {w["properties"]["view"] for _, w in widgets("log")} <= {"table", "timeSeries", "bar", "pie"}


def series() -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
    """(where, the metric's words, its rendering) of every line on every graph."""
    for word, widget in widgets("metric"):
        for metric in widget["properties"]["metrics"]:
            rendering = metric[-1] if isinstance(metric[-1], dict) else {}
            yield f"{word}: {widget['properties']['title']}", [w for w in metric if not isinstance(w, dict)], rendering


def test_each_line_is_a_metric_or_an_expression_over_lines_beside_it() -> None:
    for where, words, rendering in series():
        assert set(rendering) <= RENDERING, where
        assert STAT.fullmatch(rendering.get("stat", "Sum")), where
        assert bool(words) != ("expression" in rendering), where
        assert len(words) % 2 == 0, f"{where}: namespace, name and pairs of a dimension"
        assert re.fullmatch(r"[a-z][A-Za-z0-9_]*", rendering["id"]), where
    for _, widget in widgets("metric"):
        ids = [metric[-1]["id"] for metric in widget["properties"]["metrics"]]
        assert len(ids) == len(set(ids))
        for metric in widget["properties"]["metrics"]:
            text = re.sub(r"SEARCH\(.*?'\)", "", metric[-1].get("expression", ""))
            used = set(re.findall(r"\b[a-z][a-z0-9_]*\b", text))
            assert used <= set(ids), widget["properties"]["title"]


def published() -> dict[str, set[str]]:
    """Metric -> functions that report it, from their code: {"Name": ("Unit", ...)}."""
    found: dict[str, set[str]] = {}
    for file in (Path(__file__).parents[2] / "lambdas").glob("*.py"):
        text = file.read_text()
        names = re.findall(r'"([A-Z]\w+)"(?:: |\] = )\("(?:Count|Seconds|Percent)"', text)
        names += re.findall(r'": "([A-Z]\w+)"', text) if file.stem == "archive" else []
        for name in [*names, "Faults"]:
            found.setdefault(name, set()).add(file.stem)
    return found


def test_every_metric_of_ours_is_published_by_the_function_it_is_said_to_come_from() -> None:
    known, namespace = published(), NAMES.metrics_namespace
    asked = set()
    for _, words, rendering in series():
        if words and words[0] == namespace:
            asked.add((words[1], dict(zip(words[2::2], words[3::2], strict=True))["service"]))
        for name, rest in re.findall(
            rf"{namespace},[\w,]+}} MetricName=\"(\w+)\"([^']*)", rendering.get("expression", "")
        ):
            service = re.search(r'service="(\w+)"', rest)
            asked.add((name, service[1] if service else None))

    assert len(asked) >= 12
    assert [pair for pair in asked if pair[1] not in ({None} | known.get(pair[0], set())) or pair[0] not in known] == []


def test_an_endpoint_is_chosen_once_for_everything_that_is_about_one() -> None:
    for word in ("on-call", "debug"):
        (variable,) = BODIES[word]["variables"]

        assert variable["pattern"] == CHOSEN
        assert variable["defaultValue"] == "dev-triage"
        assert [value["value"] for value in variable["values"]] == ENDPOINTS
        assert json.dumps(BODIES[word]["widgets"]).count(CHOSEN) >= 3
    assert CHOSEN not in json.dumps(BODIES["executive"])


def test_the_commands_on_the_on_call_dashboard_exist() -> None:
    import typer.main

    from sluice.cli.app import app as group

    known = set(typer.main.get_command(group).commands)  # type: ignore[attr-defined]
    (text,) = [w["properties"]["markdown"] for word, w in widgets("text") if word == "on-call"]

    typed = set(re.findall(r"`sluice (\w+)", text))
    assert typed
    assert typed <= known


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "console.amazonaws-us-gov.com"),
    ],
)
def test_the_address_of_a_dashboard_is_its_partitions(partition: str, region: str, host: str) -> None:
    names = Names("sluice", "dev", Place(partition, region, "123456789012"))

    assert dashboard_url(names, "on-call") == (
        f"https://{host}/cloudwatch/home?region={region}#dashboards/dashboard/sluice-dev-on-call"
    )


def test_the_program_provisions_the_three_and_exports_the_address() -> None:
    recorded = run_program()

    made = {r.inputs["dashboardName"]: json.loads(r.inputs["dashboardBody"]) for r in recorded.of("Dashboard").values()}
    assert made == {NAMES.dashboard(word): body for word, body in dashboards(NAMES, ["dev-Triage"]).items()}
    assert recorded.exports["endpoints"]["Triage"]["dashboard_url"] == dashboard_url(NAMES, "on-call")
