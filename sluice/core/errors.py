"""The few error types of Sluice. AWS errors pass untouched; what is raised here is a sentence for a person."""

from __future__ import annotations


class SluiceError(Exception):
    """Base of every error Sluice raises itself. Its text says what, where, what was given and what to do."""


class BadInput(SluiceError):
    """What a person or a program handed in is wrong. Carries every fault found, not just the first."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Refused(SluiceError):
    """The request is well formed but must not happen now (another rollout is live, the release is quarantined ...)."""


class Forbidden(Refused):
    """It must not happen because of who asks. Recorded, unlike a refusal because of how things stand."""


class StaleRecord(SluiceError):
    """The record changed between reading and writing: somebody else decided first. Read again, decide again."""


class UnknownSchema(SluiceError):
    """A stored record has a schema version this code cannot read."""


class EndpointBusy(SluiceError):
    """SageMaker refused a change because the endpoint is being updated. Normal; try again in seconds."""
