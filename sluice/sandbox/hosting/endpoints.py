"""SageMaker endpoints in virtual time: what takes how long, and what comes of it.

Decides the life of an endpoint over moto's models and configurations. Shapes are left to `fleet`, what is refused to
`refusals`, containers to `serving`, the wiring into moto to `endpoint_hooks`. Knobs (`occupy`, `fall_back_next`, ...)
make SageMaker's faults.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from moto.sagemaker.models import FakeEndpoint, SageMakerModelBackend

from sluice.sandbox.hosting.builder import RETAINED, Builder
from sluice.sandbox.hosting.fleet import DELETING, FAILED, IN_SERVICE, UPDATING, Fleet, Variant, describe
from sluice.sandbox.hosting.loading import Artifacts, LoadFault
from sluice.sandbox.hosting.refusals import (
    busy,
    missing,
    refuse_all_zero,
    refuse_deployment,
    refuse_exclusions,
    refuse_strangers,
)
from sluice.sandbox.hosting.serving import Route

NO_CAPACITY = (
    "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. "
    "Please retry using a different ML instance type or after some time."
)


class EndpointClock(Protocol):
    def now(self) -> datetime: ...
    def call_after(self, seconds: float, run: Callable[[], None], label: str) -> object: ...


@dataclass(frozen=True, slots=True)
class EndpointTiming:
    """Virtual seconds each operation takes: weights alone are reported to take up to 30 s, fleets 5 to 30 minutes."""

    create: float = 300.0
    update: float = 480.0
    weights: float = 15.0
    counts: float = 360.0
    delete: float = 0.0


@dataclass(slots=True)
class _Faults:
    fall_back: list[str | None] = field(default_factory=list)
    stick_next: bool = False
    stuck: Callable[[], None] | None = None
    starved: bool = False


class Endpoints:
    """Every endpoint of one account and region."""

    def __init__(
        self,
        clock: EndpointClock,
        backend: Callable[[], SageMakerModelBackend],
        artifacts: Artifacts,
        *,
        timing: EndpointTiming = EndpointTiming(),
        seed: int = 0,
    ) -> None:
        self._clock = clock
        self._backend = backend
        self._timing = timing
        self._builder = Builder(clock, backend, artifacts, seed)
        self._fleets: dict[str, Fleet] = {}
        self._faults: dict[str, _Faults] = {}
        self.before_change: list[Callable[[str], None]] = []
        """Called with the endpoint's name just before its routes change: traffic up to now still goes by them."""

    # What SageMaker's API does

    def create(self, endpoint: FakeEndpoint) -> None:
        """CreateEndpoint, after moto has made its record."""
        now = self._clock.now()
        config_name = endpoint.endpoint_config_name
        refuse_all_zero(self._builder.starting_weights(None, config_name, ()))
        fleet = Fleet(endpoint.endpoint_name, endpoint.arn, config_name, now, now, pending_config=config_name)
        self._fleets[fleet.name] = fleet
        self._faults[fleet.name] = _Faults()
        self._after(fleet, self._timing.create, lambda: self._finish_create(fleet))
        self._mirror(fleet)

    def update(
        self,
        name: str,
        config_name: str,
        *,
        retain: bool = False,
        exclude: Sequence[str] = (),
        deployment: Mapping[str, Any] | None = None,
    ) -> str:
        """UpdateEndpoint: everything moves to a new fleet. Returns the endpoint's ARN."""
        fleet = self._idle(name)
        if deployment:
            refuse_deployment(fleet, config_name, self._builder.variant_names(config_name))
        refuse_exclusions(exclude, retain=retain)
        kept = [kind for kind in RETAINED if retain and kind not in exclude]
        refuse_all_zero(self._builder.starting_weights(fleet, config_name, kept))
        self._begin(fleet, config_name)
        self._after(fleet, self._timing.update, lambda: self._finish_update(fleet, config_name, kept))
        return fleet.arn

    def set_weights(self, name: str, desired: Sequence[Mapping[str, Any]]) -> str:
        """UpdateEndpointWeightsAndCapacities. Returns the endpoint's ARN."""
        fleet = self._idle(name)
        refuse_strangers(fleet, desired)
        asked = {str(item["VariantName"]): item for item in desired}
        weights = [_given(asked.get(v.name), "DesiredWeight", v.desired_weight) for v in fleet.variants]
        refuse_all_zero(weights)
        for variant, weight in zip(fleet.variants, weights, strict=True):
            variant.desired_weight = weight
            variant.desired_count = _given(asked.get(variant.name), "DesiredInstanceCount", variant.desired_count)
        with_counts = any(item.get("DesiredInstanceCount") is not None for item in desired)
        self._begin(fleet)
        seconds = self._timing.counts if with_counts else self._timing.weights
        self._after(fleet, seconds, lambda: self._finish_weights(fleet))
        return fleet.arn

    def delete(self, name: str, remove: Callable[[], None]) -> None:
        """DeleteEndpoint; `remove` takes moto's record away once it is gone."""
        fleet = self._fleet(name)
        if fleet.status not in (IN_SERVICE, FAILED):
            raise busy(fleet)
        self._announce(fleet)
        fleet.status, fleet.modified = DELETING, self._clock.now()
        self._mirror(fleet)

        def gone() -> None:
            self._fleets.pop(name, None)
            remove()

        if self._timing.delete:
            self._clock.call_after(self._timing.delete, gone, f"endpoint {name} is deleted")
        else:
            gone()

    def describe(self, name: str) -> dict[str, Any]:
        return describe(self._fleet(name))

    def look(self, name: str) -> dict[str, Any] | None:
        """The same, None where there is no such endpoint."""
        fleet = self._fleets.get(name)
        return None if fleet is None else describe(fleet)

    def configs_in_use(self) -> frozenset[str]:
        """The configurations some endpoint is on, or on its way to."""
        used = [(fleet.config_name, fleet.pending_config) for fleet in self._fleets.values()]
        return frozenset(name for pair in used for name in pair if name)

    def models_in_use(self) -> frozenset[str]:
        """The models of those configurations."""
        configs = self._backend().endpoint_configs
        found = [configs[name].production_variants for name in self.configs_in_use() if name in configs]
        return frozenset(variant["ModelName"] for variants in found for variant in variants)

    def routes(self, name: str) -> list[Route]:
        """Where traffic goes: by current weight, also while an update runs."""
        fleet = self._fleets.get(name)
        if fleet is None or fleet.status == DELETING:
            return []
        return [Route(variant.name, variant.current_weight, variant.container) for variant in fleet.variants]

    # Knobs

    def occupy(self, name: str, seconds: float, status: str = UPDATING) -> None:
        """Keep an endpoint busy, as autoscaling (Updating) or maintenance (SystemUpdating) does."""
        fleet = self._idle(name)
        self._begin(fleet, status=status)
        self._after(fleet, seconds, lambda: self._settle(fleet))

    def fall_back_next(self, name: str, reason: str | None = None) -> None:
        """Let the next UpdateEndpoint end InService on the old configuration, with or without FailureReason."""
        self._faults[name].fall_back.append(reason)

    def stick_next(self, name: str) -> None:
        """Let the next operation stay Updating until `unstick`."""
        self._faults[name].stick_next = True

    def unstick(self, name: str) -> None:
        """Let the stuck operation end as it would have."""
        stuck, self._faults[name].stuck = self._faults[name].stuck, None
        if stuck is not None:
            stuck()

    def starve(self, name: str, starved: bool = True) -> None:
        """Give no new instances: counts do not rise, new fleets do not come."""
        self._faults[name].starved = starved

    def break_slot(self, name: str, slot: str, fault: str | None) -> None:
        """Let a slot's container answer every request with this error; None repairs it. A new fleet starts unbroken."""
        self._announce(self._fleet(name))
        self._variant(name, slot).container.broken = fault

    def lose_instances(self, name: str, slot: str, left: int) -> None:
        """Instances of a slot fail and are not replaced."""
        self._variant(name, slot).current_count = left

    def change_in_console(self, name: str, weights: Mapping[str, float]) -> None:
        """A person's own change of weights; busy endpoints refuse it like any other."""
        self.set_weights(name, [{"VariantName": slot, "DesiredWeight": weight} for slot, weight in weights.items()])

    # How operations end

    def _finish_create(self, fleet: Fleet) -> None:
        try:
            variants = self._builder.build(fleet, fleet.config_name, ())
        except LoadFault as fault:
            fleet.status, fleet.failure_reason = FAILED, str(fault)
            self._mirror(fleet)
            return
        self._install(fleet, fleet.config_name, variants)

    def _finish_update(self, fleet: Fleet, config_name: str, kept: Sequence[str]) -> None:
        faults = self._faults[fleet.name]
        if faults.fall_back:
            self._settle(fleet, faults.fall_back.pop(0))
        elif faults.starved:
            self._settle(fleet, NO_CAPACITY)
        else:
            try:
                variants = self._builder.build(fleet, config_name, kept)
            except LoadFault as fault:
                self._settle(fleet, str(fault))
                return
            self._install(fleet, config_name, variants)

    def _finish_weights(self, fleet: Fleet) -> None:
        starved = self._faults[fleet.name].starved
        self._announce(fleet)
        for variant in fleet.variants:
            variant.current_weight = variant.desired_weight
            if not (starved and variant.desired_count > variant.current_count):
                variant.current_count = variant.desired_count
        short = any(variant.current_count != variant.desired_count for variant in fleet.variants)
        self._settle(fleet, NO_CAPACITY if short else None)

    def _install(self, fleet: Fleet, config_name: str, variants: list[Variant]) -> None:
        self._announce(fleet)
        fleet.variants, fleet.config_name = variants, config_name
        fleet.data_capture = self._builder.data_capture(config_name)
        self._settle(fleet)

    def _settle(self, fleet: Fleet, failure_reason: str | None = None) -> None:
        fleet.status, fleet.failure_reason = IN_SERVICE, failure_reason
        fleet.pending_config = fleet.pending_since = None
        fleet.modified = self._clock.now()
        self._mirror(fleet)

    def _begin(self, fleet: Fleet, pending: str | None = None, status: str = UPDATING) -> None:
        fleet.status, fleet.failure_reason, fleet.modified = status, None, self._clock.now()
        fleet.pending_config, fleet.pending_since = pending, fleet.modified
        self._mirror(fleet)

    def _after(self, fleet: Fleet, seconds: float, finish: Callable[[], None]) -> None:
        faults = self._faults[fleet.name]
        if faults.stick_next:
            faults.stick_next, faults.stuck = False, finish
            return
        self._clock.call_after(seconds, finish, f"endpoint {fleet.name}: {fleet.status} ends")

    def _announce(self, fleet: Fleet) -> None:
        for listener in self.before_change:
            listener(fleet.name)

    def _fleet(self, name: str) -> Fleet:
        if name not in self._fleets:
            backend = self._backend()
            raise missing(FakeEndpoint.arn_formatter(name, backend.account_id, backend.region_name))
        return self._fleets[name]

    def _variant(self, name: str, slot: str) -> Variant:
        return next(variant for variant in self._fleet(name).variants if variant.name == slot)

    def _idle(self, name: str) -> Fleet:
        fleet = self._fleet(name)
        if fleet.status != IN_SERVICE:
            raise busy(fleet)
        return fleet

    def _mirror(self, fleet: Fleet) -> None:
        """Keep moto's record, which lists and tags endpoints, in step."""
        record = self._backend().endpoints.get(fleet.name)
        if record is not None:
            record.endpoint_status = fleet.status
            record.endpoint_config_name = fleet.config_name
            record.last_modified_time = fleet.modified.replace(tzinfo=None)


def _given(item: Mapping[str, Any] | None, name: str, otherwise: Any) -> Any:
    value = None if item is None else item.get(name)
    return otherwise if value is None else value
