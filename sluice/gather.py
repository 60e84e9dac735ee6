"""The facts of one tick: only what the phase's decision reads, so that the way back depends on as little as possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sluice.core.ascent import next_step
from sluice.core.blame import Blame, alarm_names, attribute
from sluice.core.decision import live
from sluice.core.head import Head
from sluice.core.hooks import gate_call, rollback_call
from sluice.core.observation import (
    ArtifactFacts,
    EndpointFacts,
    HookAnswer,
    ModelPackage,
    Observation,
    Row,
    SmokeFacts,
)
from sluice.core.orders import WaitFor
from sluice.core.policy import LatencyMetric
from sluice.core.registry import entry_asked, rejection
from sluice.core.release import Release
from sluice.core.rollout import Phase, Rollout, ScalingMode, ScalingTarget
from sluice.core.rows import QUANTILE_SECONDS, placed, reading
from sluice.ports import Ports

_UNWATCHED = (Phase.PENDING, Phase.ROLLING_BACK)
"""Phases in which no alarm decides anything. A rollback must not wait for CloudWatch to answer."""
_MINUTE = 60


def gather(ports: Ports, head: Head, now: int) -> Observation:
    """Observe the endpoint of the live rollout."""
    rollout = live(head)
    endpoint = ports.endpoints.describe(rollout.endpoint)
    if endpoint.is_lost:
        return Observation(endpoint, {})
    alarms = {} if rollout.phase in _UNWATCHED else ports.alarms.states(alarm_names(rollout))
    first = Observation(endpoint, alarms, package=_package(ports, rollout))
    if rollout.phase is Phase.PREPARING:
        return _preparing(ports, rollout, first)
    rows, quantiles = _judged(ports, rollout, first, now), _quantiles(ports, rollout, now)
    return replace(first, rows=rows, quantiles=quantiles, hooks=_hooks(ports, rollout, endpoint, now))


def observe_slots(ports: Ports, head: Head, *, scaling: bool) -> Observation:
    """The endpoint and its configuration, for work between rollouts; and what is registered for autoscaling, where that matters."""
    facts = ports.endpoints.describe(head.endpoint)
    configured = None if facts.is_lost else ports.endpoints.configured(facts.config_name)
    registered = ports.scaling.targets(head.endpoint, head.slots) if scaling else None
    return Observation(facts, {}, configured=configured, scaling=registered)


def _preparing(ports: Ports, rollout: Rollout, seen: Observation) -> Observation:
    """While SageMaker works there is nothing to find out."""
    if not seen.endpoint.in_service:
        return seen
    arrived = rollout.prepared is not None and seen.endpoint.config_name == rollout.prepared.config_name
    return replace(
        seen,
        configured=None if arrived else ports.endpoints.configured(seen.endpoint.config_name),
        smoke=_smoke(ports, rollout, seen.endpoint) if arrived else None,
        scaling=None if arrived else _scaling(ports, rollout),
        artifacts=ArtifactFacts(
            tuple(fault for release in _served(rollout) for fault in ports.artifacts.faults(release))
        ),
    )


def _package(ports: Ports, rollout: Rollout) -> ModelPackage | None:
    """Never a reason not to look: a registry that does not answer is a fact, too."""
    arn = None if rollout.is_latched else entry_asked(rollout)
    if arn is None:
        return None
    try:
        return ports.registry.entry(arn)
    except Exception as fault:  # whatever it is, the canary has to be watched
        return ModelPackage(None, f"{type(fault).__name__}: {fault}")


def _served(rollout: Rollout) -> tuple[Release, ...]:
    """What must be able to serve, now or again."""
    fallback = () if rollout.fallback is None else (rollout.fallback.release,)
    return (rollout.stable, rollout.release, *fallback)


def _scaling(ports: Ports, rollout: Rollout) -> tuple[ScalingTarget, ...] | None:
    if rollout.scaling is ScalingMode.KEEP:
        return None
    return ports.scaling.targets(rollout.endpoint, (rollout.from_slot, rollout.to_slot))


def _smoke(ports: Ports, rollout: Rollout, endpoint: EndpointFacts) -> SmokeFacts | None:
    slot = endpoint.variants.get(rollout.to_slot)
    if slot is None or slot.current_instances < rollout.instances:
        return None
    return ports.endpoints.smoke(rollout.endpoint, rollout.to_slot, rollout.release)


def _hooks(ports: Ports, rollout: Rollout, endpoint: EndpointFacts, now: int) -> tuple[HookAnswer, ...] | None:
    """Asked only when the record says that their answers are waited for: gates before a step, or hooks once the weights are back."""
    wait, latch = rollout.orders.wait, rollout.latch
    if rollout.phase is Phase.VERIFYING and latch is not None and latch.hooks_left:
        if not endpoint.serves(rollout.stable_weights):
            return None
        called = (rollout.policy.on_rollback[i] for i in latch.hooks_left)
        return tuple(ports.hooks.tell(hook, rollback_call(rollout, now)) for hook in called)
    if wait is None or wait.what is not WaitFor.GATES or rollout.phase not in (Phase.BAKING, Phase.REHEARSING):
        return None
    index = next_step(rollout)
    return tuple(ports.hooks.ask(gate, gate_call(rollout, index, now)) for gate in rollout.policy.steps[index].gates)


def _judged(ports: Ports, rollout: Rollout, seen: Observation, now: int) -> tuple[Row, ...]:
    """The rows; where an alarm or the registry speaks against the canary, their absence must not keep it from being taken back."""
    try:
        return _rows(ports, rollout, now)
    except Exception:
        is_blamed = attribute(rollout, seen.alarms).blame is Blame.CANARY
        if not is_blamed and rejection(rollout.release, seen.package) is None:
            raise
        return ()


def _rows(ports: Ports, rollout: Rollout, now: int) -> tuple[Row, ...]:
    """All minutes since the first exposure: late data change what was read before, so it is read again."""
    wanted = reading(rollout, now)
    return placed(ports.metrics.rows(wanted), rollout.shifts) if wanted else ()


def _quantiles(ports: Ports, rollout: Rollout, now: int) -> Mapping[str, Mapping[str, float]]:
    """How fast stable was in the hour before the first exposure; read while that is still to come."""
    latencies = {name: m for name, m in rollout.policy.metrics.items() if isinstance(m, LatencyMetric)}
    if rollout.phase is not Phase.REHEARSING or not latencies:
        return {}
    until = now // _MINUTE * _MINUTE
    return ports.metrics.quantiles(rollout.endpoint, rollout.from_slot, latencies, until - QUANTILE_SECONDS, until)
