"""What `pulumi up` and `pulumi destroy` ask of the control plane: take over, submit, guard. Faults are sentences that fail the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sluice.apply import settle
from sluice.core import revision
from sluice.core.adoption import adoption_faults
from sluice.core.begin import adopted, begin
from sluice.core.decision import Decision, mirror
from sluice.core.errors import BadInput, Refused, StaleRecord
from sluice.core.head import Head, Submission
from sluice.core.orders import Said
from sluice.core.ownership import Owner, is_foreign, let_go, owner_of
from sluice.core.release import Release
from sluice.core.rollout import EndpointSettings
from sluice.core.weights import WHOLE
from sluice.ports import Ports
from sluice.vetting import release_faults


def adopt(
    ports: Ports,
    endpoint: str,
    slots: tuple[str, ...],
    settings: EndpointSettings,
    instances: int = 1,
    said: Release | None = None,
    *,
    capture_said: bool = True,
) -> str:
    """Make the first record of an endpoint from what it serves. Moves no weight; a second call changes nothing.

    `said` is given for an endpoint that somebody else made: the release it is claimed to serve, checked against what it does.
    """
    head = ports.store.head(endpoint)
    _refuse_foreign(head, settings)
    if head is not None and head.let_go_at is None:
        _refuse_giving_up(head, said)
        return f"endpoint {endpoint!r} is known already: {head.champion.release.name} serves from {head.champion.slot}"
    if said is not None:
        _check_adoption(ports, endpoint, slots, settings, instances, said, capture_said)
    facts = ports.endpoints.describe(endpoint)
    serving = [slot for slot, parts in facts.parts.items() if parts == WHOLE]
    if len(serving) != 1:
        shown = ", ".join(f"{slot} {parts / 100:g} %" for slot, parts in sorted(facts.parts.items()))
        shown = shown or f"none (it is {facts.status})"
        raise BadInput(
            (f"endpoint {endpoint!r} must serve everything from one variant to be taken over, but has {shown}",)
        )
    release = said or ports.endpoints.release_of(facts.config_name)
    first = adopted(endpoint, slots, settings, release, serving[0], instances, theirs=said is not None)
    first = replace(first, stop=_stop_of_the_others(ports))
    because = f"took over endpoint {endpoint}: {release.name} serves from {serving[0]}"
    first = replace(first, version=head.version, chain=head.chain) if head else first
    settle(ports, head, Decision(first, because, "adopted", (mirror(first),)), "pulumi", {"config": facts.config_name})
    return because


def _stop_of_the_others(ports: Ports) -> Said | None:
    """A stop of every endpoint holds for one that comes later, too."""
    heads = [ports.store.head(endpoint) for endpoint in ports.store.endpoints()]
    stops = [head.stop if head else None for head in heads]
    return stops[0] if stops and all(stops) else None


def _check_adoption(
    ports: Ports,
    endpoint: str,
    slots: tuple[str, ...],
    settings: EndpointSettings,
    instances: int,
    said: Release,
    capture_said: bool,
) -> None:
    """Also that the archive is there with its checksum: without it the first rollout could not be prepared."""
    found = ports.endpoints.found(endpoint)
    faults = adoption_faults(endpoint, found, slots, settings, instances, said, capture_said=capture_said) or tuple(
        f"endpoint {endpoint!r} cannot be adopted: {fault}" for fault in ports.artifacts.faults(said)
    )
    if faults:
        raise BadInput(faults)


def submit(ports: Ports, submission: Submission) -> str:
    """Start the rollout of a release, or say why not (BadInput, Refused). The same submission twice is one rollout."""
    head = _head(ports, submission.endpoint)
    _refuse_foreign(head, submission.settings)
    decision = begin(head, submission, ports.now())
    if decision.kind is None:
        return decision.because
    _check_world(ports, head, submission)
    try:
        settle(ports, head, decision, "pulumi", {"digest": submission.release.digest, "nonce": submission.nonce})
    except StaleRecord:
        return submit(ports, submission)
    return decision.because


def revise(ports: Ports, endpoint: str, instances: int, settings: EndpointSettings) -> str:
    """Record instance counts and settings that changed without a release. Changes nothing live: that is the sweep's, later."""
    head = _head(ports, endpoint)
    _refuse_foreign(head, settings)
    decision = revision.revise(head, instances, settings, ports.now())
    try:
        settle(ports, head, decision, "pulumi", {"instances": instances})
    except StaleRecord:
        return revise(ports, endpoint, instances, settings)
    return decision.because


