"""How the control plane's answer to `status` is read, and what the person who runs `pulumi up` is told about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sluice.core.estimate import estimate, headline, warnings
from sluice.core.head import Outcome
from sluice.core.record import decode
from sluice.core.release import Release
from sluice.core.rollout import Phase
from sluice.core.weights import percent_text
from sluice.schema import EndpointSpec


class Weight(StrEnum):
    """How loud a remark is: an `info` needs nobody, a `warning` needs a decision."""

    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Trying:
    """The live rollout."""

    release: str
    digest: str
    phase: str
    canary_parts: int
    because: str


@dataclass(frozen=True, slots=True)
class Status:
    """What serves, what is being tried, how the last rollout ended."""

    live_release: str
    live_digest: str
    rollout: Trying | None
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence about one endpoint."""

    weight: Weight
    sentence: str


def read_status(answer: str) -> Status:
    """The command function's answer; keys that only people read are left out."""
    found: dict[str, Any] = json.loads(answer)
    rollout, outcome = found["rollout"], found["last_outcome"]
    return Status(
        live_release=found["live"]["release"],
        live_digest=found["live"]["digest"],
        rollout=Trying(**{field: rollout[field] for field in Trying.__slots__}) if rollout else None,
        outcome=decode(Outcome, outcome, "last_outcome") if outcome else None,
    )


def remark(endpoint: str, desired: Release, nonce: str, status: Status) -> Remark | None:
    """What to say when what serves is not what the configuration asks for; None when there is nothing to say."""
    rollout = status.rollout
    if rollout is not None and rollout.digest == desired.digest:
        share = f"{rollout.phase}, {percent_text(rollout.canary_parts)}"
        return Remark(Weight.INFO, f"{endpoint}: {desired.name} is being rolled out ({share}): {rollout.because}")
    if rollout is not None:
        return Remark(
            Weight.WARNING,
            f"{endpoint}: {rollout.release} is being rolled out ({rollout.phase}) but the configuration asks for {desired.name}. "
            "Wait for it to end or abort it, then change `nonce` and run `pulumi up` again.",
        )
    if status.live_digest == desired.digest:
        return None
    return _not_live(endpoint, desired, nonce, status)


def forecast_remarks(spec: EndpointSpec) -> tuple[Remark, ...]:
    """What the policy can prove with the traffic that is expected, and a warning for each step that can prove nothing."""
    foreseen = estimate(spec.policy, spec.rps) if spec.rps is not None else None
    if foreseen is None:
        return ()
    said = Remark(Weight.INFO, f"{spec.endpoint_name}: {headline(foreseen)}")
    vain = (Remark(Weight.WARNING, f"{spec.endpoint_name}: {line}") for line in warnings(spec.policy, foreseen))
    return (said, *vain)


def _not_live(endpoint: str, desired: Release, nonce: str, status: Status) -> Remark:
    outcome, live = status.outcome, status.live_release
    if outcome is not None and outcome.release_digest == desired.digest and outcome.phase is not Phase.SETTLED:
        return Remark(
            Weight.WARNING,
            f"{endpoint}: {live} serves, because {desired.name} ended as {outcome.phase.value}: {outcome.because}. "
            f"Set `release` to a fixed one or back to {live}; to try {desired.name} again on purpose, change `nonce` (now {nonce!r}).",
        )
    return Remark(
        Weight.WARNING,
        f"{endpoint}: {live} serves but the configuration asks for {desired.name}, and no rollout is live. "
        f"Set `release` to {live}, or change `nonce` (now {nonce!r}) to submit {desired.name}.",
    )
