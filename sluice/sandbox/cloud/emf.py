"""CloudWatch's embedded metric format: metrics that functions write as log lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

Datum = dict[str, Any]


def metrics_in(line: str) -> Iterator[tuple[str, list[Datum]]]:
    """The metrics of a log line as (namespace, data in PutMetricData's shape); nothing for any other line."""
    document = _document(line)
    if document is None:
        return
    for directive in document["_aws"]["CloudWatchMetrics"]:
        sets = directive.get("Dimensions") or [[]]
        data = [_datum(document, metric, names) for names in sets for metric in directive["Metrics"]]
        yield str(directive["Namespace"]), data


def _document(line: str) -> Mapping[str, Any] | None:
    if not line.startswith("{") or '"_aws"' not in line:
        return None
    try:
        document = json.loads(line)
    except ValueError:
        return None
    return document if "CloudWatchMetrics" in document.get("_aws", {}) else None


def _datum(document: Mapping[str, Any], metric: Mapping[str, Any], dimensions: list[str]) -> Datum:
    value = document[metric["Name"]]
    return {
        "MetricName": metric["Name"],
        "Dimensions": [{"Name": name, "Value": str(document[name])} for name in dimensions],
        "Timestamp": datetime.fromtimestamp(document["_aws"]["Timestamp"] / 1000, UTC),
        "Unit": metric.get("Unit", "None"),
        "StorageResolution": metric.get("StorageResolution", 60),
        "Values": [float(v) for v in (value if isinstance(value, list) else [value])],
    }
