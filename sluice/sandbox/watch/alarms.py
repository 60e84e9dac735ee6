"""CloudWatch's alarm evaluation over moto's alarms, in virtual time.

Decides when each alarm is looked at and what a change of state sets off (moto's fields, an event, composites above it).
The state itself is decided by `assessment` and `composites`; delivering the event is left to whoever gave `publish`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from moto.cloudwatch.models import Alarm

from sluice.sandbox.watch.alarm_events import Event, change_event, clock_text, reason_data, stamp, state_of
from sluice.sandbox.watch.alarm_settings import condition_of, period_of, plan_of, watched_id
from sluice.sandbox.watch.arithmetic import Reading
from sluice.sandbox.watch.assessment import (
    ALARM,
    EXTRA_PERIODS,
    OK,
    Assessment,
    Point,
    assess,
    state_called_for,
)
from sluice.sandbox.watch.composites import parse_rule
from sluice.sandbox.watch.series import MINUTE, MetricStore
from sluice.sandbox.watch.statistic import percent_of

Publish = Callable[[Event], None]

SHORT = 10
"""Seconds between looks at an alarm whose period is under a minute."""


class Cancellable(Protocol):
    def cancel(self) -> None: ...


class AlarmClock(Protocol):
    """What is needed of the sandbox clock."""

    def now(self) -> datetime: ...
    def call_after(self, seconds: float, run: Callable[[], None], label: str) -> Cancellable: ...
    def every(
        self, seconds: float, run: Callable[[], None], label: str, *, first: datetime | None = None
    ) -> Cancellable: ...


@dataclass(frozen=True, slots=True)
class AlarmTiming:
    """`after_minute`: seconds past each full minute at which alarms are looked at. SageMaker's metrics of minute t are
    published at t + 60 s + the meter's delay (10 s by default), so at t + 80 s the newest minute is complete."""

    after_minute: float = 20.0
    extra_periods: int = EXTRA_PERIODS
    reading: Reading = Reading.AS_ZERO


