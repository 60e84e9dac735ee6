"""Submissions made of what an endpoint's record knows: another release on the snapshot before, and one that served before.

Whether they are tried is decided by `begin`, as for any other.
"""

from __future__ import annotations

from dataclasses import replace

from sluice.core.conditions import OnBreach, OnNewRelease
from sluice.core.errors import Refused
from sluice.core.head import Head, Submission
from sluice.core.policy import OnInconclusive, Step
from sluice.core.release import Release
from sluice.core.weights import WHOLE


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
    found = [release for release in kept if release.is_called(wanted)]
    if len(found) != 1:
        known = ", ".join(f"{release.name} ({release.short})" for release in kept) or "none"
        if not found and head.live is None and head.champion.release.is_called(wanted):
            raise Refused(f"endpoint {head.endpoint!r}: {head.champion.release.name} serves already (kept: {known}).")
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
