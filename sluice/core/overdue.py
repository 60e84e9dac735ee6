"""What the sweep decides: a clock that is gone, a rollout nobody has looked at, a slot whose time is up."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.actions import DeregisterTarget, EnsureConfig, UpdateEndpoint, VariantSpec
from sluice.core.decision import (
    BUSY_SECONDS,
    NOW_SECONDS,
    Decision,
    change,
    duration_text,
    live,
    page,
    stay,
    with_clock,
)
from sluice.core.head import Cleanup, Head
from sluice.core.names import config_name
from sluice.core.observation import Observation
from sluice.core.revert import roll_back

CLEANUP_ATTEMPTS_SECONDS = 90 * 60
"""Retiring a slot that takes longer than this is reported and left alone: it costs money, not safety."""


def blind_seconds(head: Head, good_at: int | None, now: int) -> int:
    """How long nobody has looked at the live rollout with complete facts."""
    return now - max(good_at or 0, live(head).started_at)


def sweep(head: Head, good_at: int | None, now: int, *, clock_runs: bool | None) -> Decision:
    """Go back when blind for too long; give a rollout without a clock a new one; else nothing.

    `clock_runs` None: nobody can say. Then none is replaced, but a way back gets one.
    """
    rollout = live(head)
    blind = blind_seconds(head, good_at, now)
    if blind > rollout.policy.rollback.max_blind_seconds and not rollout.is_latched:
        cause = f"nobody could look at it for {duration_text(blind)} (max_blind {duration_text(rollout.policy.rollback.max_blind_seconds)})"
        decided = roll_back(head, now, "sweep", cause, harmful=False)
        return decided if clock_runs else with_clock(decided)
    if clock_runs is False:
        return with_clock(change(head, "clock_restarted", rollout.because, NOW_SECONDS))
    return stay(head, f"{rollout.id}: last complete look {duration_text(blind)} ago", BUSY_SECONDS)


def is_due(head: Head, now: int) -> bool:
    """Whether a slot's time is up."""
    return head.cleanup is not None and now >= head.cleanup.due and head.live is None


def clean_up(head: Head, seen: Observation, now: int) -> Decision:
    """Give up the slot that is due, by moving to a configuration without it; weights and counts of the others are kept."""
    due = head.cleanup
    if due is None or not is_due(head, now):
        return stay(head, "nothing to clean up", BUSY_SECONDS)
    if due.slot not in seen.endpoint.variants:
        return Decision(replace(head, cleanup=None), f"slot {due.slot} is gone", "slot_retired")
    if seen.endpoint.parts.get(due.slot, 0):
        because = f"slot {due.slot} was to be retired but takes traffic: left alone, see who changed the weights"
        return Decision(
            replace(head, cleanup=None),
            because,
            "retire_refused",
            (page(head, f"{head.endpoint}: slot not retired", because),),
        )
    if due.asked_at is not None and now - due.asked_at > CLEANUP_ATTEMPTS_SECONDS:
        because = (
            f"slot {due.slot} could not be retired: endpoint is {seen.endpoint.status}; it still costs its instances"
        )
        return Decision(
            replace(head, cleanup=None),
            because,
            "retire_refused",
            (page(head, f"{head.endpoint}: slot not retired", because),),
        )
    if not seen.endpoint.in_service or seen.configured is None:
        return stay(head, f"retiring {due.slot}: endpoint is {seen.endpoint.status}", BUSY_SECONDS)
    return _retire(head, due, seen, now)


def _retire(head: Head, due: Cleanup, seen: Observation, now: int) -> Decision:
    """Should retention fail, the initial weights leave everything on the champion: a third variant has 0 and keeps it."""
    kept = tuple(
        VariantSpec(
            slot,
            variant.model_name,
            variant.instance_type,
            max(seen.endpoint.variants[slot].desired_instances, 1),
            1 if slot == head.champion.slot else 0,
        )
        for slot, variant in sorted((seen.configured or {}).items())
        if slot != due.slot and slot in seen.endpoint.variants
    )
    name = config_name(head.endpoint, kept, head.settings)
    registered = any(target.slot == due.slot for target in seen.scaling or ())
    gone = (DeregisterTarget(head.endpoint, due.slot),) if registered else ()
    actions = (EnsureConfig(name, kept, head.settings), *gone, UpdateEndpoint(head.endpoint, name))
    after = replace(head, cleanup=replace(due, asked_at=due.asked_at or now))
    return Decision(after, f"retiring slot {due.slot}: configuration {name}", "retiring", actions, BUSY_SECONDS)


def hand_over(head: Head) -> Decision:
    """A clock near the end of its history starts its successor."""
    return with_clock(change(head, "clock_handed_over", live(head).because, NOW_SECONDS))