class AlarmClockwork:
    """Evaluates every alarm each minute, those with a shorter period every ten seconds."""

    def __init__(
        self,
        clock: AlarmClock,
        store: MetricStore,
        alarms: Callable[[], Mapping[str, Alarm]],
        publish: Publish,
        *,
        account: str = "123456789012",
        region: str = "us-east-1",
        timing: AlarmTiming = AlarmTiming(),
    ) -> None:
        self._clock = clock
        self._store = store
        self._alarms = alarms
        self._publish = publish
        self._account = account
        self._region = region
        self._timing = timing
        self._entry: Cancellable | None = None
        self._impaired: set[str] = set()

    def start(self) -> None:
        now = self._clock.now()
        minute = now.replace(second=0, microsecond=0) + timedelta(seconds=self._timing.after_minute)
        first = minute if minute > now else minute + timedelta(seconds=MINUTE)
        self._entry = self._clock.every(MINUTE, self._minute, "CloudWatch alarms", first=first)

    def stop(self) -> None:
        if self._entry is not None:
            self._entry.cancel()
            self._entry = None

    def _minute(self) -> None:
        self.evaluate()
        if any(period_of(alarm) < MINUTE for alarm in self._metric_alarms()):
            for seconds in range(SHORT, MINUTE, SHORT):
                self._clock.call_after(seconds, self._evaluate_short, "CloudWatch high-resolution alarms")

    def _metric_alarms(self) -> list[Alarm]:
        return [alarm for alarm in self._alarms().values() if alarm.rule is None]

    def evaluate(self) -> None:
        """Look at every alarm now."""
        self._look_at(self._metric_alarms())

    def _evaluate_short(self) -> None:
        self._look_at([alarm for alarm in self._metric_alarms() if period_of(alarm) < MINUTE])

    def _look_at(self, alarms: list[Alarm]) -> None:
        for alarm in alarms:
            if self._alarms().get(alarm.name) is not alarm or alarm.name in self._impaired:
                continue  # deleted or replaced by what an earlier event set off, or out of order
            series = self._series(alarm)
            if series is None or state_called_for(condition_of(alarm), list(series.values())) == alarm.state_value:
                continue  # as nearly always: only a change of state needs its reason in words
            assessment = assess(condition_of(alarm), _points(series), clock_text)
            if assessment.state is not None:
                details = reason_data(alarm, assessment, self._clock.now())
                self.set_state(alarm, assessment.state, assessment.reason, json.dumps(details, separators=(",", ":")))
        self._evaluate_composites()

    def assess(self, alarm: Alarm) -> Assessment:
        """The state an alarm should be in now, going by the periods that have ended."""
        series = self._series(alarm)
        if series is None:
            return Assessment(None, (), "too few samples for the percentile, and the alarm ignores such periods")
        return assess(condition_of(alarm), _points(series), clock_text)

    def _series(self, alarm: Alarm) -> dict[int, float | None] | None:
        """An alarm's evaluation range, oldest first; None where there are too few samples to say anything."""
        condition, period = condition_of(alarm), period_of(alarm)
        now = int(self._clock.now().timestamp())
        end = now - now % min(period, MINUTE)
        start = end - (condition.periods + self._timing.extra_periods) * period
        if self._too_few_samples(alarm, start, end):
            return None
        found = plan_of(alarm).answer(self._store, lambda _: start, end, self._timing.reading)[watched_id(alarm)]
        return {second: found.get(second) for second in range(start, end, period)}

    def _too_few_samples(self, alarm: Alarm, start: int, end: int) -> bool:
        """Whether EvaluateLowSampleCountPercentile=ignore applies: fewer than 10/(1-p) samples, as the guide says."""
        if alarm.evaluate_low_sample_count_percentile != "ignore":
            return False
        percent = percent_of(alarm.extended_statistic or "")
        if percent is None or percent in (0.0, 100.0):
            return False
        share = percent / 100
        needed = 10 / (1 - share) if share >= 0.5 else 10 / share
        ((key, query),) = plan_of(alarm).metrics
        first = start + self._timing.extra_periods * query.period
        counts = self._store.points(key, "SampleCount", query.period, first, end, query.unit)
        return sum(counts.values()) < needed

    def set_state(self, alarm: Alarm, state: str, reason: str, reason_data: str | None) -> None:
        """Put an alarm into a state; a change publishes an event and looks at the composites above."""
        before = state_of(alarm)
        alarm.update_state(reason, reason_data or "", state)
        if state == before["value"]:
            return
        alarm.state_transitioned_timestamp = alarm.state_updated_timestamp  # type: ignore[attr-defined]
        self._publish(change_event(alarm, before, self._clock.now(), self._account, self._region))

    def impair(self, name: str, evaluation_state: str | None) -> None:
        """Stop evaluating an alarm, as CloudWatch does with EVALUATION_ERROR or EVALUATION_FAILURE; None repairs it."""
        self._alarms()[name].evaluation_state = evaluation_state  # type: ignore[attr-defined]
        if evaluation_state is None:
            self._impaired.discard(name)
        else:
            self._impaired.add(name)

    def look_above(self) -> None:
        """Let composite alarms follow a state that was set from outside."""
        self._evaluate_composites()

    def _evaluate_composites(self) -> None:
        composites = [alarm for alarm in self._alarms().values() if alarm.rule is not None]
        for _ in composites:  # a composite of composites settles one level per pass
            followed = [self._follow(alarm) for alarm in composites]
            if not any(followed):
                return

    def _follow(self, composite: Alarm) -> bool:
        assert composite.rule is not None
        rule = parse_rule(composite.rule)
        alarms = self._alarms()
        states = {name: alarms[name].state_value for name in rule.children() if name in alarms}
        state = ALARM if rule.holds(states) else OK
        if state == composite.state_value:
            return False
        causes = [
            {
                "arn": alarms[name].alarm_arn,
                "state": {"value": value, "timestamp": stamp(alarms[name].state_updated_timestamp)},
            }
            for name, value in sorted(states.items())
        ]
        shown = ", ".join(f"{name} is {value}" for name, value in sorted(states.items()))
        self.set_state(
            composite,
            state,
            f"The rule {composite.rule} {'holds' if state == ALARM else 'does not hold'}: {shown}",
            json.dumps({"triggeringAlarms": causes}),
        )
        return True


def _points(series: Mapping[int, float | None]) -> list[Point]:
    return [Point(second, value) for second, value in series.items()]
