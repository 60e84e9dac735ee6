"""The questions, in the order in which they are asked: what needs no endpoint first, what changes it most last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sluice.core.errors import BadInput
from sluice.probe import cloudwatch_questions as cloudwatch
from sluice.probe import endpoint_questions as endpoint
from sluice.probe import traffic_questions as traffic
from sluice.probe.stage import Stage
from sluice.schema.values import Strict


@dataclass(frozen=True, slots=True)
class Question:
    """`minutes` is what it usually takes, `instances` how many are billed meanwhile (0: it needs no endpoint)."""

    key: str
    asks: str
    how: str
    minutes: float
    instances: int
    answer: Callable[[Stage], Strict]


QUESTIONS: tuple[Question, ...] = (
    Question(
        "metric_math",
        "What does metric math make of a series that lacks a point, or has none?",
        "GetMetricData over custom metrics, one expression a call",
        2, 0, cloudwatch.metric_math,
    ),
    Question(
        "alarm_clock",
        "At which second of a minute does an alarm look, and how long after the minute?",
        "an alarm on a custom metric with one breach, DescribeAlarms every 5 s; times are CloudWatch's",
        3, 0, cloudwatch.alarm_clock,
    ),
    Question(
        "event_path",
        "How long does an alarm's change take through EventBridge into a queue?",
        "SetAlarmState, four times; from the event's own timestamp to SQS's SentTimestamp",
        1, 0, cloudwatch.event_path,
    ),
    Question(
        "create_endpoint",
        "How long does a new endpoint take?",
        "CreateEndpoint until InService, looked at every 5 s",
        5, 1, endpoint.create_endpoint,
    ),
    Question(
        "metric_delay",
        "How long after a minute are its requests in CloudWatch?",
        "60 requests within a minute, GetMetricData every second until all are counted and timed",
        3, 1, traffic.metric_delay,
    ),
    Question(
        "trimmed_counts",
        "Do TC(:x), TC(x:) and PR(:x) answer on ModelLatency, and do they add up?",
        "60 requests within a minute, counts below and above their median against SampleCount",
        3, 1, traffic.trimmed_counts,
    ),
    Question(
        "add_slot",
        "Does adding a slot with RetainAllVariantProperties keep the live weight and count?",
        "UpdateEndpoint to a configuration with other weights and counts than are live, looked at every 5 s",
        8, 3, endpoint.add_slot,
    ),
    Question(
        "weight_call",
        "How long does a weights-only call take, and until when are the weights read back as asked?",
        "UpdateEndpointWeightsAndCapacities, five times, DescribeEndpoint every second",
        3, 2, endpoint.weight_call,
    ),
    Question(
        "busy_call",
        "How is a call refused while another runs?",
        "two UpdateEndpointWeightsAndCapacities in a row",
        1, 2, endpoint.busy_call,
    ),
    Question(
        "zero_weights",
        "Are weights accepted that are all zero, and who is served then?",
        "UpdateEndpointWeightsAndCapacities with 0 and 0; one InvokeEndpoint if it is accepted",
        1, 2, endpoint.zero_weights,
    ),
    Question(
        "small_weights",
        "With which precision are small fractions kept?",
        "weights 0.1 and 0.01, then DescribeEndpoint",
        1, 2, endpoint.small_weights,
    ),
    Question(
        "fine_metrics",
        "Does a single-model endpoint publish metrics every 10 s?",
        "MetricsConfig in the endpoint's configuration, 60 requests, GetMetricData with period 10",
        3, 2, traffic.fine_metrics,
    ),
    Question(
        "guarded_update",
        "Is it the same endpoint after an update with a rollback alarm?",
        "UpdateEndpoint with DeploymentConfig.AutoRollbackConfiguration; ARN and CreationTime before and after",
        8, 4, endpoint.guarded_update,
    ),
    Question(
        "count_call",
        "How long does a second instance take?",
        "UpdateEndpointWeightsAndCapacities with a count, until InService, looked at every 5 s",
        7, 3, endpoint.count_call,
    ),
    Question(
        "delete_endpoint",
        "How long until a deleted endpoint is gone?",
        "DeleteEndpoint, DescribeEndpoint every 5 s",
        1, 3, endpoint.delete_endpoint,
    ),
)  # fmt: skip


def chosen(only: Sequence[str]) -> tuple[Question, ...]:
    """The questions asked for, in the table's order; all of them for none named. Raises BadInput for a key that is none."""
    known = [question.key for question in QUESTIONS]
    wrong = [key for key in only if key not in known]
    if wrong:
        raise BadInput((f"--only {wrong[0]}: no such question; known are {', '.join(known)}",))
    return tuple(question for question in QUESTIONS if not only or question.key in only)
