"""Before any traffic: the slot, its capacity, its smoke test, and the rehearsal of the rollback path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sluice.core.actions import EnsureConfig, EnsureModel, SetAlarm, SetInstances, UpdateEndpoint, VariantSpec
from sluice.core.ascent import go_up, is_forced
from sluice.core.blame import Blame, attribute
from sluice.core.decision import BUSY_SECONDS, NOW_SECONDS, Decision, change, duration_text, enter, live, stay
from sluice.core.head import Head
from sluice.core.names import config_name, model_name
from sluice.core.observation import ConfiguredVariant, Observation, Variant
from sluice.core.revert import roll_back
from sluice.core.rollout import Phase, Prepared, Rehearsal, Rollout
from sluice.core.scaling import before_update, suspend

PREPARE_SECONDS = 90 * 60
"""A new fleet takes 5 to 30 minutes; three times that means it is not coming."""
REHEARSE_SECONDS = 10 * 60
"""Time for alarms to be OK again after the rehearsal."""


def pending(head: Head, seen: Observation, now: int) -> Decision:
    """The clock ticks: preparation begins."""
    return enter(head, Phase.PREPARING, now, f"preparing {live(head).release.name}", 0)


def preparing(head: Head, seen: Observation, now: int) -> Decision:
    """Bring the release into its slot at weight 0 and prove that it is the release, that it is complete and that it answers."""
    rollout = live(head)
    faults = seen.artifacts.faults if seen.artifacts else ()
    if faults:
        return _give_up(head, now, "; ".join(faults))
    if now - rollout.phase_since > PREPARE_SECONDS:
        return _give_up(
            head,
            now,
            f"the slot was not ready after {duration_text(PREPARE_SECONDS)}: endpoint is {seen.endpoint.status}",
        )
    if not seen.endpoint.in_service:
        return stay(head, f"preparing {rollout.release.name}: endpoint is {seen.endpoint.status}", BUSY_SECONDS)
    prepared = rollout.prepared
    if prepared is not None and seen.endpoint.config_name == prepared.config_name:
        return _prove_slot(head, prepared, seen, now)
    if prepared is None or prepared.update_asked_at is None:
        return suspend(head, seen) or _ask_for_slot(head, seen, now)
    return _not_on_configuration(head, seen, now)


def update_was_refused(head: Head, now: int) -> Decision:
    """The endpoint was busy when the update was asked for: ask again, and do not take the old configuration for a fallback."""
    prepared = live(head).prepared
    asked_again = replace(prepared, update_asked_at=None) if prepared else None
    return change(head, "update_refused", "the endpoint was busy: asking again", BUSY_SECONDS, prepared=asked_again)


def variants_with(
    rollout: Rollout, configured: Mapping[str, ConfiguredVariant], seen: Observation
) -> tuple[VariantSpec, ...]:
    """The configuration to move to: every live slot as it is, and `to_slot` with the new release.

    Retention keeps live weights and counts. Should it fail, the initial weights here leave everything on stable.
    """
    kept = [
        VariantSpec(
            slot,
            variant.model_name,
            variant.instance_type,
            max(seen.endpoint.variants[slot].desired_instances, 1),
            1 if slot == rollout.from_slot else 0,
        )
        for slot, variant in configured.items()
        if slot != rollout.to_slot and slot in seen.endpoint.variants
    ]
    fallback = _fallback_variant(rollout, configured, seen)
    release = rollout.release
    name = model_name(rollout.endpoint, release, rollout.settings)
    added = VariantSpec(rollout.to_slot, name, release.instance_type, rollout.instances, 0)
    others = [variant for variant in kept if fallback is None or variant.slot != fallback.slot]
    return tuple(sorted((*others, added, *([fallback] if fallback else [])), key=lambda variant: variant.slot))


def _fallback_variant(
    rollout: Rollout, configured: Mapping[str, ConfiguredVariant], seen: Observation
) -> VariantSpec | None:
    """The fallback slot where it is missing or holds another release; None where there is none, where it stands, or where it serves."""
    fallback = rollout.fallback
    if fallback is None or fallback.slot == rollout.from_slot:
        return None
    name = model_name(rollout.endpoint, fallback.release, rollout.settings)
    standing = configured.get(fallback.slot)
    if standing is not None and standing.model_name == name and fallback.slot in seen.endpoint.variants:
        return None
    return VariantSpec(fallback.slot, name, fallback.release.instance_type, fallback.instances, 0)


def rehearsing(head: Head, seen: Observation, now: int) -> Decision:
    """Wait for the rollback path's answer; refuse the first step when it is missing, late, or an alarm does not come back."""
    rollout = live(head)
    drill = rollout.rehearsal
    if drill is None:
        return _rehearse(head, rollout, now)
    target = rollout.policy.rollback.target_seconds
    if drill.answered_at is None:
        if now - drill.asked_at > target:
            return _give_up(
                head, now, f"rehearsal failed: the rollback path did not answer within {duration_text(target)}"
            )
        because = f"rehearsing: {drill.alarm} was set off {duration_text(now - drill.asked_at)} ago"
        set_off = seen.alarms.get(drill.alarm)
        again = () if set_off is not None and set_off.is_firing else (_trigger(rollout, drill.alarm),)
        return stay(head, because, NOW_SECONDS, *again)
    seconds = drill.answered_at - drill.asked_at
    if seconds > target:
        return _give_up(head, now, f"rehearsal failed: the rollback path took {seconds} s, target {target} s")
    return _after_rehearsal(head, drill, seen, now)


