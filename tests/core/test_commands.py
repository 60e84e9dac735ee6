"""What people may tell a rollout, and when it is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core import commands
from sluice.core.actions import Notify, SetWeights, StartClock
from sluice.core.decision import Decision
from sluice.core.errors import Refused
from sluice.core.head import Head
from sluice.core.orders import Approved, Breach, Said
from sluice.core.rollout import Latch, Phase
from tests.builders import NOW, head, started
from tests.core.rollouts import baking, phase, soaking
from tests.core.test_ascent import ANN, ONCALL, PREPARED, orders, with_step

BOB = Said("arn:aws:iam::1:user/bob", NOW, "why not")


def awaiting(**changes: Any) -> Head:
    return baking(phase=Phase.AWAITING_APPROVAL, **with_step(1, approval=ONCALL), **changes)


def wakes_the_clock(decision: Decision) -> bool:
    live = decision.next.live
    return any(isinstance(action, StartClock) and action.name == live.clock_name for action in decision.actions)


@pytest.mark.parametrize("word", ["pause", "promote", "skip", "force"])
def test_each_word_is_recorded_with_its_reason_and_acted_upon_at_once(word: str) -> None:
    decision = getattr(commands, word)(baking(), BOB)

    assert getattr(decision.next.live.orders, word) == BOB
    assert "why not" in decision.because
    assert wakes_the_clock(decision)
    assert not any(isinstance(action, SetWeights) for action in decision.actions), (
        "the tick raises, with all its fences"
    )


@pytest.mark.parametrize("word", ["pause", "promote", "skip", "force", "resume"])
def test_nothing_is_said_to_a_rollout_that_is_not_live_or_goes_back(word: str) -> None:
    back = baking(phase=Phase.ROLLING_BACK, latch=Latch(NOW, "x", "y", True, None))

    with pytest.raises(Refused, match="no rollout is live, v1 serves"):
        getattr(commands, word)(head(), BOB)
    with pytest.raises(Refused, match="is being rolled back"):
        getattr(commands, word)(back, BOB)


@pytest.mark.parametrize("word", ["pause", "promote", "skip", "force"])
def test_at_100_there_is_no_step_left(word: str) -> None:
    with pytest.raises(Refused, match=f"at 100 % already: there is no step left to {word}"):
        getattr(commands, word)(soaking(), BOB)


def test_a_second_pause_names_the_first() -> None:
    with pytest.raises(Refused, match="paused already, by arn:aws:iam::1:user/ann: because"):
        commands.pause(baking(orders=orders(pause=ANN)), BOB)


def test_only_a_bake_is_skipped() -> None:
    with pytest.raises(Refused, match="is awaiting_approval: only a bake can be skipped"):
        commands.skip(awaiting(), BOB)


class TestResume:
    def test_the_bake_goes_on_with_its_evidence(self) -> None:
        paused = baking(phase=Phase.PAUSED, orders=orders(pause=ANN))
        decision = commands.resume(paused, BOB)

        assert (phase(decision), decision.kind) == (Phase.BAKING, "resumed")
        assert decision.next.live.applied_at == paused.live.applied_at
        assert decision.next.live.orders == orders(held_from=NOW)

    def test_before_the_first_step_the_way_back_is_rehearsed_again(self) -> None:
        decision = commands.resume(started(phase=Phase.PAUSED, prepared=PREPARED, orders=orders(pause=ANN)), BOB)

        assert (phase(decision), decision.next.live.rehearsal) == (Phase.REHEARSING, None)

    def test_a_pause_that_has_not_begun_yet_is_taken_back(self) -> None:
        decision = commands.resume(baking(phase=Phase.SHIFTING, orders=orders(pause=ANN)), BOB)

        assert (phase(decision), decision.next.live.orders.pause) == (Phase.SHIFTING, None)

    def test_harm_that_was_held_is_forgiven(self) -> None:
        decision = commands.resume(soaking(orders=orders(breach=Breach(NOW, "errors"))), BOB)

        assert (phase(decision), decision.next.live.orders.breach) == (Phase.SOAKING, None)

    def test_what_nobody_paused_is_not_resumed(self) -> None:
        with pytest.raises(Refused, match="was not paused by a person; it goes on when the weights are what was asked"):
            commands.resume(baking(phase=Phase.PAUSED), BOB)
        with pytest.raises(Refused, match="was not paused by a person\\."):
            commands.resume(baking(), BOB)


class TestApprove:
    def test_one_step_may_begin(self) -> None:
        decision = commands.approve(awaiting(), BOB, BOB.by)

        assert (phase(decision), decision.kind) == (Phase.BAKING, "approved")
        assert decision.next.live.orders.approved == Approved(1, BOB.by, NOW, "why not")
        assert wakes_the_clock(decision)

    @pytest.mark.parametrize(
        ("made", "arn", "sentence"),
        [
            (baking(), BOB.by, "is baking: nothing waits for approval"),
            (awaiting(submitted_by=BOB.by), BOB.by, "nobody approves their own release"),
            (
                awaiting(),
                "arn:aws:iam::2:user/bob",
                "may not approve step 2: the policy asks for arn:aws:iam::1:user/\\*",
            ),
        ],
    )
    def test_it_is_refused(self, made: Head, arn: str, sentence: str) -> None:
        with pytest.raises(Refused, match=sentence):
            commands.approve(made, BOB, arn)


class TestForce:
    @pytest.mark.parametrize("made", [awaiting(), baking(phase=Phase.PAUSED, orders=orders(pause=ANN))])
    def test_what_was_waited_for_is_not_any_more(self, made: Head) -> None:
        decision = commands.force(made, BOB)

        assert (phase(decision), decision.kind) == (Phase.BAKING, "forced")
        assert decision.next.live.orders.pause is None
        assert any(isinstance(action, Notify) for action in decision.actions)

    def test_not_over_harm_nor_over_somebody_elses_weights(self) -> None:
        with pytest.raises(Refused, match="does harm \\(errors\\): `resume` or roll it back first"):
            commands.force(baking(orders=orders(breach=Breach(NOW, "errors"))), BOB)
        with pytest.raises(Refused, match="somebody changed its weights: put them back first"):
            commands.force(baking(phase=Phase.PAUSED), BOB)


class TestStop:
    def test_it_is_of_the_endpoint_and_outlives_its_rollouts(self) -> None:
        stopped = commands.stop(head(), BOB)

        assert (stopped.next.stop, stopped.kind) == (BOB, "stopped")
        with pytest.raises(Refused, match="^endpoint 'shop' is stopped already, by arn:aws:iam::1:user/bob: why not"):
            commands.stop(stopped.next, ANN)

    def test_it_is_lifted(self) -> None:
        lifted = commands.lift(replace(baking(), stop=ANN), BOB)

        assert (lifted.next.stop, lifted.kind) == (None, "lifted")
        with pytest.raises(Refused, match="endpoint 'shop' is not stopped"):
            commands.lift(baking(), BOB)
