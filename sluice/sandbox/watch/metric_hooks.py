"""Patches of moto's CloudWatch metrics, pinned to 5.2.5: what is put, got and listed is the store's, in UTC.

What a request comes to is decided by `metric_wire`. Contract tests in tests/sandbox/watch/test_metric_hooks.py.
"""

from datetime import UTC
from typing import Any

import botocore.utils
from moto.cloudwatch.models import CloudWatchBackend, MetricDatum
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from sluice.sandbox.patches import Undo, all_of, replaced
from sluice.sandbox.watch.arithmetic import Reading
from sluice.sandbox.watch.metric_wire import metric_data, metric_statistics, put_datum
from sluice.sandbox.watch.series import MetricStore


def install_metric_store(store: MetricStore, reading: Reading = Reading.AS_ZERO) -> Undo:
    """PutMetricData, GetMetricData, GetMetricStatistics and ListMetrics speak to the store."""
    original = CloudWatchBackend._validate_parameters_put_metric_data

    def put(backend: CloudWatchBackend, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        for number, datum in enumerate(metric_data, 1):
            original(backend, datum, number)
        for datum in metric_data:
            put_datum(store, namespace, datum)

    def get_page(response: CloudWatchResponse) -> ActionResult:
        return ActionResult(metric_data(store, response._get_params(), reading))

    def get_statistics(response: CloudWatchResponse) -> ActionResult:
        return ActionResult(metric_statistics(store, response._get_params()))

    def listed(_: CloudWatchBackend, metric_name: str, namespace: str, dimensions: Any) -> list[MetricDatum]:
        shown = []
        for key in store:
            named = [{"Name": name, "Value": value} for name, value in sorted(key.dimensions)]
            shown.append(MetricDatum(key.namespace, key.name, 0.0, named, None))
        return [datum for datum in shown if datum.filter(namespace, metric_name, list(dimensions or ()))]

    return all_of(
        replaced(CloudWatchBackend, "put_metric_data", put),
        replaced(CloudWatchBackend, "get_filtered_metrics", listed),
        replaced(CloudWatchResponse, "get_metric_data", get_page),
        replaced(CloudWatchResponse, "get_metric_statistics", get_statistics),
    )


def install_utc_timestamps() -> Undo:
    """boto3 answers in UTC, as it does inside Lambda, and not in this machine's zone; a third of GetMetricData's cost
    was working that zone out for every data point."""
    return replaced(botocore.utils, "get_tzinfo_options", lambda: (lambda: UTC,))
