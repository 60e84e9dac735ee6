"""Autoscaling is suspended with headroom before anything is built, kept in the record, and given back when nothing is being tried."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core.actions import DeregisterTarget, RegisterTarget, UpdateEndpoint
from sluice.core.decide import decide
from sluice.core.head import Champion, Cleanup, Head
from sluice.core.observation import ConfiguredVariant, EndpointFacts, Variant
from sluice.core.overdue import clean_up
from sluice.core.prepare import preparing
from sluice.core.revert import blocked_seconds
from sluice.core.rollout import SUSPENDED, Latch, Phase, Prepared, ScalingMode, ScalingTarget
from sluice.core.scaling import KEPT_WARNING, restore, suspend
from tests.builders import NOW, head, release, started
from tests.core.facts import CONFIGURED, endpoint, seen

POLICY: dict[str, Any] = {
    "PolicyName": "by-load",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 70.0,
        "CustomizedMetricSpecification": {
            "MetricName": "Load",
            "Dimensions": [{"Name": "VariantName", "Value": "blue"}, {"Name": "Team", "Value": "blue"}],
        },
    },
}
BLUE = ScalingTarget("blue", 1, 8, (), (POLICY,))
GREEN = ScalingTarget("green", 1, 8, ("scheduled",), ())


def held(target: ScalingTarget, least: int = 1) -> ScalingTarget:
    return replace(target, min_instances=least, suspended=SUSPENDED, policies=())


def preparing_head(**changes: Any) -> Head:
    return started(phase=Phase.PREPARING, phase_since=NOW, **changes)


def at(blue: int = 1, green: int | None = None, green_desired: int | None = None, **facts: Any) -> EndpointFacts:
    variants = {"blue": Variant(1, 1, blue, blue)}
    if green is not None:
        variants["green"] = Variant(0, 0, green, green_desired or green)
    return endpoint(variants=variants, **facts)


class TestSuspending:
    def test_what_scales_is_saved_first_and_suspended_with_headroom(self):
        decision = preparing(preparing_head(), seen(at(blue=4), configured=CONFIGURED, scaling=(BLUE, GREEN)), NOW)

        assert decision.kind == "scaling_suspended"
        assert decision.next.scaling == (BLUE, GREEN), "exactly as found"
        assert decision.next.live is not None
        assert decision.next.live.instances == 6, "half as much again as carries the traffic now"
        assert decision.actions == (RegisterTarget("shop", held(BLUE, 6)), RegisterTarget("shop", held(GREEN, 6)))

    def test_headroom_stays_within_what_the_target_allows_but_never_below_what_runs(self):
        def wanted(blue: int, maximum: int) -> int:
            target = replace(BLUE, max_instances=maximum)
            decision = suspend(preparing_head(), seen(at(blue=blue), scaling=(target,)))
            assert decision is not None
            assert decision.next.live is not None
            return decision.next.live.instances

        assert (wanted(4, 5), wanted(4, 3), wanted(4, 100)) == (5, 4, 6)

    def test_without_stables_target_the_count_is_the_submissions(self):
        for facts in (at(blue=4), endpoint(variants={})):
            decision = suspend(preparing_head(instances=2), seen(facts, scaling=(GREEN,)))

            assert decision is not None
            assert decision.next.live is not None
            assert decision.next.live.instances == 2

    def test_a_lost_call_is_repeated_and_the_saved_list_stays(self):
        before = replace(preparing_head(instances=6), scaling=(BLUE,))

        decision = suspend(before, seen(at(blue=4), scaling=(replace(BLUE, min_instances=3),)))

        assert decision is not None
        assert decision.kind is None
        assert decision.next.scaling == (BLUE,)
        assert decision.actions == (RegisterTarget("shop", held(BLUE, 6)),)

    def test_suspended_already_it_goes_on(self):
        before = replace(preparing_head(instances=6), scaling=(BLUE,))
        decision = preparing(before, seen(at(blue=4), configured=CONFIGURED, scaling=(held(BLUE, 6),)), NOW)

        assert decision.kind == "slot_asked"

    def test_suspended_since_the_rollout_before_its_count_is_kept(self):
        before = replace(preparing_head(), scaling=(BLUE,))

        decision = suspend(before, seen(at(blue=6), scaling=(held(BLUE, 6),)))

        assert decision is not None
        assert (decision.kind, decision.next.live.instances) == ("headroom_kept", 6)  # type: ignore[union-attr]
        assert suspend(before, seen(endpoint(variants={}), scaling=())) is None

    def test_without_autoscaling_or_opted_out_nothing_is_touched(self):
        kept = preparing_head(scaling=ScalingMode.KEEP)

        assert suspend(preparing_head(), seen(scaling=())) is None
        assert suspend(kept, seen(scaling=(BLUE,))) is None
        assert "a rollback waiting, for up to 30 min" in KEPT_WARNING

    @pytest.mark.parametrize(("instance_type", "gone"), [("ml.m5.large", False), ("ml.c5.xlarge", True)])
    def test_a_reused_slot_that_changes_its_instance_type_is_deregistered_before_the_update(self, instance_type, gone):
        before = replace(preparing_head(instances=6), scaling=(BLUE, GREEN))
        configured = {**CONFIGURED, "green": ConfiguredVariant("model-v0", instance_type)}

        facts = seen(at(blue=6, green=2), configured=configured, scaling=(held(BLUE, 6), held(GREEN, 6)))
        actions = preparing(before, facts, NOW).actions

        assert (DeregisterTarget("shop", "green") in actions) == gone
        assert isinstance(actions[-1], UpdateEndpoint), "last, when nothing is in its way"


def test_stable_gets_the_headroom_too_before_any_traffic():
    prepared = Prepared("model", "config", NOW, None)
    before = replace(preparing_head(instances=6, prepared=prepared), scaling=(BLUE,))

    decision = preparing(before, seen(at(blue=4, green=6, config_name="config")), NOW)

    assert decision.because == "slot blue has 4 of 6 instances"
    assert [getattr(a, "slot", None) for a in decision.actions] == ["blue"]


class TestRestoring:
    def owed(self, *targets: ScalingTarget, champion: str = "blue") -> Head:
        return replace(head(), scaling=targets, champion=Champion(champion, release("v1")))

    def test_exactly_what_was_saved_comes_back_and_only_then_it_is_forgotten(self):
        owed = self.owed(BLUE, GREEN)

        first = restore(owed, seen(at(6, 6), scaling=(held(BLUE, 6), held(GREEN, 6))))
        second = restore(owed, seen(at(6, 6), scaling=(BLUE, held(GREEN, 6))))
        third = restore(owed, seen(at(6, 6), scaling=(replace(BLUE, policies=({**POLICY, "Default": 1},)), GREEN)))

        assert first.actions == (RegisterTarget("shop", BLUE), RegisterTarget("shop", GREEN))
        assert (first.kind, first.next.scaling) == (None, (BLUE, GREEN))
        assert second.actions == (RegisterTarget("shop", GREEN),)
        assert (third.kind, third.next.scaling, third.actions) == ("scaling_restored", (), ())

    def test_a_lost_scaling_policy_comes_back(self):
        decision = restore(self.owed(BLUE), seen(at(6), scaling=(replace(BLUE, policies=()),)))

        assert decision.actions == (RegisterTarget("shop", BLUE),)

    def test_what_serves_scales_even_if_only_the_other_slot_ever_did(self):
        decision = restore(self.owed(BLUE, champion="green"), seen(at(6, 6), scaling=(held(BLUE, 6),)))

        (blue, green) = decision.actions
        assert blue == RegisterTarget("shop", BLUE)
        assert isinstance(green, RegisterTarget)
        assert (green.target.slot, green.target.min_instances, green.target.max_instances) == ("green", 1, 8)
        tracking = green.target.policies[0]["TargetTrackingScalingPolicyConfiguration"]
        dimensions = tracking["CustomizedMetricSpecification"]["Dimensions"]
        assert dimensions == [{"Name": "VariantName", "Value": "green"}, {"Name": "Team", "Value": "blue"}]

    def test_a_slot_that_was_given_up_is_not_registered_again(self):
        decision = restore(self.owed(BLUE, GREEN), seen(at(6), scaling=(BLUE,)))

        assert decision.kind == "scaling_restored"


@pytest.mark.parametrize("registered", [True, False])
def test_a_retired_slot_is_deregistered_before_it_goes(registered: bool):
    due = replace(head(), cleanup=Cleanup("green", NOW, None))
    facts = seen(at(1, 1), configured=CONFIGURED, scaling=(GREEN,) if registered else ())

    actions = clean_up(due, facts, NOW).actions

    assert (DeregisterTarget("shop", "green") in actions) == registered


def test_how_long_a_rollback_waits_is_known():
    latched = started(phase=Phase.ROLLING_BACK, step=0, latch=Latch(NOW - 90, "alarm", "x", True, None)).live
    assert latched is not None
    busy, free = seen(endpoint(status="Updating")), seen()

    assert blocked_seconds(latched, busy, NOW) == 90
    assert blocked_seconds(latched, free, NOW) == 0
    assert blocked_seconds(replace(latched, step=-1), busy, NOW) == 0, "nothing has to come back"
    assert blocked_seconds(replace(latched, latch=None), busy, NOW) == 0


def test_a_rollback_neither_reads_nor_changes_autoscaling():
    latched = started(phase=Phase.ROLLING_BACK, step=0, latch=Latch(NOW, "alarm", "x", True, None))
    decision = decide(replace(latched, scaling=(BLUE,)), seen(scaling=None), NOW)

    assert not [a for a in decision.actions if isinstance(a, RegisterTarget | DeregisterTarget)]
    assert decision.next.scaling == (BLUE,)
