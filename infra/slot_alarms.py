"""The CloudWatch alarms of an endpoint's slots. What they compute is decided in `alarm_formulas`; who is blamed, in `sluice.core`."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.alarm_formulas import (
    DATAPOINTS_TO_ALARM,
    EVALUATION_PERIODS,
    PERIOD_SECONDS,
    AlarmSettings,
    Guarded,
    Series,
    alarm_settings,
)


class Alarms(pulumi.ComponentResource):
    """Every alarm of both slots. No actions: the rule on the event bus hears them, and muting an alarm's actions does not silence it."""

    def __init__(self, name: str, guarded: Guarded, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sluice:infra:Alarms", name, None, opts)
        for settings in alarm_settings(guarded):
            _alarm(name, settings, self)
        self.register_outputs({})


def _alarm(name: str, settings: AlarmSettings, parent: pulumi.Resource) -> aws.cloudwatch.MetricAlarm:
    """Silence is health here; the minimum evidence of a step is what keeps silence from being taken for proof."""
    query = aws.cloudwatch.MetricAlarmMetricQueryArgs
    return aws.cloudwatch.MetricAlarm(
        f"{name}/{settings.name.slot}/{settings.name.metric}",
        name=str(settings.name),
        alarm_description=settings.description,
        comparison_operator="GreaterThanThreshold",
        threshold=0,
        evaluation_periods=EVALUATION_PERIODS,
        datapoints_to_alarm=DATAPOINTS_TO_ALARM,
        treat_missing_data="notBreaching",
        metric_queries=[
            query(id="breach", expression=settings.formula, label="breach", return_data=True),
            *(query(id=series.id, metric=_metric(settings, series), return_data=False) for series in settings.series),
        ],
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _metric(settings: AlarmSettings, series: Series) -> aws.cloudwatch.MetricAlarmMetricQueryMetricArgs:
    return aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
        namespace=series.namespace,
        metric_name=series.metric,
        stat=series.stat,
        period=PERIOD_SECONDS,
        dimensions={"EndpointName": settings.name.endpoint, "VariantName": series.slot},
    )