def _after_rehearsal(head: Head, drill: Rehearsal, seen: Observation, now: int) -> Decision:
    rollout = live(head)
    set_off = seen.alarms.get(drill.alarm)
    if set_off is not None and set_off.is_firing and set_off.since <= (drill.answered_at or now):
        reset = SetAlarm(drill.alarm, "OK", f"rehearsal of {rollout.id} is over", rollout.id)
        return stay(
            head,
            f"rehearsal answered in {(drill.answered_at or now) - drill.asked_at} s: putting the alarm back",
            NOW_SECONDS,
            reset,
        )
    attribution = attribute(rollout, seen.alarms)
    waits = rollout.orders.wait is not None
    if now - rollout.phase_since > REHEARSE_SECONDS and not waits:
        return _give_up(head, now, f"no first step within {duration_text(REHEARSE_SECONDS)}: {attribution.because}")
    if attribution.blame is not Blame.NOBODY and not is_forced(rollout, now):
        return stay(head, f"waiting before the first step: {attribution.because}", BUSY_SECONDS)
    if not seen.endpoint.serves(rollout.weights):
        return stay(head, f"waiting before the first step: endpoint is {seen.endpoint.status}", NOW_SECONDS)
    return go_up(head, seen, now)


def _give_up(head: Head, now: int, cause: str) -> Decision:
    """No traffic was risked, so nobody was harmed and the release is not quarantined."""
    return roll_back(head, now, "tick", cause, harmful=False)


def _ask_for_slot(head: Head, seen: Observation, now: int) -> Decision:
    rollout = live(head)
    if seen.configured is None:
        return stay(head, f"preparing {rollout.release.name}: reading the endpoint's configuration", NOW_SECONDS)
    if rollout.from_slot not in seen.configured or rollout.from_slot not in seen.endpoint.variants:
        found = ", ".join(sorted(seen.endpoint.variants))
        return _give_up(head, now, f"endpoint has no variant {rollout.from_slot!r} (found: {found})")
    if seen.endpoint.parts.get(rollout.to_slot, 0):
        return _give_up(
            head,
            now,
            f"slot {rollout.to_slot} takes {seen.endpoint.parts[rollout.to_slot]} parts of traffic: it is not free",
        )
    stable_model = seen.configured[rollout.from_slot].model_name
    if _is_warm(head, seen.configured):
        because = f"{rollout.release.name} is still warm in {rollout.to_slot}: nothing to build"
        kept = seen.configured[rollout.to_slot].model_name
        warm = Prepared(kept, seen.endpoint.config_name, now, None, stable_model)
        return change(head, "slot_warm", because, NOW_SECONDS, prepared=warm)
    variants = variants_with(rollout, seen.configured, seen)
    name = config_name(rollout.endpoint, variants, rollout.settings)
    model = model_name(rollout.endpoint, rollout.release, rollout.settings)
    prepared = Prepared(model, name, now, None, stable_model)
    because = f"adding {rollout.release.name} as {rollout.to_slot} at 0 %: configuration {name}"
    made = _fallback_model(rollout, variants)
    return change(
        replace(head, standby=None, fallback=rollout.fallback) if made else replace(head, standby=None),
        "slot_asked",
        because,
        BUSY_SECONDS,
        EnsureModel(model, rollout.release, rollout.settings),
        *made,
        EnsureConfig(name, variants, rollout.settings),
        *before_update(head, _instance_type(seen.configured, rollout.to_slot), seen),
        UpdateEndpoint(rollout.endpoint, name),
        prepared=prepared,
    )


