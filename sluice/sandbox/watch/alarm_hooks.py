"""Patches of moto's CloudWatch alarms, pinned to 5.2.5: which are refused, what a state set by hand sets off, how they are described.

When an alarm changes is decided by `alarms`. Contract tests in tests/sandbox/watch/test_alarm_hooks.py.
"""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterValue, ValidationError
from moto.cloudwatch.models import Alarm, CloudWatchBackend, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult

from sluice.sandbox.patches import Undo, all_of, replaced
from sluice.sandbox.watch.alarm_settings import check_alarm, keep_state, start_unchecked
from sluice.sandbox.watch.alarms import AlarmClockwork
from sluice.sandbox.watch.composites import parse_rule

MAX_ALARM_NAMES, ALARMS_PER_PAGE = 100, 50
"""DescribeAlarms: names a call, and alarms a page unless MaxRecords says otherwise."""


def moto_alarms(account: str, region: str) -> Callable[[], Mapping[str, Alarm]]:
    return lambda: cloudwatch_backends[account][region].alarms


def install_alarm_rules(clockwork: AlarmClockwork) -> Undo:
    """PutMetricAlarm refuses what CloudWatch refuses, starts in INSUFFICIENT_DATA, and keeps an existing state.
    PutCompositeAlarm, which moto lacks, exists."""
    original = CloudWatchBackend.put_metric_alarm

    @wraps(original)
    def put(backend: CloudWatchBackend, **settings: Any) -> Alarm:
        former = backend.alarms.get(settings["name"])
        extended = settings.pop("extended_statistic", None)  # moto takes percentiles only
        alarm = original(backend, **settings)
        alarm.extended_statistic = extended
        try:
            _check(alarm)
        except ValueError as fault:
            _put_back(backend, alarm, former)
            raise InvalidParameterValue(str(fault)) from fault
        if former is None:
            start_unchecked(alarm)
        else:
            keep_state(alarm, former)
        return alarm

    def put_composite(response: CloudWatchResponse) -> EmptyResult:
        response.cloudwatch_backend.put_metric_alarm(**_composite_settings(response))
        clockwork.look_above()
        return EmptyResult()

    return all_of(
        replaced(CloudWatchBackend, "put_metric_alarm", put),
        replaced(CloudWatchResponse, "put_composite_alarm", put_composite),
    )


def _check(alarm: Alarm) -> None:
    if alarm.rule is None:
        check_alarm(alarm)
    else:
        parse_rule(alarm.rule)


def _put_back(backend: CloudWatchBackend, alarm: Alarm, former: Alarm | None) -> None:
    if former is None:
        del backend.alarms[alarm.name]
    else:
        backend.alarms[alarm.name] = former


def _composite_settings(response: CloudWatchResponse) -> dict[str, Any]:
    get = response._get_param
    unused = (
        "namespace",
        "metric_name",
        "comparison_operator",
        "evaluation_periods",
        "period",
        "threshold",
        "statistic",
    )
    return {
        **dict.fromkeys(unused),
        "name": get("AlarmName"),
        "description": get("AlarmDescription"),
        "dimensions": [],
        "alarm_actions": get("AlarmActions", []),
        "ok_actions": get("OKActions", []),
        "insufficient_data_actions": get("InsufficientDataActions", []),
        "actions_enabled": get("ActionsEnabled"),
        "rule": get("AlarmRule"),
        "tags": get("Tags", []),
    }


def install_set_alarm_state(clockwork: AlarmClockwork) -> Undo:
    """SetAlarmState publishes the event of a change; the next evaluation takes the alarm back."""
    original = CloudWatchBackend.set_alarm_state

    @wraps(original)
    def set_state(backend: CloudWatchBackend, alarm_name: str, reason: str, reason_data: str, state_value: str) -> None:
        alarm = backend.alarms.get(alarm_name)
        if alarm is None or state_value not in ("OK", "ALARM", "INSUFFICIENT_DATA") or not _is_json(reason_data):
            original(backend, alarm_name, reason, reason_data, state_value)  # which refuses it
            return
        clockwork.set_state(alarm, state_value, reason, reason_data)
        clockwork.look_above()

    return replaced(CloudWatchBackend, "set_alarm_state", set_state)


def _is_json(text: str | None) -> bool:
    try:
        json.loads(text or "{}")
    except ValueError:
        return False
    return True


def install_describe_alarms() -> Undo:
    """DescribeAlarms leaves composites out unless AlarmTypes names them, takes 100 names and answers in pages."""
    original = CloudWatchResponse.describe_alarms

    @wraps(original)
    def describe(response: CloudWatchResponse) -> ActionResult:
        get = response._get_param
        names = get("AlarmNames", []) or []
        if len(names) > MAX_ALARM_NAMES:
            raise ValidationError(f"AlarmNames takes at most {MAX_ALARM_NAMES} names, got {len(names)}: ask in batches")
        result: Any = original(response).result
        types = get("AlarmTypes", []) or ["MetricAlarm"]
        kinds = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms"}
        alarms = [alarm for kind, member in kinds.items() if kind in types for alarm in result[member]]
        state = get("StateValue")
        alarms = sorted((a for a in alarms if state in (None, a.state_value)), key=lambda alarm: str(alarm.name))
        skip, limit = int(get("NextToken") or 0), int(get("MaxRecords") or ALARMS_PER_PAGE)
        page = alarms[skip : skip + limit]
        more = {"NextToken": str(skip + limit)} if len(alarms) > skip + limit else {}
        composites = [alarm for alarm in page if alarm.rule is not None]
        metrics = [alarm for alarm in page if alarm.rule is None]
        return ActionResult({"MetricAlarms": metrics, "CompositeAlarms": composites, **more})

    return replaced(CloudWatchResponse, "describe_alarms", describe)
