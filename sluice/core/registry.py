"""What the model registry says of a release: whether people approved it, and whether its entry is about this very model.

Asked before a rollout begins and in every look until it ends. A rejection takes the canary back; anything but an approval keeps a
step from beginning. Nothing of it stands in the way of a way back, nor of a release that is brought back in an emergency.
"""

from __future__ import annotations

from collections.abc import Iterator

from sluice.core.head import Submission
from sluice.core.observation import ModelPackage
from sluice.core.release import Release, image_identity
from sluice.core.rollout import Rollout

_APPROVED = "Approved"
_REJECTED = "Rejected"


def entry_asked(tried: Submission | Rollout) -> str | None:
    """The entry that has a say in it; None where there is none, and for a release that served before and is wanted back."""
    return None if tried.is_emergency else tried.release.model_package


def package_faults(release: Release, found: ModelPackage) -> tuple[str, ...]:
    """Why a release may not be rolled out by its registry entry, which it names; empty when it may."""
    unapproved = missing_approval(release, found)
    return (*((unapproved,) if unapproved else ()), *_differences(release, found))


def missing_approval(release: Release, found: ModelPackage) -> str | None:
    """Why nobody's approval is known; None where the entry is approved."""
    if found.status == _APPROVED:
        return None
    entry = f"model package {release.model_package} of {release.name}"
    if found.status is None:
        return f"{entry} cannot be read: {found.note}"
    note = f" ({found.note})" if found.note else ""
    return f"{entry} is {found.status}{note}, not {_APPROVED}: have it approved in the model registry"


def rejection(release: Release, found: ModelPackage | None) -> str | None:
    """That somebody rejected it in the meantime; None where nobody did, or the registry was not asked."""
    if found is None or found.status != _REJECTED:
        return None
    note = f": {found.note}" if found.note else ""
    return f"model package {release.model_package} was rejected in the model registry{note}"


def _differences(release: Release, found: ModelPackage) -> Iterator[str]:
    """An approval is for one archive and one image. What the registry does not say is not compared."""
    entry = f"model package {release.model_package}"
    if found.containers != 1:
        yield f"{entry} has {found.containers} containers, {release.name} is one"
    if found.archive is not None and found.archive != release.artifact.url:
        yield f"{entry} is about {found.archive}, {release.name} is {release.artifact.url}"
    if found.image is not None and "@" in found.image:
        theirs, ours = image_identity(found.image), image_identity(release.image)
        if theirs != ours:
            yield f"{entry} is about image {theirs}, {release.name} has {ours}"


def group_arn(package_arn: str) -> str:
    """The group that a version is in: `...:model-package/triage/3` is in `...:model-package-group/triage`."""
    return package_arn.rpartition("/")[0].replace(":model-package/", ":model-package-group/")


def version_arns(group: str) -> str:
    """All versions of a group, as IAM says it."""
    return group.replace(":model-package-group/", ":model-package/") + "/*"
