"""Traffic: how many requests go where, exactly by the weights of the moment, and what CloudWatch hears of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from moto import mock_aws

from sluice.sandbox.cloud.clock import Clock
from sluice.sandbox.hosting.traffic import Load, Traffic, _drawn
from sluice.sandbox.meters import Meters
from sluice.sandbox.watch.series import metric_key
from tests.sandbox.releases import FAILING_ON_NEGATIVES, Account

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PAYLOADS = [b"1,2", b"3,4", b"-5,6"]  # one in three makes v3 fail


@dataclass
class World:
    clock: Clock
    account: Account
    meters: Meters

    def metric(
        self, name: str, slot: str, statistic: str, minute: datetime, namespace: str = "AWS/SageMaker"
    ) -> float | None:
        key = metric_key(namespace, name, {"EndpointName": "fraud", "VariantName": slot})
        start = int(minute.timestamp())
        return self.meters.store.points(key, statistic, 60, start, start + 60).get(start)

    def traffic(self, rate: float = 600.0, *, steady: bool = True) -> Traffic:
        traffic = self.meters.traffic("fraud", Load(rate, PAYLOADS, steady=steady))
        traffic.start()
        return traffic


@pytest.fixture
def world() -> Iterator[World]:
    """Endpoint fraud in service since 12:05 with blue (good) at weight 1 and green (fails on some) at 0."""
    with Clock(NOON) as clock, mock_aws():
        yield from _world(clock)


def _world(clock: Clock) -> Iterator[World]:
    meters = Meters(clock, lambda event: None)
    account = Account()
    account.model("v1")
    account.model("v3", FAILING_ON_NEGATIVES)
    account.config("both", {"blue": ("v1", 1.0), "green": ("v3", 0.0)})
    account.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="both")
    clock.run_for(300)
    yield World(clock, account, meters)
    meters.close()


def test_all_traffic_goes_to_the_only_slot_with_weight(world: World) -> None:
    traffic = world.traffic()
    world.clock.run_for(120)

    assert traffic.account.slots.keys() == {"blue"}
    assert traffic.account.slots["blue"].requests == 1200
    assert traffic.account.harmed == 0


def test_traffic_is_split_by_weight(world: World) -> None:
    traffic = world.traffic(6000)
    world.account.shift(blue=80, green=20)
    world.clock.run_for(15)
    before = traffic.account.slots["blue"].requests
    world.clock.run_for(600)

    green = traffic.account.slots["green"].requests
    blue = traffic.account.slots["blue"].requests - before
    assert green / (green + blue) == pytest.approx(0.2, abs=0.01)


def test_a_change_of_weights_in_mid_minute_is_exact(world: World) -> None:
    traffic = world.traffic()
    world.clock.run_for(25)
    world.account.shift(blue=0, green=1)  # takes effect 15 s later, at second 40
    world.clock.run_for(35)

    assert traffic.account.slots["blue"].requests == 400
    assert traffic.account.slots["green"].requests == 200


def test_failures_are_counted_with_the_time_of_the_first(world: World) -> None:
    traffic = world.traffic()
    world.account.shift(blue=0, green=1)
    world.clock.run_for(60)

    green = traffic.account.slots["green"]
    assert green.requests == 450
    assert green.errors == pytest.approx(150, abs=35)
    assert traffic.account.harmed == green.errors
    assert traffic.account.models["v3"] == green
    assert green.first_error is not None
    assert timedelta(seconds=15) <= green.first_error - (NOON + timedelta(minutes=5)) < timedelta(seconds=17)


def test_cloudwatch_hears_of_a_minute_once_it_is_over(world: World) -> None:
    world.traffic()
    minute = world.clock.now()
    world.clock.run_for(69)

    assert world.metric("Invocations", "blue", "Sum", minute) is None

    world.clock.run_for(1)

    assert world.metric("Invocations", "blue", "Sum", minute) == 600
    assert world.metric("Invocations", "green", "Sum", minute) is None, "a slot without traffic publishes nothing"


def test_errors_are_zero_or_one_per_request(world: World) -> None:
    traffic = world.traffic()
    world.account.shift(blue=0, green=1)
    world.clock.run_for(60)
    minute = world.clock.now()
    before = traffic.account.slots["green"].errors
    world.clock.run_for(130)
    green = world.metric("Invocation5XXErrors", "green", "Sum", minute)

    assert world.metric("Invocation5XXErrors", "green", "SampleCount", minute) == 600
    assert green == world.metric("InvocationModelErrors", "green", "Sum", minute)
    assert world.metric("Invocation5XXErrors", "green", "Average", minute) == pytest.approx((green or 0) / 600)
    assert world.metric("Invocation4XXErrors", "green", "Sum", minute) == 0
    assert before < before + (green or 0) < traffic.account.slots["green"].errors


def test_the_application_counts_the_answers_it_got_and_the_right_ones_among_them(world: World) -> None:
    truth = [b"9.0", b"21.0", b"never said"]  # v3 triples the sum, and fails on the last payload
    load = Load(600, PAYLOADS, steady=True, truth=truth, outcomes="Shop")
    world.account.shift(blue=0, green=1)
    world.clock.run_for(60)
    traffic = world.meters.traffic("fraud", load)
    traffic.start()
    minute = world.clock.now()
    world.clock.run_for(130)
    failed = world.metric("Invocation5XXErrors", "green", "Sum", minute)
    assert failed is not None
    given = 600 - failed

    assert world.metric("Labelled", "green", "Sum", minute, "Shop") == given
    assert world.metric("Correct", "green", "Sum", minute, "Shop") == given

    traffic.load = replace(load, truth=[b"9.0", b"20.0", b""])
    minute = world.clock.now().replace(second=0)
    world.clock.run_for(130)

    assert world.metric("Correct", "green", "Average", minute + timedelta(minutes=1), "Shop") == pytest.approx(
        0.5, abs=0.1
    )


def test_slots_are_drawn_as_numpy_draws_them() -> None:
    weights = [0.25, 0.0, 0.7, 0.05]
    drawn = _drawn(np.random.default_rng(7), 1000, weights)

    assert drawn.tolist() == np.random.default_rng(7).choice(4, size=1000, p=weights).tolist()


def test_latency_is_in_microseconds(world: World) -> None:
    world.traffic()
    minute = world.clock.now()
    world.clock.run_for(70)

    assert world.metric("ModelLatency", "blue", "p50", minute) == pytest.approx(20_000, rel=0.1)
    assert world.metric("OverheadLatency", "blue", "p50", minute) == pytest.approx(2_000, rel=0.1)
    assert world.metric("ModelLatency", "blue", "SampleCount", minute) == 600


def test_traffic_goes_on_while_the_endpoint_is_updated(world: World) -> None:
    traffic = world.traffic()
    world.account.config("next", {"blue": ("v1", 1.0)})
    world.account.sagemaker.update_endpoint(EndpointName="fraud", EndpointConfigName="next")
    world.clock.run_for(900)

    assert traffic.account.slots["blue"].requests == 9000
    assert traffic.account.unserved == 0


def test_requests_to_an_endpoint_that_serves_nothing_are_harmed(world: World) -> None:
    traffic = world.traffic()
    world.clock.run_for(60)
    world.account.sagemaker.delete_endpoint(EndpointName="fraud")
    world.clock.run_for(60)

    assert (traffic.account.unserved, traffic.account.harmed, traffic.account.requests) == (600, 600, 1200)


def test_stopped_traffic_is_accounted_for_up_to_the_second(world: World) -> None:
    traffic = world.traffic()
    world.clock.run_for(90)
    traffic.stop()
    world.clock.run_for(600)

    assert traffic.account.requests == 900


def test_the_same_seed_gives_the_same_day() -> None:
    def day() -> tuple[object, ...]:
        with Clock(NOON) as clock, mock_aws():
            for world in _world(clock):
                traffic = world.traffic(steady=False)
                world.account.shift(blue=70, green=30)
                clock.run_for(900)
                minute = NOON + timedelta(minutes=15)
                p99 = world.metric("ModelLatency", "green", "p99", minute)
        return traffic.account.slots, traffic.account.harmed, p99

    assert day() == day()


def test_a_load_without_payloads_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one payload"):
        Load(60, [])
