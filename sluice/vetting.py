"""What is looked up of a release before anything about it is recorded: its archive, and its entry in the model registry."""

from __future__ import annotations

from sluice.core.head import Submission
from sluice.core.registry import entry_asked, package_faults
from sluice.ports import Ports


def release_faults(ports: Ports, submission: Submission) -> tuple[str, ...]:
    """Why a release cannot be rolled out, in sentences. The registry is not asked about one that served before and is wanted back."""
    release = submission.release
    faults = ports.artifacts.faults(release)
    arn = entry_asked(submission)
    return faults if arn is None else (*faults, *package_faults(release, ports.registry.entry(arn)))
