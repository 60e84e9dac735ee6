"""Taking an endpoint over, and starting a rollout: at once, after the live one, or in its place.

What is not tried at all is decided by `admission`; what a release that served before is submitted with, by `resubmission`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sluice.core.actions import StartClock
from sluice.core.admission import admit, check
from sluice.core.conditions import OnNewRelease
from sluice.core.decision import BAKE_SECONDS, Decision, mirror, page, stay, with_clock
from sluice.core.errors import BadInput, Refused
from sluice.core.estimate import estimate, headline
from sluice.core.head import Champion, Head, Submission
from sluice.core.names import rollout_id
from sluice.core.release import Release
from sluice.core.revert import roll_back
from sluice.core.rollout import SCHEMA, EndpointSettings, Phase, Rollout, SlotAlarms
from sluice.core.room import need_room

GENESIS = "0" * 64
"""What the first audit event's hash is chained to."""


def adopted(
    endpoint: str,
    slots: tuple[str, ...],
    settings: EndpointSettings,
    release: Release,
    serving: str,
    instances: int = 1,
    *,
    theirs: bool = False,
) -> Head:
    """The first record of an endpoint: `release` is champion in the slot that serves. Raises BadInput for an unknown slot."""
    if serving not in slots:
        declared = ", ".join(slots)
        raise BadInput(
            (
                f"endpoint {endpoint!r} serves from variant {serving!r}, which is not one of its slots ({declared}). "
                "Set `slots` to name it.",
            )
        )
    champion = Champion(serving, release)
    return Head(
        schema=SCHEMA,
        endpoint=endpoint,
        slots=slots,
        settings=settings,
        instances=instances,
        champion=champion,
        previous=(),
        live=None,
        outcome=None,
        quarantine=(),
        cleanup=None,
        revision=None,
        scaling=(),
        let_go_at=None,
        theirs=theirs,
        version=0,
        chain=GENESIS,
    )


def begin(head: Head, submission: Submission, now: int) -> Decision:
    """A new rollout, the live one again when it is the same submission, or nothing when the release serves already.

    While another rollout is live its policy says whether this one is refused, waits, or takes its place. Raises Refused for
    that and for a quarantined release, BadInput when the submission is malformed.
    """
    check(submission)
    release = submission.release
    rollout = head.live
    if rollout is not None:
        if rollout.release.digest == release.digest and rollout.nonce == submission.nonce:
            return stay(
                head, f"rollout {rollout.id} of {release.name} is live already: {rollout.phase.value}", BAKE_SECONDS
            )
        return _while_live(head, rollout, submission, now)
    if head.champion.release.digest == release.digest:
        return stay(head, f"{release.name} serves already in {head.champion.slot}", BAKE_SECONDS)
    admit(head, submission, now)
    return _start(head, submission, now)


def begin_queued(head: Head, now: int) -> Decision:
    """What waited for the rollout before it to end; dropped, and told, if it must not be tried any more."""
    submission = head.queued
    if submission is None:
        return stay(head, "nothing is queued", BAKE_SECONDS)
    taken = replace(head, queued=None)
    try:
        decided = begin(taken, submission, now)
    except (Refused, BadInput) as fault:
        told = page(head, f"{head.endpoint}: queued release dropped", str(fault))
        return Decision(taken, f"{submission.release.name} waited and is dropped: {fault}", "queue_dropped", (told,))
    return decided if decided.kind else replace(decided, kind="queue_dropped")


def _while_live(head: Head, rollout: Rollout, submission: Submission, now: int) -> Decision:
    """Refused, kept for afterwards, or tried instead. What is promoted serves customers and is not taken back for a newer release."""
    name, wish = submission.release.name, rollout.policy.on_new_release
    if wish is OnNewRelease.REJECT and not submission.is_emergency:
        raise Refused(
            f"endpoint {head.endpoint!r}: rollout {rollout.id} of {rollout.release.name} is live ({rollout.phase.value}). "
            f"Wait for it to end or abort it before submitting {name}."
        )
    admit(head, submission, now)
    before = head.queued
    if before is not None and (before.release.digest, before.nonce) == (submission.release.digest, submission.nonce):
        return stay(head, f"{name} waits already for rollout {rollout.id} to end", BAKE_SECONDS)
    queued = replace(head, queued=submission)
    need_room(queued, submission)
    promoted = head.champion.slot == rollout.to_slot
    waits = wish is not OnNewRelease.SUPERSEDE or promoted
    if rollout.is_latched or (waits and not submission.is_emergency):
        because = f"{name} waits until rollout {rollout.id} of {rollout.release.name} has ended"
        return Decision(queued, because, "queued", (), BAKE_SECONDS)
    cause = f"{submission.submitted_by} wants {name} back" if submission.is_emergency else f"superseded by {name}"
    return with_clock(roll_back(queued, now, submission.submitted_by, cause, harmful=submission.is_emergency))


def _start(head: Head, submission: Submission, now: int) -> Decision:
    release, endpoint = submission.release, head.endpoint
    to_slot = next(slot for slot in submission.slots if slot != head.champion.slot)
    because = f"{release.name} was submitted against {head.champion.release.name}: {head.champion.slot} to {to_slot}"
    forecast = estimate(submission.policy, submission.rps) if submission.rps is not None else None
    if forecast is not None:
        because = f"{because}; forecast: {headline(forecast)}"
    rollout = Rollout(
        id=rollout_id(endpoint, release, head.version + 1),
        endpoint=endpoint,
        release=release,
        stable=head.champion.release,
        from_slot=head.champion.slot,
        to_slot=to_slot,
        policy=submission.policy,
        alarms=_alarms(head, submission),
        fallback=submission.fallback,
        settings=submission.settings,
        instances=submission.instances,
        scaling=submission.scaling,
        nonce=submission.nonce,
        started_at=now,
        phase=Phase.PENDING,
        phase_since=now,
        step=-1,
        canary_parts=0,
        call_before=None,
        applied_at=None,
        first_exposure_at=None,
        shifts=(),
        quantiles={},
        incident_since=None,
        prepared=None,
        rehearsal=None,
        latch=None,
        forecast=forecast,
        clock_generation=1,
        because=because,
        submitted_by=submission.submitted_by,
        is_emergency=submission.is_emergency,
    )
    after = replace(head, live=rollout, slots=submission.slots, settings=submission.settings, cleanup=None, drill=None)
    if not submission.is_emergency:
        after = replace(after, snapshot=submission)
    if head.revision is not None:  # its time to be carried out starts over when the rollout has ended
        after = replace(after, revision=replace(head.revision, called_at=None))
    need_room(after, submission)
    clock = StartClock(endpoint, rollout.id, rollout.clock_name)
    return Decision(after, because, "submitted", (clock, mirror(after)))


def _alarms(head: Head, submission: Submission) -> Mapping[str, SlotAlarms]:
    """A fallback slot that serves has no alarms: what comes after it is judged against it by the tick."""
    return {head.champion.slot: SlotAlarms((), ()), **submission.alarms}
