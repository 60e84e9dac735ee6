"""Every reason not to try a release, whatever is live: a malformed submission, a quarantine, a bar it does not meet.

Refusals are sentences that say what to do. What a live rollout means for it is left to `begin`, its archive and
its registry entry to `vetting`.
"""

from __future__ import annotations

import re

from sluice.core.errors import BadInput, Refused
from sluice.core.head import Head, Submission
from sluice.core.required import required_faults
from sluice.core.rollout import SCHEMA, Phase
from sluice.core.weights import WHOLE

_NONCE = re.compile(r"[A-Za-z0-9._-]{1,40}")


def check(submission: Submission) -> None:
    """Raises BadInput with every fault of a malformed submission."""
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


def admit(head: Head, submission: Submission, now: int) -> None:
    """Raises Refused for a quarantined release, one that failed before, and one that lacks what the policy requires of it."""
    _refuse_quarantined(head, submission, now)
    _refuse_without(head, submission)


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


def _hours(seconds: int) -> str:
    return f"{max(1, round(seconds / 3600))} h"
