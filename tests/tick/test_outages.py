"""Services that are away when they are needed: what protects people goes on without them."""

from __future__ import annotations

import pytest

from sluice.alarm import on_alarm
from sluice.apply import settle
from sluice.command import rollback
from sluice.core.errors import EndpointBusy, StaleRecord
from sluice.core.ownership import Owner, let_go
from sluice.core.reaction import AlarmEvent
from sluice.core.rollout import Phase
from sluice.ports import StoreUnavailable
from sluice.sim.account import START
from sluice.sim.strikes import Moment, Strike, fail
from sluice.sim.turmoil import Turmoil
from sluice.sweep import SWEEP_SECONDS, sweep_all
from sluice.tick import tick
from tests.tick.stages import GREEN_ERRORS, begun, ended_as, head_of, rollout_of, until_ended, until_phase


@pytest.fixture
def world() -> Turmoil:
    """v2 has been submitted against v1."""
    return begun()[0]


def no_more(world: Turmoil, call: str) -> None:
    world.strikes.append(Strike(call, Moment.BEFORE, fail, times=100_000))


class TestStepFunctions:
    """The service that the clocks run in is down: nothing ticks, and nobody can say whether a clock runs."""

    def test_a_rollout_that_nobody_looks_at_goes_back_all_the_same(self, world: Turmoil) -> None:
        until_phase(world, Phase.BAKING, 5000)
        world.clocks_start = False
        world.executions.clear()
        no_more(world, "clocks.runs")

        said = world.sweep()
        world.live(15 * 60)

        assert world.weights_truth() == {"blue": 10_000, "green": 0}
        assert said.faults == ("shop: CallFailed: struck: clocks.runs",), "and it says what it could not find out"

    def test_a_clock_that_nobody_can_see_is_not_replaced_while_it_ticks(self, world: Turmoil) -> None:
        until_phase(world, Phase.BAKING, 1000)
        generation = rollout_of(world).clock_generation
        no_more(world, "clocks.runs")

        world.live(150)

        assert rollout_of(world).clock_generation == generation


class TestTableThatTakesNoWrites:
    """It can be read. A record of the way back comes later; the way back does not."""

    def refuse_writes(self, world: Turmoil) -> None:
        no_more(world, "store.commit")
        no_more(world, "store.beat")

    def test_what_the_judge_blames_goes_back(self, world: Turmoil) -> None:
        until_phase(world, Phase.BAKING, 5000)
        world.copies = 0
        self.refuse_writes(world)
        world.traffic.error_rate = {"green": 0.4}

        world.live(10 * 60)

        assert world.weights_truth() == {"blue": 10_000, "green": 0}

    def test_what_nobody_looked_at_for_too_long_goes_back(self, world: Turmoil) -> None:
        until_phase(world, Phase.BAKING, 5000)
        self.refuse_writes(world)
        no_more(world, "metrics.rows")

        world.live(15 * 60)

        assert world.weights_truth() == {"blue": 10_000, "green": 0}

    def test_what_a_person_wants_back_goes_back_and_they_hear_that_it_is_not_recorded(self, world: Turmoil) -> None:
        until_phase(world, Phase.BAKING, 5000)
        self.refuse_writes(world)

        with pytest.raises(StoreUnavailable):
            rollback(world.ports, "shop", "me", "it looks wrong")
        world.pass_seconds(30)

        assert world.weights_truth() == {"blue": 10_000, "green": 0}

    def test_a_step_up_is_not_made(self, world: Turmoil) -> None:
        until_phase(world, Phase.BAKING, 1000)
        self.refuse_writes(world)

        world.live(5 * 60)

        assert world.weights_truth()["green"] <= 1000

    def test_afterwards_it_is_recorded_and_ends(self, world: Turmoil) -> None:
        until_phase(world, Phase.BAKING, 5000)
        self.refuse_writes(world)
        world.traffic.error_rate = {"green": 0.4}
        world.live(10 * 60)
        world.strikes.clear()

        until_ended(world)

        assert ended_as(world)[0] is Phase.ROLLED_BACK


def test_an_alarm_that_fires_takes_back_although_no_metric_can_be_read(world: Turmoil) -> None:
    """Its event is lost, too: only the tick sees it, long before it would count as blind."""
    until_phase(world, Phase.BAKING, 5000)
    world.copies = 0
    no_more(world, "metrics.rows")
    world.traffic.error_rate = {"green": 0.4}

    world.live(5 * 60)

    assert world.weights_truth() == {"blue": 10_000, "green": 0}


def test_a_second_delivery_latches_although_the_endpoint_cannot_be_described(world: Turmoil) -> None:
    until_phase(world, Phase.BAKING, 5000)
    no_more(world, "endpoints.describe")

    on_alarm(world.ports, AlarmEvent(GREEN_ERRORS, "ALARM", world.now, "errors"), redelivered=True)

    assert rollout_of(world).is_latched