def _fallback_model(rollout: Rollout, variants: tuple[VariantSpec, ...]) -> tuple[EnsureModel, ...]:
    """Only for a slot that is made now: one that stands has its model."""
    fallback = rollout.fallback
    if fallback is None or fallback.slot == rollout.from_slot:
        return ()
    name = model_name(rollout.endpoint, fallback.release, rollout.settings)
    made = any(variant.slot == fallback.slot and variant.model_name == name for variant in variants)
    return (EnsureModel(name, fallback.release, rollout.settings),) if made else ()


def _is_warm(head: Head, configured: Mapping[str, ConfiguredVariant]) -> bool:
    """Whether the slot kept the very release that has to come back: seconds then, instead of building it for minutes."""
    rollout, standby = live(head), head.standby
    if not rollout.is_emergency or standby is None or rollout.to_slot not in configured:
        return False
    kept = (standby.slot, standby.release, standby.model_name)
    return kept == (rollout.to_slot, rollout.release, configured[rollout.to_slot].model_name)


def _instance_type(configured: Mapping[str, ConfiguredVariant], slot: str) -> str | None:
    return configured[slot].instance_type if slot in configured else None


def _not_on_configuration(head: Head, seen: Observation, now: int) -> Decision:
    """In service on another configuration: either SageMaker fell back silently, or our call was never made."""
    rollout = live(head)
    prepared = rollout.prepared
    asked_at = prepared.update_asked_at if prepared else None
    if asked_at is not None and seen.endpoint.last_modified_at < asked_at:
        return replace(_ask_for_slot(head, seen, now), because="the update was never made: asking again")
    why = seen.endpoint.failure_reason or "SageMaker gave no reason"
    wanted = prepared.config_name if prepared else "?"
    return _give_up(
        head, now, f"SageMaker fell back to configuration {seen.endpoint.config_name} instead of {wanted}: {why}"
    )


def _prove_slot(head: Head, prepared: Prepared, seen: Observation, now: int) -> Decision:
    rollout = live(head)
    variant = seen.endpoint.variants.get(rollout.to_slot)
    if variant is None or seen.endpoint.parts.get(rollout.to_slot, 0) or not seen.endpoint.serves(rollout.weights):
        return _give_up(
            head, now, f"after the update traffic is at {seen.endpoint.parts}, not all on {rollout.from_slot}"
        )
    if variant.current_instances < rollout.instances:
        return _ask_for_instances(head, rollout.to_slot, variant)
    stable = seen.endpoint.variants[rollout.from_slot]
    if head.scaling and stable.current_instances < rollout.instances:  # nothing scales out until the soak is over
        return _ask_for_instances(head, rollout.from_slot, stable)
    if prepared.smoke_passed_at is None:
        if seen.smoke is None:
            return stay(head, f"preparing {rollout.release.name}: its smoke test comes next", NOW_SECONDS)
        if seen.smoke.fault is not None:
            return _give_up(head, now, f"smoke test failed: {seen.smoke.fault}")
        tested = replace(prepared, smoke_passed_at=now)
        return _rehearse(replace(head, live=replace(rollout, prepared=tested)), rollout, now)
    return _rehearse(head, rollout, now)


def _ask_for_instances(head: Head, slot: str, variant: Variant) -> Decision:
    rollout = live(head)
    because = f"slot {slot} has {variant.current_instances} of {rollout.instances} instances"
    if variant.desired_instances >= rollout.instances:
        return stay(head, because, BUSY_SECONDS)
    return stay(head, because, BUSY_SECONDS, SetInstances(rollout.endpoint, slot, rollout.instances))


def _rehearse(head: Head, rollout: Rollout, now: int) -> Decision:
    """Set the canary's own alarm off at weight 0. It is not latched: the event is marked and the phase says so."""
    alarm = rollout.alarms[rollout.to_slot].relative[0]
    because = f"rehearsing the rollback of {rollout.release.name}: setting off {alarm}"
    drill = Rehearsal(alarm, now, None)
    return enter(head, Phase.REHEARSING, now, because, NOW_SECONDS, _trigger(rollout, alarm), rehearsal=drill)


def _trigger(rollout: Rollout, alarm: str) -> SetAlarm:
    return SetAlarm(alarm, "ALARM", f"Sluice rehearsal of {rollout.id}", rollout.id)
