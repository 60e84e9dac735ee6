"""A rollout's whole life in the simulated world: the real use cases, virtual seconds."""

from __future__ import annotations

import pytest

from sluice.core.audit import chain_faults, replay
from sluice.core.errors import Refused
from sluice.core.reaction import AlarmEvent
from sluice.core.rollout import Phase
from sluice.sim.account import Killed
from sluice.sim.world import World
from sluice.submit import submit
from tests.builders import policy, release, step, submission
from tests.worlds import adopted_world, at_weight, ended, head_of, in_phase, rollout_of

GREEN_ERRORS = "sluice/sluice/test/shop/green/errors"
BLUE_ERRORS = "sluice/sluice/test/shop/blue/errors"
GREEN_RAIL = "sluice/sluice/test/shop/green/errors-rail"


@pytest.fixture
def world() -> World:
    return adopted_world()


def test_under_a_harm_budget_a_good_release_earns_its_weights(world: World) -> None:
    world.traffic.error_rate = {"blue": 0.002, "green": 0.002}
    made = policy(
        harm_budget=200, min_samples=50, steps=(*(step(w, 1200, 3600) for w in (10, 50, 95)), policy().steps[-1])
    )
    submit(world.ports, submission(policy=made, rps=100.0))

    said = world.run(ended(world))

    head = head_of(world)
    assert head.outcome is not None
    assert head.outcome.phase is Phase.SETTLED, said
    weights = [detail["green"] for _, name, detail in world.calls if name == "set_weights"]
    limits = [0, 1000, 5000, 9500, 10_000]
    assert weights == sorted(weights)
    assert all(weight <= most for weight, most in zip(weights, limits, strict=True))
    assert 0 < weights[1] < 100 < weights[2], "nothing is known before the first step, and much after it"


def test_a_good_release_goes_out_step_by_step_and_settles(world: World) -> None:
    submit(world.ports, submission())

    said = world.run(ended(world))

    head = head_of(world)
    assert head.outcome is not None
    assert head.outcome.phase is Phase.SETTLED, said
    assert head.champion.slot == "green"
    assert head.champion.release.name == "v2"
    weights = [detail["green"] for _, name, detail in world.calls if name == "set_weights"]
    assert weights == [0, 1000, 5000, 10000], "the rehearsal's no-op call, then each step once"


def test_the_audit_trail_replays_to_the_stored_state(world: World) -> None:
    submit(world.ports, submission())
    world.run(ended(world))

    events = list(world.store.events("shop"))

    assert chain_faults(events) == ()
    assert replay(events) == head_of(world)


def test_an_alarm_of_the_canary_takes_it_back_and_quarantines_it(world: World) -> None:
    submit(world.ports, submission())
    world.run(at_weight(world, 5000))

    world.set_alarm(GREEN_ERRORS, "ALARM")
    world.deliver()
    assert rollout_of(world).phase is Phase.ROLLING_BACK
    world.pass_seconds(20)
    assert world.canary_parts() == 0
    world.set_alarm(GREEN_ERRORS, "OK")
    world.run(ended(world))

    outcome = head_of(world).outcome
    assert outcome is not None
    assert outcome.phase is Phase.ROLLED_BACK
    with pytest.raises(Refused, match=r"quarantined for another 24 h.*submit a new release"):
        submit(world.ports, submission(nonce="again"))


def test_a_second_release_meanwhile_is_refused_and_the_same_one_is_not_a_second_rollout(world: World) -> None:
    submit(world.ports, submission())

    again = submit(world.ports, submission())

    assert "is live already" in again
    with pytest.raises(Refused, match="is live .pending.*Wait for it to end or abort it before submitting v9"):
        submit(world.ports, submission(release=release("v9")))


def test_an_alarm_while_the_endpoint_is_updating_for_long_still_ends_at_zero(world: World) -> None:
    submit(world.ports, submission())
    world.run(at_weight(world, 1000))
    world.busy_for(900)

    world.set_alarm(GREEN_ERRORS, "ALARM")
    world.run(lambda: world.canary_parts() == 0, 1800)

    latched = rollout_of(world).latch
    assert latched is not None
    assert world.canary_parts() == 0
    assert world.now - latched.at <= 900 + 45, "the weights are back as soon as the endpoint takes a call"


def test_a_raise_in_flight_when_the_latch_is_set_is_undone(world: World) -> None:
    """The raise was re-read before the latch and lands after the rollback's own call."""
    submit(world.ports, submission())
    world.run(at_weight(world, 1000))
    raised_at: list[int] = []

    def latch_in_between(name: str) -> None:
        if name == "set_weights" and not raised_at:
            raised_at.append(world.now)
            world.before_call = lambda name: None
            world.set_alarm(GREEN_ERRORS, "ALARM")
            world.deliver()
            world.pass_seconds(16)

    world.before_call = latch_in_between
    world.run(lambda: bool(raised_at), 3600)
    assert rollout_of(world).phase is Phase.ROLLING_BACK
    world.run(in_phase(world, Phase.VERIFYING), 600)

    assert world.canary_parts() == 0
    weights = [(at, detail["green"]) for at, name, detail in world.calls if name == "set_weights"][-3:]
    assert [green for _, green in weights] == [0, 5000, 0]
    assert weights[2][0] - weights[1][0] <= 30, "undone within 30 s"


