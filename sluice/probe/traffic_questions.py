"""Questions about the metrics of requests: when they appear, how fine they are, which statistics answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from botocore.exceptions import ClientError

from sluice.probe.account import TookTooLong, denial
from sluice.probe.stage import BLUE, Stage
from sluice.schema.facts_document import Duration, FineMetrics, TrimmedCounts

REQUESTS = 60
_PAUSE, _LATEST_START = 0.25, 10
"""60 requests a quarter of a second apart, begun in the first ten seconds, stay within one minute if each takes below half a second."""
_EVERY, _LIMIT = 1, 600


def send_a_minute(stage: Stage) -> int:
    """Requests within one minute, all to one slot; the minute's start in epoch seconds."""
    account = stage.account
    if account.now() % 60 > _LATEST_START:
        account.sleep(60 - account.now() % 60)
    minute = int(account.now() // 60 * 60)
    for _ in range(REQUESTS):
        account.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=stage.names.base, TargetVariant=BLUE, ContentType="text/csv", Accept="text/csv", Body=b"1,2,3"
        )
        account.sleep(_PAUSE)
    return minute


def metric_delay(stage: Stage) -> Duration:
    """From the end of a minute until all its requests are counted and timed."""
    stage.one_slot()
    minute = send_a_minute(stage)
    account = stage.account
    account.sleep(max(0.0, minute + 60 - account.now()))

    def look() -> bool | None:
        found = read(stage, minute, [("Invocations", "Sum"), ("ModelLatency", "SampleCount")])
        return True if all(points and points[0][1] >= REQUESTS for points in found) else None

    account.until(look, _EVERY, _LIMIT, f"the metrics of {REQUESTS} requests")
    return Duration(seconds=max(0.0, account.now() - (minute + 60)))


def trimmed_counts(stage: Stage) -> TrimmedCounts:
    """TC and PR below and above the median of one minute's latencies."""
    stage.one_slot()
    minute = send_a_minute(stage)
    account = stage.account

    def look() -> tuple[float, float] | None:
        count, median = read(stage, minute, [("ModelLatency", "SampleCount"), ("ModelLatency", "p50")])
        return (count[0][1], median[0][1]) if count and median and count[0][1] >= REQUESTS else None

    count, median = account.until(look, _EVERY, _LIMIT, "a minute's latencies")
    limit = f"{median:.0f}"
    try:
        found = read(
            stage, minute, [("ModelLatency", name) for name in (f"TC(:{limit})", f"TC({limit}:)", f"PR(:{limit})")]
        )
    except ClientError as fault:
        if denial(fault) is not None:
            raise
        return TrimmedCounts(
            answered=False, adds_up=False, rank_agrees=False, message=fault.response["Error"]["Message"]
        )
    if not all(found):
        return TrimmedCounts(answered=False, adds_up=False, rank_agrees=False, message="no data points")
    below, above, rank = (points[0][1] for points in found)
    return TrimmedCounts(
        answered=True,
        adds_up=abs(below + above - count) < 0.5,
        rank_agrees=abs(rank - 100 * below / count) < 1.0,
    )


def fine_metrics(stage: Stage) -> FineMetrics:
    """The spacing of Invocations under a configuration that asks for 10 s metrics."""
    stage.two_slots()
    asked = stage.fine_metrics
    if asked is None or not asked.accepted:
        return FineMetrics(**(asked.model_dump() if asked else {"accepted": False}))
    minute = send_a_minute(stage)

    def look() -> Sequence[tuple[int, float]] | None:
        (points,) = read(stage, minute, [("Invocations", "Sum")], period=10)
        return points if sum(value for _, value in points) >= REQUESTS else None

    try:
        points = stage.account.until(look, _EVERY, _LIMIT, "the metrics of a minute in pieces")
    except TookTooLong:
        return FineMetrics(accepted=True)
    stamps = sorted(at for at, _ in points)
    gaps = [later - earlier for earlier, later in pairwise(stamps)]
    return FineMetrics(accepted=True, finest_seconds=min(gaps, default=60))


def read(
    stage: Stage, minute: int, wanted: Sequence[tuple[str, str]], period: int = 60
) -> list[list[tuple[int, float]]]:
    """Statistics of one minute of the first slot: for each (metric, statistic) its points, oldest first."""
    dimensions = [{"Name": "EndpointName", "Value": stage.names.base}, {"Name": "VariantName", "Value": BLUE}]
    queries: list[dict[str, Any]] = [
        {
            "Id": f"q{i}",
            "MetricStat": {
                "Metric": {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": dimensions},
                "Period": period,
                "Stat": statistic,
            },
        }
        for i, (name, statistic) in enumerate(wanted)
    ]
    answer = stage.account.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries,
        StartTime=datetime.fromtimestamp(minute, UTC),
        EndTime=datetime.fromtimestamp(minute + 60, UTC),
        ScanBy="TimestampAscending",
    )
    return [
        [(int(at.timestamp()), value) for at, value in zip(result["Timestamps"], result["Values"], strict=True)]
        for result in answer["MetricDataResults"]
    ]
