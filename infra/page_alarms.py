"""Alarms that wake people because the control plane itself is unwell. They take no traffic back: see `slot_alarms` for those."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.resource_names import Names
from sluice.core.decision import SOAK_SECONDS
from sluice.schema import DrillSpec

PERIOD_SECONDS = 60
_DAY = 86_400
OVERDUE_SECONDS = SOAK_SECONDS + 2 * 60
"""The longest ordinary pause between two looks, and two sweeps that should have noticed."""

UNREAD_MILLISECONDS = 5 * 60 * 1000
"""An event is read a second after it was written. The stream holds one that cannot be read for a day before the queue pages."""


@dataclass(frozen=True, slots=True)
class PageAlarm:
    """One alarm on one metric: a page after `minutes` of `periods` minutes above `threshold`; or a ticket, which can wait."""

    word: str
    description: str
    namespace: str
    metric: str
    statistic: str
    threshold: int
    dimensions: dict[str, str]
    minutes: int = 1
    periods: int = 1
    silence_pages: bool = False
    period_seconds: int = PERIOD_SECONDS
    ticket: bool = False


def page_alarms(names: Names, drills: DrillSpec | None = None) -> Iterator[PageAlarm]:
    """What is watched, and why it matters."""
    yield from _of_the_way_back(names)
    if drills is not None:
        yield PageAlarm(
            word="drill-too-old",
            description="The way back was not drilled for too long: it may be broken without anybody knowing",
            namespace=names.metrics_namespace,
            metric="DaysSinceDrill",
            statistic="Maximum",
            threshold=drills.too_old_seconds // _DAY,
            dimensions={"service": "sweep"},
            period_seconds=3600,
            ticket=True,
        )


def _of_the_way_back(names: Names) -> Iterator[PageAlarm]:
    yield PageAlarm(
        word="dead-letter",
        description="Something was given up: look into the dead-letter queue, a rollback, an audit event or a page may be missing",
        namespace="AWS/SQS",
        metric="ApproximateNumberOfMessagesVisible",
        statistic="Maximum",
        threshold=0,
        dimensions={"QueueName": names.dead_letter_queue},
    )
    yield PageAlarm(
        word="alarm-stuck",
        # Not the age of the oldest message: SQS leaves messages out of it that were received three times.
        description="An alarm event is delivered again and again: the endpoint is busy, or the alarm function fails",
        namespace="AWS/SQS",
        metric="ApproximateNumberOfMessagesNotVisible",
        statistic="Maximum",
        threshold=0,
        dimensions={"QueueName": names.alarm_queue},
        minutes=5,
        periods=5,
    )
    yield PageAlarm(
        word="alarm-errors",
        description="The alarm function crashes or times out: rollbacks are late",
        namespace="AWS/Lambda",
        metric="Errors",
        statistic="Sum",
        threshold=0,
        dimensions={"FunctionName": names.function("alarm")},
        minutes=2,
        periods=5,
    )
    yield PageAlarm(
        word="overdue",
        description="A live rollout is not looked at, or the sweep that would say so is silent",
        namespace=names.metrics_namespace,
        metric="OverdueSeconds",
        statistic="Maximum",
        threshold=OVERDUE_SECONDS,
        dimensions={"service": "sweep"},
        minutes=2,
        periods=5,
        silence_pages=True,
    )
    yield PageAlarm(
        word="tampered",
        description="A stored audit event was changed or deleted: `sluice verify` names it, the archive keeps it as it was",
        namespace=names.metrics_namespace,
        metric="Tampered",
        statistic="Maximum",
        threshold=0,
        dimensions={"service": "archive"},
    )
    yield PageAlarm(
        word="unread",
        description="Audit events lie unread: nobody is told of rollouts, not of a rollback either, and nothing is archived",
        namespace="AWS/Lambda",
        metric="IteratorAge",
        statistic="Maximum",
        threshold=UNREAD_MILLISECONDS,
        dimensions={"FunctionName": names.function("archive")},
        minutes=2,
        periods=5,
    )


def page_alarm(
    names: Names, alarm: PageAlarm, topic_arn: pulumi.Input[str], parent: pulumi.Resource
) -> aws.cloudwatch.MetricAlarm:
    """The alarm, acting on the topic.

    Where silence pages, missing data stays missing and INSUFFICIENT_DATA acts: that state is entered only after there was data,
    so a new stack, which has none yet, does not begin with a page.
    """
    return aws.cloudwatch.MetricAlarm(
        f"page-{alarm.word}",
        name=names.page_alarm(alarm.word),
        alarm_description=_described(alarm),
        namespace=alarm.namespace,
        metric_name=alarm.metric,
        dimensions=alarm.dimensions,
        statistic=alarm.statistic,
        period=alarm.period_seconds,
        evaluation_periods=alarm.periods,
        datapoints_to_alarm=alarm.minutes,
        comparison_operator="GreaterThanThreshold",
        threshold=alarm.threshold,
        treat_missing_data="missing" if alarm.silence_pages else "notBreaching",
        alarm_actions=[topic_arn],
        insufficient_data_actions=[topic_arn] if alarm.silence_pages else None,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _described(alarm: PageAlarm) -> str:
    """Whoever is told reads this first. What can wait until morning says so, because the topic is the same."""
    urgency = "Ticket: " if alarm.ticket else ""
    return f"{urgency}{alarm.description}. What to do: docs/runbooks.md, section {alarm.word}."
