"""Alarm events, sweeps, clean-ups and the audit trail as values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.actions import EnsureConfig, SetWeights, StartClock
from sluice.core.audit import chain_faults, event_hash, read_head, record, replay
from sluice.core.begin import begin
from sluice.core.blame import Blame, attribute_firing
from sluice.core.errors import UnknownSchema
from sluice.core.head import Cleanup, Head
from sluice.core.overdue import clean_up, hand_over, sweep
from sluice.core.reaction import AlarmEvent, late_rollback, react
from sluice.core.record import encode
from sluice.core.rollout import Phase, Rehearsal
from tests.builders import NOW, head, started, submission
from tests.core.facts import CONFIGURED, endpoint, seen

GREEN, BLUE = "sluice/sluice/test/shop/green/errors", "sluice/sluice/test/shop/blue/errors"
RAIL = "sluice/sluice/test/shop/green/errors-rail"


def alarm(name: str = GREEN, since: int = NOW, state: str = "ALARM", rehearsal_of: str | None = None) -> AlarmEvent:
    return AlarmEvent(name, state, since, "crossed", rehearsal_of)


def exposed(parts: int = 1000) -> Head:
    return started(phase=Phase.BAKING, step=0, canary_parts=parts, first_exposure_at=NOW - 60, applied_at=NOW - 50)


@pytest.mark.parametrize(
    ("event", "latched"),
    [
        (alarm(), True),
        (alarm(since=NOW - 100), False),
        (alarm(BLUE), False),
        (alarm(RAIL), False),
        (alarm("foreign"), False),
        (alarm(state="OK"), False),
        (alarm(rehearsal_of="shop-18a2e9c5-2"), True),
    ],
    ids=[
        "the canary's",
        "from before",
        "stable's",
        "a rail with control",
        "foreign",
        "back to OK",
        "a false rehearsal",
    ],
)
def test_only_the_canarys_own_alarm_since_its_exposure_goes_back(event: AlarmEvent, latched: bool) -> None:
    decision = react(exposed(), event, NOW)

    assert (decision.next.live.phase is Phase.ROLLING_BACK) is latched
    assert any(isinstance(action, SetWeights) for action in decision.actions) is latched


def test_the_rail_is_obeyed_without_control() -> None:
    assert attribute_firing(exposed(10_000).live, RAIL, NOW).blame is Blame.CANARY


def test_an_alarm_without_a_rollout_is_recorded_and_told() -> None:
    decision = react(head(), alarm(), NOW)

    assert decision.kind == "alarm_noted"
    assert "no rollout is live" in decision.because


@pytest.mark.parametrize(("seconds", "when"), [(299, "went off and"), (2400, "went off 40 min ago and")])
def test_an_event_that_was_long_on_its_way_says_when_the_alarm_went_off(seconds: int, when: str) -> None:
    event = replace(alarm(), since=NOW - seconds)

    assert f"{when} nothing was changed: no rollout is live" in react(head(), event, NOW).because


def test_a_rail_with_control_blames_nobody_and_claims_no_more_than_alarms_say() -> None:
    found = attribute_firing(exposed().live, RAIL, NOW)

    assert found.blame is Blame.UNCLEAR
    assert (
        found.because
        == f"alarm {RAIL} is over its absolute rail, and no alarm says that the canary is worse than stable"
    )


def test_a_repeated_alarm_repeats_the_call_only() -> None:
    latched = react(exposed(), alarm(), NOW).next

    again = react(latched, alarm(), NOW + 5)

    assert again.kind is None
    assert [action for action in again.actions if isinstance(action, SetWeights)]


def test_a_rehearsal_is_answered_once_by_a_call_that_changes_nothing() -> None:
    rehearsing = started(phase=Phase.REHEARSING, rehearsal=Rehearsal(GREEN, NOW - 4, None))
    event = alarm(rehearsal_of=rehearsing.live.id)

    answered = react(rehearsing, event, NOW)

    assert answered.record_after_actions
    assert answered.actions == (SetWeights("shop", {"blue": 10_000, "green": 0}, None),) or answered.actions == ()
    assert answered.next.live.rehearsal.answered_at == NOW
    assert react(answered.next, event, NOW + 1).kind is None


@pytest.mark.parametrize(
    "changes",
    [{"marked": None}, {"marked": "another-rollout"}, {"phase": Phase.BAKING}, {"canary_parts": 1000}],
    ids=["without the mark", "another rollout's mark", "another phase", "a canary with traffic"],
)
def test_what_only_looks_like_a_rehearsal_is_not_answered_as_one(changes: dict[str, object]) -> None:
    """The answer would be recorded as proof that the way back works, and the alarm would be gone."""
    marked = changes.pop("marked", "own")
    fields = {"phase": Phase.REHEARSING, "rehearsal": Rehearsal(GREEN, NOW - 4, None), **changes}
    rehearsing = started(**fields)
    mark = rehearsing.live.id if marked == "own" else marked

    decision = react(rehearsing, alarm(rehearsal_of=mark), NOW)

    assert decision.kind != "rehearsal_answered"


def test_an_alarm_starts_a_fresh_clock_because_the_old_one_may_be_waiting_out_a_bake() -> None:
    decision = react(exposed(), alarm(), NOW)

    assert decision.next.live.clock_generation == exposed().live.clock_generation + 1
    assert [action.name for action in decision.actions if isinstance(action, StartClock)] == [
        decision.next.live.clock_name
    ]


def test_a_late_record_is_recognised() -> None:
    assert late_rollback(exposed(), alarm(), canary_parts_seen=0)
    assert not late_rollback(exposed(), alarm(), canary_parts_seen=1000)
    assert not late_rollback(head(), alarm(), canary_parts_seen=0)


class TestSweep:
    def test_a_rollout_that_is_looked_at_is_left_alone(self) -> None:
        assert sweep(exposed(), NOW - 30, NOW, clock_runs=True).kind is None

    def test_a_missing_clock_is_replaced(self) -> None:
        decision = sweep(exposed(), NOW - 30, NOW, clock_runs=False)

        assert any(isinstance(action, StartClock) and action.name.endswith("-g2") for action in decision.actions)
        assert decision.next.live.phase is Phase.BAKING, "a lost clock is no evidence against the canary"

    @pytest.mark.parametrize("clock_runs", [True, False])
    def test_blindness_goes_back(self, clock_runs: bool) -> None:
        decision = sweep(exposed(), None, NOW + 601, clock_runs=clock_runs)

        assert decision.next.live.latch.cause == "nobody could look at it for 10 min 1 s (max_blind 10 min)"
        assert any(isinstance(action, StartClock) for action in decision.actions) is not clock_runs

    def test_a_rollback_under_way_is_not_blamed_for_blindness(self) -> None:
        latched = react(exposed(), alarm(), NOW).next

        assert sweep(latched, None, NOW + 9999, clock_runs=True).kind is None

    def test_a_clock_hands_over_to_its_successor(self) -> None:
        assert hand_over(exposed()).next.live.clock_generation == 2


class TestCleanUp:
    due = replace(head(), cleanup=Cleanup("green", NOW, None))

    def test_a_slot_that_is_due_is_given_up(self) -> None:
        decision = clean_up(self.due, seen(endpoint(), configured=CONFIGURED), NOW)

        config = next(action for action in decision.actions if isinstance(action, EnsureConfig))
        assert [variant.slot for variant in config.variants] == ["blue"]

    def test_nothing_happens_before_its_time_or_during_a_rollout(self) -> None:
        assert clean_up(self.due, seen(), NOW - 1).kind is None
        facts = seen(endpoint(), configured=CONFIGURED)
        assert clean_up(replace(exposed(), cleanup=self.due.cleanup), facts, NOW).kind is None
        assert clean_up(head(), seen(), NOW).kind is None

    def test_a_busy_endpoint_is_waited_for(self) -> None:
        assert clean_up(self.due, seen(endpoint(status="Updating")), NOW).kind is None

    def test_a_slot_that_is_gone_is_done(self) -> None:
        decision = clean_up(self.due, seen(endpoint(green=None)), NOW)

        assert (decision.kind, decision.next.cleanup) == ("slot_retired", None)

    def test_a_slot_with_traffic_is_never_retired(self) -> None:
        decision = clean_up(self.due, seen(endpoint(5000, 5000)), NOW)

        assert (decision.kind, decision.next.cleanup) == ("retire_refused", None)

    def test_a_slot_that_does_not_go_is_reported(self) -> None:
        stuck = replace(head(), cleanup=Cleanup("green", NOW, NOW - 6000))

        assert "could not be retired" in clean_up(stuck, seen(), NOW).because


class TestAudit:
    def events(self):
        first = record(None, replace(head(), version=0), "adopted", "pulumi", "took over", NOW, {})
        begun = begin(first.head, submission(), NOW)
        second = record(first.head, begun.next, "submitted", "pulumi", "submitted", NOW, {})
        ended = replace(second.head, live=None)
        third = record(second.head, ended, "ended", "tick", "over", NOW, {})
        return first, second, third

    def test_replaying_the_events_gives_the_stored_state(self) -> None:
        changes = self.events()

        assert chain_faults(change.event for change in changes) == ()
        assert replay(change.event for change in changes) == changes[-1].head
        assert replay([]) is None

    def test_what_ends_and_what_starts_is_kept_with_the_change(self) -> None:
        _, second, third = self.events()

        assert second.release is not None
        assert third.ended is None, "without an outcome there is nothing to keep"

    def test_altered_missing_and_reordered_events_are_found_and_named(self) -> None:
        one, two, three = (change.event for change in self.events())
        altered = replace(two, because="nothing happened")
        forged = replace(altered, hash=event_hash(altered))

        assert chain_faults([one, altered, three]) == ("event 2: was altered, its content does not match its hash",)
        assert chain_faults([one, forged, three]) == ("event 3: does not continue the chain from event 2",)
        assert chain_faults([one, three])[0] == "event 3: follows event 1, so 2 is missing or out of order"

    def test_a_record_of_another_version_is_refused(self) -> None:
        with pytest.raises(UnknownSchema, match="has schema 9; this code reads 1"):
            read_head({**encode(head()), "schema": 9})
