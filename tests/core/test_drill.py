"""A drill between rollouts: when there is none, what it does, and how it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core.actions import Notify, SetAlarm, SetWeights, Severity
from sluice.core.begin import begin
from sluice.core.conditions import DatedFreeze
from sluice.core.drill import answered, ask, conclude, drill_alarm, mark
from sluice.core.head import Cleanup, Drill, Head, Revision
from sluice.core.observation import AlarmFacts
from sluice.core.orders import Said
from sluice.core.ownership import Owner, let_go
from sluice.core.reaction import AlarmEvent, react
from sluice.core.rollout import ScalingTarget, SlotAlarms
from tests.builders import NOW, alarms, head, policy, started, submission
from tests.core.facts import endpoint

ALARM = "sluice/sluice/test/shop/green/errors-rail"
OK = AlarmFacts(ALARM, "OK", 0)
FREEZE = DatedFreeze("dates", "sale", NOW - 1, NOW + 9)


def idle(**changes: Any) -> Head:
    return replace(head(), snapshot=submission(), **changes)


def asked(**changes: Any) -> Head:
    """Set off a minute ago."""
    return replace(idle(), drill=Drill(ALARM, NOW - 60, 120, {"blue": 10_000, "green": 0}), **changes)


def event(**changes: Any) -> AlarmEvent:
    usual = {"rehearsal_of": f"shop-drill-{NOW - 60}", "taken_at": NOW - 58}
    return AlarmEvent(ALARM, "ALARM", NOW - 60, "drill", **{**usual, **changes})


def test_the_idle_slots_alarm_is_set_off_and_marked() -> None:
    made = idle()
    assert drill_alarm(made) == ALARM

    decision = ask(made, endpoint(), OK, NOW)

    assert decision.kind == "drill_asked"
    assert decision.next.drill == Drill(ALARM, NOW, 120, {"blue": 10_000, "green": 0})
    assert decision.actions == (SetAlarm(ALARM, "ALARM", "Sluice drill of shop", f"shop-drill-{NOW}"),)
    assert decision.next.is_unfinished, "the sweep has to find it"


def test_without_alarms_there_is_nothing_to_set_off() -> None:
    bare = replace(idle(), snapshot=submission(alarms={"blue": alarms()["blue"], "green": SlotAlarms((), ())}))

    no_rails = {slot: replace(found, rails=()) for slot, found in alarms().items()}
    assert drill_alarm(bare) is None
    assert drill_alarm(replace(idle(), snapshot=submission(alarms=no_rails))).endswith("green/latency")
    assert drill_alarm(head()) is None
    assert mark(idle()) == ""


@pytest.mark.parametrize(
    ("made", "seen", "alarm", "reason"),
    [
        (idle(let_go_at=NOW), endpoint(), OK, "its stack is gone"),
        (replace(started(), snapshot=submission()), endpoint(), OK, "a rollout is under way"),
        (idle(queued=submission()), endpoint(), OK, "a rollout is under way"),
        (idle(stop=Said("ann", NOW, "sale")), endpoint(), OK, "ann stopped every step up: sale"),
        (head(), endpoint(), None, "nothing was ever rolled out here, so it has no alarm to set off"),
        (replace(idle(), snapshot=submission(policy=policy(freeze=(FREEZE,)))), endpoint(), OK, "freeze 'sale' is on"),
        (asked(), endpoint(), OK, "one is under way"),
        (idle(revision=Revision(2, None)), endpoint(), OK, "the endpoint is being put in order"),
        (idle(scaling=(ScalingTarget("blue", 1, 2, (), ()),)), endpoint(), OK, "the endpoint is being put in order"),
        (idle(cleanup=Cleanup("green", NOW, None)), endpoint(), OK, "the endpoint is being put in order"),
        (idle(), endpoint(status="Updating"), OK, "endpoint is Updating with traffic at {'blue': 10000, 'green': 0}"),
        (idle(), endpoint(5000, 5000), OK, "endpoint is InService with traffic at {'blue': 5000, 'green': 5000}"),
        (idle(), endpoint(), AlarmFacts(ALARM, "ALARM", 0), f"{ALARM} is ALARM"),
        (idle(), endpoint(), AlarmFacts(ALARM, None, 0), f"{ALARM} is None"),
    ],
)
def test_there_is_none_while_anything_else_goes_on(
    made: Head, seen: Any, alarm: AlarmFacts | None, reason: str
) -> None:
    decision = ask(made, seen, alarm, NOW)

    assert (decision.kind, decision.actions, decision.because) == (None, (), f"no drill: {reason}")


def test_a_cleanup_that_is_not_due_yet_keeps_nobody_from_a_drill() -> None:
    assert ask(idle(cleanup=Cleanup("green", NOW + 1, None)), endpoint(), OK, NOW).kind == "drill_asked"


def test_its_alarm_repeats_the_weights_there_are_and_is_recorded_once_they_were_taken() -> None:
    decision = react(asked(), event(), NOW)

    assert (decision.kind, decision.record_after_actions) == ("drill_answered", True)
    assert decision.actions == (SetWeights("shop", {"blue": 10_000, "green": 0}, None),)
    assert (decision.next.drill.detected_at, decision.next.drill.decided_at) == (NOW - 58, NOW)
    assert react(asked(), event(taken_at=None), NOW).next.drill.detected_at == NOW
    again = react(decision.next, event(), NOW + 1)
    assert (again.kind, again.actions) == (None, ())
    assert answered(head(), NOW, NOW).kind is None


@pytest.mark.parametrize("changes", [{"rehearsal_of": None}, {"rehearsal_of": "shop-drill-1"}, {"name": "other"}])
def test_a_real_alarm_is_not_taken_for_the_drills(changes: dict[str, Any]) -> None:
    real = replace(event(), **changes)

    assert react(asked(), real, NOW).kind == "alarm_noted"


def test_a_submission_ends_the_drill_that_is_under_way() -> None:
    assert begin(asked(), submission(), NOW).next.drill is None
    assert let_go(asked(), Owner("a", "b"), NOW).next.drill is None


def done() -> Head:
    return answered(asked(), NOW - 58, NOW - 58).next


def test_a_good_one_says_every_station_and_is_remembered() -> None:
    decision = conclude(done(), endpoint(), OK, NOW - 57, NOW)

    assert (decision.kind, decision.next.drill, decision.next.drilled_at) == ("drilled", None, NOW)
    assert decision.because == (
        f"drill of {ALARM}: detected +2 s, decided +2 s, acted +3 s, verified +1 min; within the target of 2 min"
    )
    assert decision.actions == ()


@pytest.mark.parametrize(
    ("seen", "alarm", "acted_at", "over"),
    [
        (endpoint(), OK, None, 0),
        (endpoint(), AlarmFacts(ALARM, "ALARM", 0), None, 0),
        (endpoint(), AlarmFacts(ALARM, "ALARM", 0), NOW - 57, 1),
        (endpoint(), None, NOW - 57, 0),
        (endpoint(status="Updating"), OK, NOW - 57, 0),
        (endpoint(9000, 1000), OK, NOW - 57, 0),
    ],
    ids=["no answer", "not even taken", "alarm on", "alarm gone", "busy", "weights changed"],
)
def test_it_is_waited_for_and_then_fails_loudly(
    seen: Any, alarm: AlarmFacts | None, acted_at: int | None, over: int
) -> None:
    made = done() if acted_at else asked()
    waiting = conclude(made, seen, alarm, acted_at, NOW)
    failed = conclude(made, seen, alarm, acted_at, NOW + 541)

    assert (waiting.kind, len(waiting.actions)) == (None, over)
    assert all(isinstance(action, SetAlarm) and action.state == "OK" for action in waiting.actions)
    assert (failed.kind, failed.next.drill, failed.next.drilled_at) == ("drill_failed", None, None)
    (told,) = failed.actions
    assert isinstance(told, Notify)
    assert (told.severity, told.subject) == (Severity.PAGE, "shop: drill failed")


def test_too_late_is_a_failure_however_well_it_ended() -> None:
    decision = conclude(done(), endpoint(), OK, NOW + 61, NOW + 120)

    assert (decision.kind, decision.next.drilled_at) == ("drill_failed", None)
    assert decision.because.endswith("acted +2 min 1 s, verified +3 min; promised within 2 min")


def test_nothing_is_concluded_without_a_drill() -> None:
    assert conclude(idle(), endpoint(), OK, None, NOW).kind is None