def guard(ports: Ports, owner: Owner, *, control_plane: bool) -> str:
    """Refuse to destroy a stack while a rollout of its own is live, or its control plane while other stacks are served by it."""
    heads = [ports.store.head(endpoint) for endpoint in ports.store.unfinished()]
    own = [head for head in heads if head is not None and not is_foreign(head, owner)]
    rollouts = [head.live for head in own if head.live is not None]
    if rollouts:
        shown = ", ".join(f"{rollout.id} ({rollout.phase.value})" for rollout in rollouts)
        raise Refused(
            f"the stack cannot be destroyed while rollouts are live: {shown}. Abort them or wait for them to end."
        )
    others = sorted(head.endpoint for head in _known(ports) if is_foreign(head, owner)) if control_plane else []
    if others:
        raise Refused(
            f"the stack cannot be destroyed while its control plane serves other stacks' endpoints: {', '.join(others)}. "
            "Without it nothing would take their traffic back. Destroy those stacks first."
        )
    return "no rollout is live"


def made_for(ports: Ports, owner: Owner) -> Mapping[str, str]:
    """How the names begin of the models and configurations made for a stack's endpoints, by endpoint."""
    return {head.endpoint: head.settings.name_root for head in _known(ports) if not is_foreign(head, owner)}


def leave(ports: Ports, owner: Owner) -> None:
    """Let go of every endpoint of a stack that is being destroyed."""
    for head in _known(ports):
        if not is_foreign(head, owner):
            settle(ports, head, let_go(head, owner, ports.now()), "pulumi", {})


def _known(ports: Ports) -> list[Head]:
    heads = [ports.store.head(endpoint) for endpoint in ports.store.endpoints()]
    return [head for head in heads if head is not None and head.let_go_at is None]


def _head(ports: Ports, endpoint: str) -> Head:
    head = ports.store.head(endpoint)
    if head is None or head.let_go_at is not None:
        raise Refused(f"endpoint {endpoint!r} has no record: `adopt` has not run. Run `pulumi up` again.")
    return head


def _refuse_giving_up(head: Head, said: Release | None) -> None:
    """An endpoint of the stack's own that is to be adopted is not the program's resource any more: Pulumi would delete it."""
    if said is not None and not head.theirs:
        raise Refused(
            f"endpoint {head.endpoint!r} was made by this stack: with `adopt: true` Pulumi would delete it. Leave `adopt` out; "
            "to hand the endpoint over, first take it out of the stack's state (`pulumi state delete`), then out of its configuration."
        )


def _refuse_foreign(head: Head | None, settings: EndpointSettings) -> None:
    """Endpoint names are unique in a region, so two stacks that configure one mean the same endpoint."""
    asking = owner_of(settings)
    if head is not None and head.let_go_at is None and asking is not None and is_foreign(head, asking):
        raise Refused(
            f"endpoint {head.endpoint!r} belongs to stack {owner_of(head.settings)}; two stacks cannot release to one endpoint. "
            "Take it out of this stack's `endpoints`, or destroy the other stack first."
        )


def _check_world(ports: Ports, head: Head, submission: Submission) -> None:
    """What a rollout needs must be there before anything is recorded."""
    faults = list(release_faults(ports, submission))
    names = [name for slot in submission.slots for name in _alarm_names(submission, slot)]
    states = ports.alarms.states((*names, *submission.policy.alarms))
    faults += [
        f"alarm {name} does not exist" for name in (*names, *submission.policy.alarms) if states[name].state is None
    ]
    if faults:
        because = "; ".join(faults)
        raise Refused(f"endpoint {head.endpoint!r}: {submission.release.name} cannot be rolled out: {because}")


def _alarm_names(submission: Submission, slot: str) -> tuple[str, ...]:
    alarms = submission.alarms[slot]
    return (*alarms.relative, *alarms.rails)