def test_a_raise_is_not_made_when_the_record_changed_before_the_call(world: World) -> None:
    submit(world.ports, submission())
    world.run(at_weight(world, 1000))
    commit = type(world.store).commit

    def alarm_right_after(change: object) -> None:
        commit(world.store, change)
        if change.event.kind == "shifting":
            world.set_alarm(GREEN_ERRORS, "ALARM")
            world.deliver()

    ports = world.ports
    slow = type(
        "Slow",
        (),
        {"__getattr__": lambda _, name: alarm_right_after if name == "commit" else getattr(world.store, name)},
    )()
    from dataclasses import replace

    from sluice.tick import tick

    for _ in range(20):
        world.pass_seconds(60)
        if rollout_of(world).phase is not Phase.BAKING:
            break
        tick(replace(ports, store=slow), "shop", rollout_of(world).id, 1, 0)

    assert rollout_of(world).phase is Phase.ROLLING_BACK
    assert 5000 not in [detail["green"] for _, name, detail in world.calls if name == "set_weights"]


@pytest.mark.parametrize(
    "call", ["create_model", "create_endpoint_config", "update_endpoint", "set_alarm_state", "set_weights"]
)
def test_a_tick_killed_between_intent_and_call_is_healed_by_the_next(world: World, call: str) -> None:
    killed: list[str] = []

    def kill(name: str) -> None:
        if name == call and not killed:
            killed.append(name)
            raise Killed

    submit(world.ports, submission())
    world.before_call = kill
    while not killed:
        try:
            world.run(ended(world))
        except Killed:
            assert killed
    said = world.run(ended(world))

    outcome = head_of(world).outcome
    assert outcome is not None
    assert outcome.phase is Phase.SETTLED, said


def test_a_killed_rollback_is_healed_by_the_next_tick(world: World) -> None:
    submit(world.ports, submission())
    world.run(at_weight(world, 1000))
    killed: list[str] = []

    def kill(name: str) -> None:
        if name == "set_weights" and not killed:
            killed.append(name)
            raise Killed

    world.before_call = kill
    world.set_alarm(GREEN_ERRORS, "ALARM")
    with pytest.raises(Killed):
        world.deliver()
    world.run(lambda: world.canary_parts() == 0, 120)

    assert world.canary_parts() == 0


def test_a_table_that_refuses_writes_at_alarm_time_does_not_keep_the_canary_up(world: World) -> None:
    submit(world.ports, submission())
    world.run(at_weight(world, 1000))
    world.store.refuses_writes = True

    world.set_alarm(GREEN_ERRORS, "ALARM")
    world.deliver()
    world.pass_seconds(20)
    assert world.canary_parts() == 0
    assert rollout_of(world).phase is Phase.BAKING
    world.store.refuses_writes = False
    from sluice.alarm import on_alarm

    on_alarm(world.ports, world.queue[0], redelivered=True)

    assert rollout_of(world).phase is Phase.ROLLING_BACK
    assert list(world.store.events("shop"))[-1].kind == "recorded_late"


def test_a_table_that_does_not_answer_at_all_does_not_keep_the_canary_up(world: World) -> None:
    submit(world.ports, submission())
    world.run(at_weight(world, 1000))
    world.store.refuses_writes = world.store.refuses_reads = True

    world.set_alarm(GREEN_ERRORS, "ALARM")
    world.deliver()
    world.pass_seconds(20)

    assert world.canary_parts() == 0
    assert len(world.queue) == 1, "the event is delivered again, so that it is recorded one day"


def test_without_the_table_stables_alarm_moves_nothing(world: World) -> None:
    submit(world.ports, submission())
    world.run(at_weight(world, 1000))
    world.store.refuses_writes = world.store.refuses_reads = True

    world.set_alarm(BLUE_ERRORS, "ALARM")
    world.deliver()
    world.pass_seconds(20)

    assert world.canary_parts() == 1000


def test_the_absolute_rail_is_obeyed_in_the_soak_and_the_champion_moves_back(world: World) -> None:
    submit(world.ports, submission())
    world.run(in_phase(world, Phase.SOAKING))
    assert head_of(world).champion.release.name == "v2"

    world.set_alarm(GREEN_RAIL, "ALARM")
    world.deliver()

    head = head_of(world)
    assert head.champion.release.name == "v1"
    assert rollout_of(world).phase is Phase.ROLLING_BACK
    world.pass_seconds(20)
    assert world.canary_parts() == 0


def test_a_shared_incident_holds_and_only_then_rolls_back(world: World) -> None:
    submit(world.ports, submission())
    world.run(at_weight(world, 5000))
    world.traffic.error_rate = {"blue": 0.2, "green": 0.2}
    world.set_alarm(GREEN_RAIL, "ALARM")
    began = world.now

    said = world.run(lambda: rollout_of(world).is_latched, 3600)

    assert 900 <= world.now - began <= 900 + 300, "held for the 15 minutes of the policy first"
    assert any("shared incident" in sentence for sentence in said)
    assert rollout_of(world).latch.harmful is False


