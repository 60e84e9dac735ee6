"""Taking an endpoint over, starting a rollout, and every reason to refuse one. Refusals are sentences that say what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from sluice.core.actions import StartClock
from sluice.core.conditions import OnBreach, OnNewRelease
from sluice.core.decision import BAKE_SECONDS, Decision, mirror, page, stay, with_clock
from sluice.core.errors import BadInput, Refused
from sluice.core.estimate import estimate, headline
from sluice.core.head import Champion, Head, Submission
from sluice.core.names import rollout_id
from sluice.core.policy import OnInconclusive, Step
from sluice.core.release import Release
from sluice.core.required import required_faults
from sluice.core.revert import roll_back
from sluice.core.rollout import SCHEMA, EndpointSettings, Phase, Rollout, SlotAlarms
from sluice.core.room import need_room
from sluice.core.weights import WHOLE

GENESIS = "0" * 64
"""What the first audit event's hash is chained to."""
_NONCE = re.compile(r"[A-Za-z0-9._-]{1,40}")


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
    _check(submission)
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
    _refuse_quarantined(head, submission, now)
    _refuse_without(head, submission)
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


def like_the_last(head: Head, release: Release, nonce: str, by: str) -> Submission:
    """Another release on the snapshot of the submission before: its policy, alarms and scaling. Raises Refused for the first one."""
    if head.snapshot is None:
        raise Refused(
            f"endpoint {head.endpoint!r}: nothing was ever rolled out here, so policy and alarms are not known. "
            "Set `release` in the stack configuration and run `pulumi up`."
        )
    last = replace(head.snapshot, slots=head.slots, settings=head.settings, instances=head.instances)
    return replace(last, release=release, nonce=nonce, submitted_by=by)


def back_to(head: Head, wanted: str, by: str) -> Submission:
    """What brings a release back that served before: in one step, with nothing in its way but its own proof and the rehearsal.

    `wanted` is its name or the beginning of its digest. Raises Refused when it is not among those that are kept.
    """
    kept = kept_releases(head)
    found = [release for release in kept if wanted == release.name or release.digest.startswith(wanted)]
    if len(found) != 1:
        known = ", ".join(f"{release.name} ({release.short})" for release in kept) or "none"
        why = "more than one kept release is called" if found else "no kept release is called"
        raise Refused(f"endpoint {head.endpoint!r}: {why} {wanted!r} (kept: {known}).{_without_one(head)}")
    usual = like_the_last(head, found[0], f"back-{head.version + 1}", by)
    policy = replace(
        usual.policy,
        steps=(Step(WHOLE, 0, 0, OnInconclusive.HOLD),),
        on_breach=OnBreach.ROLLBACK,
        on_new_release=OnNewRelease.REJECT,
        freeze=(),
    )
    return replace(usual, policy=policy, is_emergency=True)


def kept_releases(head: Head) -> tuple[Release, ...]:
    """Those that `back_to` takes, the last to have served first."""
    stable = (head.live.stable,) if head.live else ()
    kept = {release.digest: release for release in (*stable, *head.previous) if release != head.champion.release}
    return tuple(kept.values())


def _without_one(head: Head) -> str:
    """Whoever wants the live rollout gone needs to name nothing."""
    if head.live is None or head.live.is_latched:
        return ""
    return f" {head.live.release.name} is live: without `--to` it is taken back, and {head.live.stable.name} serves."


def _while_live(head: Head, rollout: Rollout, submission: Submission, now: int) -> Decision:
    """Refused, kept for afterwards, or tried instead. What is promoted serves customers and is not taken back for a newer release."""
    name, wish = submission.release.name, rollout.policy.on_new_release
    if wish is OnNewRelease.REJECT and not submission.is_emergency:
        raise Refused(
            f"endpoint {head.endpoint!r}: rollout {rollout.id} of {rollout.release.name} is live ({rollout.phase.value}). "
            f"Wait for it to end or abort it before submitting {name}."
        )
    _refuse_quarantined(head, submission, now)
    _refuse_without(head, submission)
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


def _check(submission: Submission) -> None:
    faults = []
    if submission.schema != SCHEMA:
        faults.append(
            f"submission.schema: this control plane reads version {SCHEMA}, got {submission.schema}. Run `pulumi up` again"
        )
    if not _NONCE.fullmatch(submission.nonce):
        faults.append(
            f"submission.nonce: must be 1 to 40 letters, digits, dots, dashes or underscores, got {submission.nonce!r}"
        )
    if submission.instances < 1:
        faults.append(f"submission.instances: must be at least 1, got {submission.instances}")
    if submission.rps is not None and not 0 < submission.rps < float("inf"):
        faults.append(f"submission.rps: must be above 0, got {submission.rps}")
    is_stepped = any(step.weight_parts < WHOLE for step in submission.policy.steps)
    if submission.policy.harm_budget is not None and submission.rps is None and is_stepped:
        faults.append(
            "submission.rps: must be given with `harm_budget`, which limits weights by traffic. Set `rps` of the endpoint"
        )
    missing = [slot for slot in submission.slots if slot not in submission.alarms]
    faults += [f"submission.alarms: no alarms for slot {slot!r}" for slot in missing]
    if faults:
        raise BadInput(tuple(faults))


def _refuse_quarantined(head: Head, submission: Submission, now: int) -> None:
    release = submission.release
    for entry in head.quarantine:
        if entry.content == release.content and now < entry.until:
            raise Refused(
                f"endpoint {head.endpoint!r}: {release.name} has the model of {entry.release_name}, which was rolled back "
                f"({entry.cause}) and is quarantined for another {_hours(entry.until - now)}. Fix the model and submit a new release."
            )
    last = head.outcome
    same = last is not None and last.release_digest == release.digest and last.nonce == submission.nonce
    if last is not None and same and last.phase is not Phase.SETTLED:
        raise Refused(
            f"endpoint {head.endpoint!r}: {release.name} was tried already and {last.phase.value}: {last.because}. "
            f"To try it again on purpose, change `nonce` (now {submission.nonce!r})."
        )


def _refuse_without(head: Head, submission: Submission) -> None:
    """What the policy requires of a release; not of one that served before and is wanted back."""
    release = submission.release
    faults = required_faults(submission.policy.required, release, head.champion.release)
    if faults and not submission.is_emergency:
        raise Refused(f"endpoint {head.endpoint!r}: {release.name} is not tried: {'; '.join(faults)}.")


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


def _hours(seconds: int) -> str:
    return f"{max(1, round(seconds / 3600))} h"
