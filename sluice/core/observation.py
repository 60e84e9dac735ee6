"""The facts a decision is made from. Gathered by `sluice.tick` through its ports; absence is a value here, never a zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sluice.core.rollout import ScalingTarget
from sluice.core.weights import parts_of_shares


@dataclass(frozen=True, slots=True)
class Variant:
    """One production variant as SageMaker describes it. Weights are raw floats, as the API gives them."""

    current_weight: float
    desired_weight: float
    current_instances: int
    desired_instances: int


DELETED = "Deleted"
"""Our word for an endpoint that SageMaker does not know (any more); it has none."""
_LOST = (DELETED, "Failed")
"""Nothing but deleting is possible in `Failed`."""


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """The endpoint at one moment."""

    status: str
    config_name: str
    last_modified_at: int
    failure_reason: str | None
    variants: Mapping[str, Variant]

    @property
    def in_service(self) -> bool:
        return self.status == "InService"

    @property
    def is_lost(self) -> bool:
        return self.status in _LOST

    @property
    def parts(self) -> dict[str, int]:
        """Where traffic goes now, in parts by variant."""
        return parts_of_shares({name: variant.current_weight for name, variant in self.variants.items()})

    @property
    def desired_parts(self) -> dict[str, int]:
        """Where traffic was last asked to go, in parts by variant."""
        return parts_of_shares({name: variant.desired_weight for name, variant in self.variants.items()})

    def serves(self, asked: Mapping[str, int]) -> bool:
        """Whether asked, desired and current weights all agree and nothing is in motion."""
        wanted = {name: asked.get(name, 0) for name in self.variants}
        complete = all(name in self.variants for name, parts in asked.items() if parts)
        return self.in_service and complete and self.parts == self.desired_parts == wanted


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """One alarm's state, or its absence (`state` None: the alarm does not exist)."""

    name: str
    state: str | None
    since: int
    evaluation_state: str | None = None

    @property
    def is_firing(self) -> bool:
        return self.state == "ALARM"

    @property
    def can_judge(self) -> bool:
        """A missing alarm, or one CloudWatch says it cannot evaluate, judges nothing."""
        return self.state is not None and not (self.evaluation_state or "").startswith("EVALUATION_")


@dataclass(frozen=True, slots=True)
class Counts:
    """Events among trials in one minute on one slot."""

    trials: float
    events: float


@dataclass(frozen=True, slots=True)
class Tail:
    """How many of a minute's requests were slower than some thresholds, by `threshold_name`.

    `answered` is set where an application's histogram counted them: so many requests were answered, as CloudWatch counts them.
    """

    trials: float
    over: Mapping[str, float]
    answered: float | None = None


@dataclass(frozen=True, slots=True)
class Moments:
    """Observations of one minute on one slot: how many, their total, the total of their squares."""

    count: float
    sum: float
    sumsq: float


def threshold_name(quantile: str, factor: float) -> str:
    """`p90x1.3`: 1.3 times stable's p90 of the hour before the rollout."""
    return f"{quantile}x{factor:.12g}"


@dataclass(frozen=True, slots=True)
class SlotMinute:
    """What one slot showed in one minute. A metric that CloudWatch has no data for is absent from the mappings.

    `segments` are the counts of a rate by each value of its dimension; `p90_us` is for people, the judge does not read it.
    """

    rates: Mapping[str, Counts] = field(default_factory=dict)
    tails: Mapping[str, Tail] = field(default_factory=dict)
    means: Mapping[str, Moments] = field(default_factory=dict)
    levels: Mapping[str, float] = field(default_factory=dict)
    segments: Mapping[str, Mapping[str, Counts]] = field(default_factory=dict)
    p90_us: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One complete minute, both slots. `at` is the minute's start, `step` the step whose weight was asked for by its end.

    `canary_parts` is the weight that was live from its first to its last second, None where that is not known; `is_change`
    says that it changed within the minute. `faults` name what was reported and is no measurement.
    """

    at: int
    canary: SlotMinute
    stable: SlotMinute
    step: int = 0
    canary_parts: int | None = None
    is_change: bool = False
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfiguredVariant:
    """One variant of the endpoint configuration that is live."""

    model_name: str
    instance_type: str


@dataclass(frozen=True, slots=True)
class SmokeFacts:
    """The release's sample inputs, sent straight to its slot: None means every one was answered."""

    fault: str | None


@dataclass(frozen=True, slots=True)
class ArtifactFacts:
    """Whether the artifacts that serve, and must be able to serve again, are still what their releases say."""

    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelPackage:
    """A release's entry in the model registry. `status` is SageMaker's word, None where the entry could not be read.

    `note` is why it could not be read, else what the person wrote who approved or rejected it. `archive` and `image` are those of
    its only container, None where the registry does not say; `containers` is how many it has.
    """

    status: str | None
    note: str = ""
    containers: int = 1
    archive: str | None = None
    image: str | None = None


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """What a hook came to: whether it agreed, and a text that says what it did. No answer is no agreement."""

    agreed: bool
    text: str


@dataclass(frozen=True, slots=True)
class Observation:
    """All facts of one tick. `None` means not gathered in this phase, because the decision does not need it."""

    endpoint: EndpointFacts
    alarms: Mapping[str, AlarmFacts]
    configured: Mapping[str, ConfiguredVariant] | None = None
    rows: tuple[Row, ...] = ()
    quantiles: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    smoke: SmokeFacts | None = None
    artifacts: ArtifactFacts | None = None
    scaling: tuple[ScalingTarget, ...] | None = None
    hooks: tuple[HookAnswer, ...] | None = None
    package: ModelPackage | None = None