def test_the_judge_takes_a_failing_canary_back_when_every_alarm_event_is_lost(world: World) -> None:
    world.delivers_events = True
    submit(world.ports, submission())
    world.run(at_weight(world, 5000))
    world.delivers_events = False
    world.traffic.error_rate = {"blue": 0.001, "green": 0.3}

    world.run(lambda: rollout_of(world).is_latched, 3600)

    assert rollout_of(world).latch.by == "judge"


def test_a_persons_console_change_pauses_and_is_not_fought(world: World) -> None:
    submit(world.ports, submission())
    world.run(at_weight(world, 5000))
    before = len(world.calls)

    world.console_change(blue=7000, green=3000)
    world.run(in_phase(world, Phase.PAUSED), 300)
    world.pass_seconds(60)
    assert len(world.calls) == before
    world.console_change(blue=5000, green=5000)
    world.run(ended(world))

    assert head_of(world).outcome.phase is Phase.SETTLED


def test_a_silent_fallback_ends_before_any_traffic(world: World) -> None:
    world.falls_back = True
    submit(world.ports, submission())

    world.run(ended(world))

    outcome = head_of(world).outcome
    assert outcome.phase is Phase.ROLLED_BACK
    assert "SageMaker fell back to configuration bootstrap" in outcome.because
    assert not [call for call in world.calls if call[1] == "set_weights"]


def test_a_failed_smoke_test_ends_before_any_traffic(world: World) -> None:
    world.smoke_fault = "sample input 0 of v2: HTTP 500"
    submit(world.ports, submission())

    world.run(ended(world))

    assert "smoke test failed: sample input 0" in head_of(world).outcome.because


def test_a_rollback_path_that_does_not_answer_ends_before_any_traffic(world: World) -> None:
    world.delivers_events = False
    submit(world.ports, submission())

    world.run(ended(world))

    assert "rehearsal failed: the rollback path did not answer within 2 min" in head_of(world).outcome.because
    assert max(parts.get("green", 0) for _, parts in world.traffic.history) == 0


def test_a_dead_clock_is_replaced_by_the_sweep(world: World) -> None:
    submit(world.ports, submission())
    world.run(at_weight(world, 1000))

    world.clocks_running.clear()
    world.sweep()

    assert rollout_of(world).clock_generation == 2
    assert world.clocks_running == {rollout_of(world).clock_name}


def test_a_rollout_nobody_can_look_at_goes_back(world: World) -> None:
    submit(world.ports, submission())
    world.run(at_weight(world, 1000))

    for _ in range(11):
        world.pass_seconds(60)
        world.sweep()

    assert rollout_of(world).latch.by == "sweep"
    world.pass_seconds(20)
    assert world.canary_parts() == 0


def test_evidence_below_the_floor_is_never_skipped(world: World) -> None:
    world.traffic.requests = 10
    inconclusive = policy(steps=(step(10, 300, 600), *policy().steps[1:]), max_hold_seconds=1800)
    submit(world.ports, submission(policy=inconclusive))

    said = world.run(ended(world), 6 * 3600)

    assert head_of(world).outcome.phase is Phase.ROLLED_BACK
    assert "without a decision: inconclusive" in head_of(world).outcome.because, said[-5:]
    assert max(parts.get("green", 0) for _, parts in world.traffic.history) == 1000


def test_an_alarm_that_fired_before_the_canary_had_traffic_blocks_the_first_step(world: World) -> None:
    submit(world.ports, submission())
    world.run(in_phase(world, Phase.PREPARING))
    world.set_alarm(GREEN_RAIL, "ALARM")
    world.run(ended(world))

    assert head_of(world).outcome.phase is Phase.ROLLED_BACK
    assert max(parts.get("green", 0) for _, parts in world.traffic.history) == 0


def test_foreign_old_and_repeated_events_change_nothing(world: World) -> None:
    from sluice.alarm import on_alarm

    submit(world.ports, submission())
    world.run(at_weight(world, 1000))
    before = world.canary_parts()

    on_alarm(
        world.ports, AlarmEvent("sluice/other/test/elsewhere/green/errors", "ALARM", world.now, ""), redelivered=False
    )
    on_alarm(world.ports, AlarmEvent(GREEN_ERRORS, "ALARM", world.now - 100_000, ""), redelivered=False)
    on_alarm(world.ports, AlarmEvent(GREEN_ERRORS, "OK", world.now, ""), redelivered=False)

    assert rollout_of(world).phase is Phase.BAKING
    assert world.canary_parts() == before


def test_the_failed_canarys_slot_is_kept_for_the_evidence_and_then_retired(world: World) -> None:
    submit(world.ports, submission())
    world.run(at_weight(world, 1000))
    world.set_alarm(GREEN_ERRORS, "ALARM")
    world.run(ended(world))
    world.set_alarm(GREEN_ERRORS, "OK")
    assert "green" in world.variants

    world.run(lambda: "green" not in world.variants, 2 * 3600)

    assert set(world.variants) == {"blue"}
    assert world.describe("shop").parts == {"blue": 10_000}
