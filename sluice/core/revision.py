"""Instance counts and endpoint settings change without a release: what `pulumi up` asked for, and when it is carried out.

`up` only records. A count is carried out by the sweep, on the champion's slot and with weights untouched, once no rollout is
live. Settings take part in the next configuration that is made anyway (the next rollout, or a slot given up): a configuration
update for them alone would rebuild the fleet, bill it twice, and keep a rollback waiting for minutes.
"""

from __future__ import annotations

from dataclasses import replace

from sluice.core.actions import SetInstances
from sluice.core.decision import BUSY_SECONDS, Decision, duration_text, page, stay
from sluice.core.errors import BadInput
from sluice.core.head import Head, Revision
from sluice.core.observation import Observation
from sluice.core.rollout import EndpointSettings

CAPACITY_SECONDS = 90 * 60
"""New instances take 5 to 30 minutes; three times that means they are not coming. The same measure as for a new fleet."""


def revise(head: Head, instances: int, settings: EndpointSettings, now: int) -> Decision:
    """Record what was asked for; nothing when it was asked for before. Raises BadInput for a count below 1."""
    if instances < 1:
        raise BadInput((f"revision.instances: must be at least 1, got {instances}",))
    said = []
    if settings != head.settings:
        said.append("new endpoint settings, used by the next configuration")
    if instances != head.instances:
        until = f"once rollout {head.live.id} has ended" if head.live else "within minutes"
        said.append(f"{instances} instances instead of {head.instances}, {until}")
    if not said:
        return stay(
            head, f"endpoint {head.endpoint!r}: instance count and settings are what was asked for before", BUSY_SECONDS
        )
    revision = Revision(instances, None) if instances != head.instances else head.revision
    after = replace(head, instances=instances, settings=settings, revision=revision)
    return Decision(after, f"endpoint {head.endpoint!r} was revised: {'; '.join(said)}", "revised")


def carry_out(head: Head, revision: Revision, seen: Observation, now: int) -> Decision:
    """Bring the champion's slot to the count asked for. Between rollouts only: the call keeps the endpoint busy for minutes."""
    slot, wanted = head.champion.slot, revision.instances
    variant = seen.endpoint.variants.get(slot)
    if variant is None:
        return _drop(head, f"slot {slot} is not on the endpoint, so it cannot have {wanted} instances")
    has = f"slot {slot} has {variant.current_instances} of {wanted} instances"
    if seen.endpoint.in_service and variant.desired_instances == variant.current_instances == wanted:
        return Decision(replace(head, revision=None), f"revision carried out: {has}", "revision_done")
    if revision.called_at is not None and now - revision.called_at > CAPACITY_SECONDS:
        return _drop(
            head, f"{has} after {duration_text(CAPACITY_SECONDS)}: {seen.endpoint.failure_reason or 'no reason given'}"
        )
    if not seen.endpoint.in_service:
        return stay(head, f"{has}: endpoint is {seen.endpoint.status}", BUSY_SECONDS)
    call = SetInstances(head.endpoint, slot, wanted)
    if revision.called_at is not None:
        return stay(head, f"{has}: asking again", BUSY_SECONDS, call)
    called = replace(head, revision=replace(revision, called_at=now))
    return Decision(called, f"{has}: asking for them", "revising", (call,), BUSY_SECONDS)


def _drop(head: Head, because: str) -> Decision:
    told = page(head, f"{head.endpoint}: revision not carried out", because)
    return Decision(replace(head, revision=None), because, "revision_failed", (told,))
