"""The parts of CloudWatch dashboards: widgets, the metrics in them, and how they lie. Which dashboards there are is `dashboards`'."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from infra.page_alarms import page_alarms
from infra.resource_names import Names
from sluice.core.record import Document

CHOSEN = "__endpoint__"
"""What the variable replaces everywhere in a body."""
_OBJECTIVE = 0.001
"""Share of requests that may fail; 14.4 and 6 times it are the burn rates of the SRE workbook, chapter 5."""
BURNS = ((14.4, "2 % of a month's budget in an hour"), (6.0, "5 % in six hours"))

Widget = dict[str, Any]


def body(rows: Iterable[Sequence[Widget]], names: Names, endpoints: Sequence[str] = ()) -> Document:
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


def markdown(markdown: str, width: int, height: int) -> Widget:
    return {"type": "text", "width": width, "height": height, "properties": {"markdown": markdown}}


def alarm_list(names: Names, width: int, height: int) -> Widget:
    arns = [names.place.arn("cloudwatch", f"alarm:{names.page_alarm(alarm.word)}") for alarm in page_alarms(names)]
    return {
        "type": "alarm",
        "width": width,
        "height": height,
        "properties": {"title": "The control plane itself", "alarms": arns},
    }


def figure(title: str, metrics: Mapping[str, Any], stat: str, width: int) -> Widget:
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


def graph(
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


def log_table(title: str, names: Names, words: Sequence[str], tag: str, fields: str, width: int) -> Widget:
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


def own(names: Names, metric: str, stat: str = "Sum", endpoint: str | None = None) -> list[Any] | str:
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
    **dict.fromkeys(("Told", "NotTold", "NotTraced"), "notify"),
}
"""Which function publishes which metric. What is counted from audit events comes from the archive, once an event."""


def hidden(metrics: Mapping[str, Any]) -> Iterator[tuple[str, Any, None]]:
    for word, metric in metrics.items():
        yield word.lower(), metric, None


def search(names: Names, metric: str, *dimensions: str) -> str:
    return f"SEARCH('{{{','.join((names.metrics_namespace, *dimensions))}}} MetricName=\"{metric}\"', 'Sum')"


def slots(metric: str, stat: str) -> str:
    """Every slot of the chosen endpoint, whatever it is called."""
    return f"SEARCH('{{AWS/SageMaker,EndpointName,VariantName}} MetricName=\"{metric}\" EndpointName=\"{CHOSEN}\"', '{stat}')"


def burn(endpoint: str | None) -> list[tuple[str, Any, str | None]]:
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
