"""Where counted outcomes go: CloudWatch's PutMetricData, or lines in its embedded metric format.

Never twice: a row of which nobody can say whether it arrived is lost. Evidence that is missing makes a judgement slow, evidence
that was invented makes it wrong.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TextIO

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, NoCredentialsError

from sluice.client.contract import Serving

_LOG = logging.getLogger(__name__)
MINUTE = 60
OLDEST_SECONDS = 14 * 24 * 3600 - 3600
"""CloudWatch takes points up to two weeks old; an hour of it is for getting there."""
_MOST_DATA = 1000
"""Data in one PutMetricData call."""
_MOST_METRICS = 100
"""Metrics in one directive of an embedded-metric line."""
_ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10)
"""boto3's own retries could count a call twice that arrived and was not answered."""
_NOT_ARRIVED = (EndpointConnectionError, ConnectTimeoutError, NoCredentialsError)
_FOR_NOW = ("Throttling", "ThrottlingException", "RequestLimitExceeded", "LimitExceeded", "LimitExceededException")
_DENIED = (
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "UnrecognizedClientException",
)


@dataclass(frozen=True, slots=True)
class Row:
    """Counters of one variant in one minute (seconds since the epoch, a multiple of 60)."""

    slot: str
    minute: int
    amounts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Sent:
    """What did not arrive: rows to send again, and how many are lost for good."""

    again: tuple[Row, ...] = ()
    lost: int = 0


class Sink(Protocol):
    """Takes rows of one endpoint. Adds up what is sent for the same minute in several calls."""

    def send(self, serving: Serving, rows: Sequence[Row]) -> Sent: ...


class CloudWatch:
    """PutMetricData, a thousand data a call. `client` is a boto3 `cloudwatch` client, made without retries; see `of`."""

    def __init__(self, client: Any = None) -> None:
        self._client = client

    @staticmethod
    def of(session: boto3.Session) -> CloudWatch:
        """Called as this session's role."""
        return CloudWatch(session.client("cloudwatch", config=_ONCE))

    def send(self, serving: Serving, rows: Sequence[Row]) -> Sent:
        again: list[Row] = []
        lost = 0
        for batch in _batches(rows):
            try:
                self._put(serving, batch)
            except (*_NOT_ARRIVED, ClientError) as fault:
                _LOG.warning("outcomes of %s were refused: %s", serving.endpoint_name, fault)
                if _worth_another_try(fault):
                    again += batch
                else:
                    lost += len(batch)
            except Exception as fault:  # it may have arrived, or not
                _LOG.warning("outcomes of %s are lost: %s", serving.endpoint_name, fault)
                lost += len(batch)
        return Sent(tuple(again), lost)

    def _put(self, serving: Serving, batch: Sequence[Row]) -> None:
        if self._client is None:
            self._client = boto3.client("cloudwatch", region_name=serving.region, config=_ONCE)
        data = [datum for row in batch for datum in _data(serving, row)]
        self._client.put_metric_data(Namespace=serving.outcome_namespace, MetricData=data)


class EmfLines:
    """Lines of JSON that CloudWatch Logs turns into metrics: for Lambda functions, and wherever its agent reads stdout."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, serving: Serving, rows: Sequence[Row]) -> Sent:
        stream = self._stream or sys.stdout
        for row in rows:
            stream.write(json.dumps(_emf(serving, row)) + "\n")
        stream.flush()
        return Sent()


def _worth_another_try(fault: Exception) -> bool:
    """Whether the call certainly did not count and may succeed later: not where the data themselves are refused."""
    if not isinstance(fault, ClientError):
        return True
    code = fault.response.get("Error", {}).get("Code", "")
    return code in _FOR_NOW or code in _DENIED


def _batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Whole rows: a minute's trials and events arrive together or not at all."""
    batch: list[Row] = []
    for row in rows:
        if sum(len(kept.amounts) for kept in batch) + len(row.amounts) > _MOST_DATA:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _data(serving: Serving, row: Row) -> Iterator[dict[str, Any]]:
    for name, amount in row.amounts.items():
        yield {
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in _dimensions(serving, row).items()],
            "Timestamp": datetime.fromtimestamp(row.minute, UTC),
            "Value": amount,
            "Unit": "None",
        }


def _emf(serving: Serving, row: Row) -> dict[str, Any]:
    dimensions = _dimensions(serving, row)
    metrics = [{"Name": name, "Unit": "None"} for name in row.amounts]
    directives = [
        {
            "Namespace": serving.outcome_namespace,
            "Dimensions": [list(dimensions)],
            "Metrics": metrics[first : first + _MOST_METRICS],
        }
        for first in range(0, len(metrics), _MOST_METRICS)
    ]
    return {
        "_aws": {"Timestamp": row.minute * 1000, "CloudWatchMetrics": directives},
        **dimensions,
        **row.amounts,
    }


def _dimensions(serving: Serving, row: Row) -> dict[str, str]:
    return {"EndpointName": serving.endpoint_name, "VariantName": row.slot}