class TestManyEndpoints:
    """More than one sweep gets through, or one that takes all of its time."""

    def crowd(self, world: Turmoil, count: int) -> list[str]:
        for i in range(count):
            name = f"shop-{i}"
            document = {**world.store.heads["shop"], "endpoint": name}
            world.store.heads[name] = {**document, "live": {**document["live"], "endpoint": name}}
        return [f"shop-{i}" for i in range(count)]

    def test_a_sweep_that_is_cut_off_does_not_leave_out_the_same_endpoints_every_minute(self, world: Turmoil) -> None:
        until_phase(world, Phase.BAKING, 5000)
        names = self.crowd(world, 100)
        slow = Strike("clocks.runs", Moment.BEFORE, lambda _: world.pass_seconds(1), times=1_000_000)
        world.strikes.append(slow)
        reached: set[str] = set()

        for minute in range(6):
            world.now = START + 100_000 + 60 * minute
            swept = sweep_all(world.ports)
            reached |= {sentence.split(":")[0] for sentence in swept.sentences}

            assert world.now <= START + 100_000 + 60 * minute + SWEEP_SECONDS + 5

        assert reached >= set(names)

    def test_it_says_how_many_it_did_not_get_to(self, world: Turmoil) -> None:
        until_phase(world, Phase.BAKING, 5000)
        self.crowd(world, 100)
        slow = Strike("clocks.runs", Moment.BEFORE, lambda _: world.pass_seconds(1), times=1_000_000)
        world.strikes.append(slow)

        swept = sweep_all(world.ports)

        assert (
            "of 101 endpoints were not looked after within 40 s: others come first in the next minute"
            in swept.faults[-1]
        )

    def test_a_slot_whose_time_has_not_come_costs_no_call(self, world: Turmoil) -> None:
        until_phase(world, Phase.BAKING, 5000)
        world.set_alarm(GREEN_ERRORS, "ALARM")
        until_ended(world)
        assert head_of(world).cleanup is not None
        no_more(world, "endpoints.describe")

        assert world.sweep().faults == ()


def test_an_update_that_was_taken_and_called_busy_all_the_same_is_not_waited_for_in_vain(world: Turmoil) -> None:
    """A stale answer makes us ask for it again, and the endpoint is busy with the first one."""

    def busy(call: str) -> None:
        raise EndpointBusy("Cannot update in-progress endpoint")

    world.strikes.append(Strike("endpoints.update", Moment.AFTER, busy))
    until_phase(world, Phase.PREPARING)

    world.live(20 * 60, lambda: rollout_of(world).phase is not Phase.PREPARING)

    assert rollout_of(world).phase is Phase.REHEARSING


def test_an_alarm_that_loses_the_race_to_record_runs_it_again_at_once(world: Turmoil) -> None:
    """The next delivery would be twelve seconds of bad answers later."""
    until_phase(world, Phase.BAKING, 5000)

    def lost(call: str) -> None:
        raise StaleRecord("somebody else was first")

    world.strikes.append(Strike("store.commit", Moment.BEFORE, lost))

    on_alarm(world.ports, AlarmEvent(GREEN_ERRORS, "ALARM", world.now, "errors"), redelivered=False)

    assert rollout_of(world).is_latched


class TestNeglected:
    """Ticks fail; the sweep looks on."""

    def neglected(self, world: Turmoil) -> None:
        until_phase(world, Phase.BAKING, 5000)
        world.clocks_start = False
        world.executions.clear()

    def test_the_sweep_says_how_long_nobody_looked(self, world: Turmoil) -> None:
        self.neglected(world)
        world.live(5 * 60)

        assert 5 * 60 <= world.sweep().overdue_seconds <= 7 * 60

    def test_it_finishes_ways_back_only_and_no_rollout_that_began_meanwhile(self, world: Turmoil) -> None:
        """It has neither the tick's time nor its permissions."""
        self.neglected(world)
        world.occupy(30 * 60)
        world.live(15 * 60)
        assert rollout_of(world).is_latched
        fresh = begun()[0].store.heads["shop"]

        def began(call: str) -> None:
            world.store.heads["shop"] = fresh

        world.strikes.append(Strike("store.head", Moment.BEFORE, began, nth=2))
        world.sweep()

        assert rollout_of(world).phase is Phase.PENDING


def test_a_list_that_comes_slowly_is_not_all_that_a_sweep_does(world: Turmoil) -> None:
    """Found by the hunt: with the time over before the first endpoint nobody was looked after."""
    until_phase(world, Phase.BAKING, 5000)
    slow = Strike("store.unfinished", Moment.AFTER, lambda _: world.pass_seconds(SWEEP_SECONDS + 2))
    world.strikes.append(slow)

    assert len(world.sweep().sentences) == 1


def test_who_serves_is_told_until_it_is_heard(world: Turmoil) -> None:
    """The champion parameter cannot be written when the rollout ends: nothing else would bring it up to date before the next one."""
    until_phase(world, Phase.SOAKING)
    no_more(world, "mirrors.write")
    until_ended(world)
    world.live(600)
    assert world.mirror["shop"]["rollout"] is not None, "stale: it still names the rollout"
    world.strikes.clear()

    world.live(120)

    assert (world.mirror["shop"]["champion_release"], world.mirror["shop"]["rollout"]) == ("v2", None)
    assert not world.executions, "and then the clock stops"


def test_a_clock_that_outlives_its_stack_tells_nobody_who_serves(world: Turmoil) -> None:
    """`destroy` takes the champion parameter away; a tick that comes after it must not bring it back."""
    until_phase(world, Phase.SOAKING)
    rollout = rollout_of(world)
    until_ended(world)
    settle(world.ports, head_of(world), let_go(head_of(world), Owner("sluice", "test"), world.now), "pulumi", {})
    world.mirror.clear()

    ticked = tick(world.ports, "shop", rollout.id, rollout.clock_generation, 1)

    assert ticked.done
    assert world.mirror == {}
