"""Both slots are bad, says a person: everything goes to the fallback slot, by weights only. No rule of ours ever decides that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sluice.core.actions import SetWeights
from sluice.core.decision import NOW_SECONDS, Decision, duration_text, enter, mirror, page, stay, with_clock
from sluice.core.errors import Refused
from sluice.core.head import Champion, Head, Quarantine, Revision
from sluice.core.observation import EndpointFacts
from sluice.core.policy import Policy
from sluice.core.release import Release
from sluice.core.rollout import Fallback, Latch, Phase, Rollout
from sluice.core.weights import WHOLE

KIND = "fell_back"


def fall_back(head: Head, seen: EndpointFacts, policy: Policy | None, by: str, reason: str, now: int) -> Decision:
    """All traffic to the fallback slot. With a rollout live its latch leads there, so that a raise in flight is undone too.

    `policy` is that of the last rollout, None when there never was one: how long what served stays in quarantine.
    Raises Refused where there is no fallback slot with an instance.
    """
    fallback = _warm(head, seen)
    rollout = head.live
    if rollout is not None and rollout.latch is not None and rollout.latch.to == fallback.slot:
        again = _call(head, rollout, seen)
        return stay(head, f"already falling back: {rollout.because}", NOW_SECONDS, again)
    if rollout is None and head.champion.slot == fallback.slot:
        return stay(head, f"{fallback.release.name} serves from {fallback.slot} already", NOW_SECONDS)
    because = f"falling back to {fallback.release.name} by {by}: {reason}; {_capacity(head, fallback, seen)}"
    if rollout is not None:
        return with_clock(_latched(head, rollout, fallback, seen, by, because, now))
    return _between_rollouts(head, fallback, seen, policy, because, now)


def _warm(head: Head, seen: EndpointFacts) -> Fallback:
    fallback = head.fallback
    if fallback is None:
        raise Refused(
            f"endpoint {head.endpoint!r} has no fallback slot. Roll back, or set `fallback` in the stack configuration: "
            "the next rollout adds the slot."
        )
    variant = seen.variants.get(fallback.slot)
    if variant is None or variant.current_instances < 1:
        raise Refused(
            f"endpoint {head.endpoint!r}: slot {fallback.slot} has no instance yet, so it cannot take any traffic. It is added by "
            "the next rollout; until then `rollback` goes to the other slot."
        )
    if (
        head.live is not None and head.live.from_slot == fallback.slot
    ):  # it serves already, whatever is configured for later
        return replace(fallback, release=head.live.stable)
    return fallback


def _wanted(head: Head, fallback: Fallback, seen: EndpointFacts) -> int:
    """As many instances as the largest of the slots it stands in for."""
    others = [variant.current_instances for slot, variant in seen.variants.items() if slot != fallback.slot]
    return max(head.instances, *others, 1)


def _capacity(head: Head, fallback: Fallback, seen: EndpointFacts) -> str:
    has, wanted = seen.variants[fallback.slot].current_instances, _wanted(head, fallback, seen)
    if has >= wanted:
        return f"it has {has} of {wanted} instances"
    return f"it has {has} of {wanted} instances, so requests may fail for lack of capacity until more have started"


def _call(head: Head, latched: Rollout, seen: EndpointFacts) -> SetWeights:
    """For the slots the endpoint has: while a rollout is prepared its slot may not exist yet."""
    parts = {slot: parts for slot, parts in latched.stable_weights.items() if parts or slot in seen.variants}
    return SetWeights(head.endpoint, parts, None)


def _latched(
    head: Head, rollout: Rollout, fallback: Fallback, seen: EndpointFacts, by: str, because: str, now: int
) -> Decision:
    """Like a rollback, to another slot. What was stable is as bad as the canary: a person says so."""
    latch = Latch(now, by, because, True, None, to=fallback.slot)
    latched = replace(rollout, latch=latch, canary_parts=0)
    call = _call(head, latched, seen)
    decided = enter(head, Phase.ROLLING_BACK, now, because, NOW_SECONDS, call, latch=latch, canary_parts=0)
    bad = (rollout.release, rollout.stable)
    after = _serving(decided.next, fallback, bad, rollout.policy, because, now)
    after = replace(after, revision=Revision(_wanted(head, fallback, seen), None))
    told = page(head, f"{head.endpoint}: falling back to {fallback.release.name}", because)
    return replace(decided, next=after, kind=KIND, actions=(call, mirror(after), told))


def _between_rollouts(
    head: Head, fallback: Fallback, seen: EndpointFacts, policy: Policy | None, because: str, now: int
) -> Decision:
    """Nothing ticks, so nothing would ask again: the call is made first, and what could not be done is not recorded."""
    parts = {**dict.fromkeys(seen.variants, 0), fallback.slot: WHOLE}
    call = SetWeights(head.endpoint, parts, None)
    after = _serving(head, fallback, (head.champion.release,), policy, because, now)
    after = replace(after, revision=Revision(_wanted(head, fallback, seen), None))
    told = page(head, f"{head.endpoint}: falling back to {fallback.release.name}", because)
    return Decision(after, because, KIND, (call, mirror(after), told), NOW_SECONDS, record_after_actions=True)


def _serving(
    head: Head, fallback: Fallback, bad: Iterable[Release], policy: Policy | None, because: str, now: int
) -> Head:
    """The fallback is champion, so that the next rollout starts from its slot."""
    seconds = policy.rollback.cooldown_seconds if policy else 0
    entries = tuple(
        Quarantine(release.content, release.name, now + seconds, f"{because} (for {duration_text(seconds)})")
        for release in bad
        if release.content != fallback.release.content and seconds
    )
    fresh = {entry.content for entry in entries}
    kept = tuple(entry for entry in head.quarantine if entry.until > now and entry.content not in fresh)
    return replace(
        head,
        champion=Champion(fallback.slot, fallback.release),
        quarantine=(*kept, *entries),
        cleanup=None,
    )
