"""The sandbox as an account was seen to be: its times taken from facts.json, what was not asked left at its default."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sluice.sandbox.hosting.endpoints import EndpointTiming
from sluice.sandbox.sandbox import Setting
from sluice.sandbox.watch.alarms import AlarmTiming
from sluice.sandbox.watch.arithmetic import Reading
from sluice.schema.facts_document import Duration, Fact, Facts


def setting(facts: Facts, base: Setting = Setting()) -> Setting:
    """`base` with what was measured. Of several measurements the slowest counts: the sandbox errs on the wary side."""
    meters = replace(
        base.meters,
        metric_delay_seconds=_seconds(facts.metric_delay, base.meters.metric_delay_seconds),
        endpoints=_endpoints(facts, base.meters.endpoints),
        alarms=_alarms(facts, base.meters.alarms),
    )
    path = facts.event_path.answer if facts.event_path else None
    return replace(base, meters=meters, event_seconds=max(path.seconds) if path else base.event_seconds)


def _endpoints(facts: Facts, base: EndpointTiming) -> EndpointTiming:
    calls = facts.weight_call.answer if facts.weight_call else None
    added = facts.add_slot.answer if facts.add_slot else None
    return EndpointTiming(
        create=_seconds(facts.create_endpoint, base.create),
        update=added.seconds if added else base.update,
        weights=max(calls.read_back_seconds) if calls else base.weights,
        counts=_seconds(facts.count_call, base.counts),
        delete=_seconds(facts.delete_endpoint, base.delete),
    )


def _alarms(facts: Facts, base: AlarmTiming) -> AlarmTiming:
    clock = facts.alarm_clock.answer if facts.alarm_clock else None
    math = facts.metric_math.answer if facts.metric_math else None
    readings = {"as_zero": Reading.AS_ZERO, "dropped": Reading.BOTH_SIDES}
    return replace(
        base,
        after_minute=clock.second_of_minute if clock else base.after_minute,
        reading=readings.get(math.missing_side, base.reading) if math else base.reading,
    )


def _seconds(fact: Fact[Duration] | None, otherwise: float) -> float:
    answer: Any = fact.answer if fact else None
    return answer.seconds if answer is not None else otherwise
