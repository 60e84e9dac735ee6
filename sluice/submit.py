"""What `pulumi up` and `pulumi destroy` ask of the control plane: take over, submit, guard. Faults are sentences that fail the run."""

from __future__ import annotations

from sluice.apply import settle
from sluice.core import revision
from sluice.core.adoption import adoption_faults
from sluice.core.begin import Submission, adopted, begin
from sluice.core.decision import Decision, mirror
from sluice.core.errors import BadInput, Refused, StaleRecord
from sluice.core.release import Release
from sluice.core.rollout import EndpointSettings, Head
from sluice.core.weights import WHOLE
from sluice.ports import Ports


def adopt(
    ports: Ports,
    endpoint: str,
    slots: tuple[str, ...],
    settings: EndpointSettings,
    instances: int = 1,
    said: Release | None = None,
) -> str:
    """Make the first record of an endpoint from what it serves. Moves no weight; a second call changes nothing.

    `said` is given for an endpoint that somebody else made: the release it is claimed to serve, checked against what it does.
    """
    head = ports.store.head(endpoint)
    if head is not None:
        return f"endpoint {endpoint!r} is known already: {head.champion.release.name} serves from {head.champion.slot}"
    if said is not None:
        _check_adoption(ports, endpoint, slots, settings, instances, said)
    facts = ports.endpoints.describe(endpoint)
    serving = [slot for slot, parts in facts.parts.items() if parts == WHOLE]
    if len(serving) != 1:
        shown = ", ".join(f"{slot} {parts / 100:g} %" for slot, parts in sorted(facts.parts.items()))
        shown = shown or f"none (it is {facts.status})"
        raise BadInput(
            (f"endpoint {endpoint!r} must serve everything from one variant to be taken over, but has {shown}",)
        )
    release = said or ports.endpoints.release_of(facts.config_name)
    first = adopted(endpoint, slots, settings, release, serving[0], instances)
    because = f"took over endpoint {endpoint}: {release.name} serves from {serving[0]}"
    settle(ports, None, Decision(first, because, "adopted", (mirror(first),)), "pulumi", {"config": facts.config_name})
    return because


def _check_adoption(
    ports: Ports, endpoint: str, slots: tuple[str, ...], settings: EndpointSettings, instances: int, said: Release
) -> None:
    """Also that the archive is there with its checksum: without it the first rollout could not be prepared."""
    found = ports.endpoints.found(endpoint)
    faults = adoption_faults(endpoint, found, slots, settings, instances, said) or tuple(
        f"endpoint {endpoint!r} cannot be adopted: {fault}" for fault in ports.artifacts.faults(said)
    )
    if faults:
        raise BadInput(faults)


def submit(ports: Ports, submission: Submission) -> str:
    """Start the rollout of a release, or say why not (BadInput, Refused). The same submission twice is one rollout."""
    head = ports.store.head(submission.endpoint)
    if head is None:
        raise Refused(f"endpoint {submission.endpoint!r} has no record: `adopt` has not run. Run `pulumi up` again.")
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
    head = ports.store.head(endpoint)
    if head is None:
        raise Refused(f"endpoint {endpoint!r} has no record: `adopt` has not run. Run `pulumi up` again.")
    decision = revision.revise(head, instances, settings, ports.now())
    try:
        settle(ports, head, decision, "pulumi", {"instances": instances})
    except StaleRecord:
        return revise(ports, endpoint, instances, settings)
    return decision.because


def guard(ports: Ports) -> str:
    """Refuse to destroy a stack in which a rollout is live."""
    heads = [ports.store.head(endpoint) for endpoint in ports.store.unfinished()]
    rollouts = [head.live for head in heads if head is not None and head.live is not None]
    if rollouts:
        shown = ", ".join(f"{rollout.id} ({rollout.phase.value})" for rollout in rollouts)
        raise Refused(
            f"the stack cannot be destroyed while rollouts are live: {shown}. Abort them or wait for them to end."
        )
    return "no rollout is live"


def _check_world(ports: Ports, head: Head, submission: Submission) -> None:
    """What a rollout needs must be there before anything is recorded."""
    faults = list(ports.artifacts.faults(submission.release))
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
