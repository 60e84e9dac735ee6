"""What is allowed in a rollout policy and still worth a second look. Warnings with their numbers; faults are `sluice.schema`'s."""

from __future__ import annotations

from collections.abc import Iterator

from sluice.core.decision import duration_text
from sluice.core.estimate import ERROR_RATE, estimate
from sluice.core.judge.rails import RAIL_SAMPLES_P90
from sluice.core.plan import Reach, canary_floor, evidence_seconds, reach, rps_needed
from sluice.core.policy import LatencyMetric, OnInconclusive, Policy, Step
from sluice.core.proofs import unproven
from sluice.core.weights import WHOLE, percent_text

_MINUTE = 60


def advice(policy: Policy, rps: float | None = None) -> tuple[str, ...]:
    """Every warning, each starting with its place in the policy. `rps` is all traffic of the endpoint, if known."""
    return (
        *_shape(policy),
        *(line for i, step in enumerate(policy.steps[:-1]) for line in _bake(policy, step, f"steps[{i}]")),
        *(
            line
            for i, step in enumerate(policy.steps[:-1])
            if rps
            for line in _traffic(policy, step, f"steps[{i}]", rps)
        ),
        *(_proofs(policy, rps) if rps else ()),
        *(_absolute(i, name) for i, name in enumerate(policy.alarms)),
    )


def _shape(policy: Policy) -> Iterator[str]:
    if len(policy.steps) == 1:
        yield "steps: the only step is 100, so all traffic moves at once and nothing is judged before promotion"
    known = policy.judge.data_lag_seconds + _MINUTE
    if policy.soak_seconds < known:
        yield (
            f"soak: {duration_text(policy.soak_seconds)} is over before the first minute is known "
            f"({duration_text(known)}, with data_lag): only alarms watch it"
        )


def _bake(policy: Policy, step: Step, where: str) -> Iterator[str]:
    """Without any traffic in mind: limits that pass before there is anything to see."""
    known = policy.judge.data_lag_seconds + _MINUTE
    if rps_needed(policy, step.weight_parts / WHOLE, step.bake_max_seconds) is None:
        yield (
            f"{where}.bake.max: {duration_text(step.bake_max_seconds)} may pass before one whole minute is known "
            f"({duration_text(known + _MINUTE)}, with data_lag), whatever the traffic"
        )
    elif step.bake_min_seconds < known:
        yield (
            f"{where}.bake.min: {duration_text(step.bake_min_seconds)} has no effect: nothing is known before "
            f"{duration_text(known)} (data_lag and one minute)"
        )


def _traffic(policy: Policy, step: Step, where: str, rps: float) -> Iterator[str]:
    """What this much traffic does not show at this weight."""
    share = step.weight_parts / WHOLE
    at = f"{percent_text(step.weight_parts)} of {rps:g} requests/s"
    found = reach(policy, step, rps)
    if found in (Reach.HOLDING, Reach.NEVER):
        takes = duration_text(evidence_seconds(policy, share, rps).latest)
        yield (
            f"{where}: at {at} the {canary_floor(policy):,} requests needed on each side take up to {takes}, "
            f"but bake.max is {duration_text(step.bake_max_seconds)}: {_consequence(policy, step, found)}"
        )
    fewest = min(share, 1 - share) * rps * _MINUTE
    latencies = sorted(name for name, metric in policy.metrics.items() if isinstance(metric, LatencyMetric))
    if fewest < RAIL_SAMPLES_P90 and latencies:
        yield (
            f"{where}: at {at} the backup alarm on {', '.join(latencies)} compares nothing: the smaller side has "
            f"{fewest:.0f} requests a minute, and a p90 needs {RAIL_SAMPLES_P90}"
        )


def _proofs(policy: Policy, rps: float) -> Iterator[str]:
    """Margins that so much traffic does not rule out in time, even for a release that is exactly as good."""
    estimated = estimate(policy, rps)
    for number in estimated.unproven if estimated is not None else ():
        step = policy.steps[number - 1]
        yield (
            f"steps[{number - 1}].prove: {percent_text(step.weight_parts)} of {rps:g} requests/s does not rule out the margin on "
            f"errors within bake.max ({duration_text(step.bake_max_seconds)}), with {100 * ERROR_RATE:g} % errors in good times: "
            f"{_WITHOUT_PROOF[step.on_inconclusive]}"
        )
    for found in unproven(policy, rps):
        step = policy.steps[found.step]
        yield (
            f"steps[{found.step}].prove.{found.metric}: {percent_text(step.weight_parts)} of {rps:g} requests/s does not rule out "
            f"{found.margin:g}x within bake.max ({duration_text(step.bake_max_seconds)}, of which {found.minutes} min can be judged), "
            f"with {found.assumed}: {_WITHOUT_PROOF[step.on_inconclusive]}"
        )


_WITHOUT_PROOF = {
    OnInconclusive.ADVANCE: "a good release goes on without that proof",
    OnInconclusive.HOLD: "a good release is held",
    OnInconclusive.ROLLBACK: "a good release is taken back",
    OnInconclusive.PAUSE: "a good release waits for a person",
}


def _consequence(policy: Policy, step: Step, found: Reach) -> str:
    if found is Reach.HOLDING:
        return "it holds until then"
    if step.on_inconclusive is OnInconclusive.ROLLBACK:
        return "it is taken back"
    held = duration_text(step.bake_max_seconds + policy.max_hold_seconds)
    return f"it holds and is taken back after {held} (bake.max and max_hold)"


def _absolute(i: int, name: str) -> str:
    return (
        f"alarms[{i}]: {name} is absolute: in an incident that stable shares it takes the canary back and quarantines it, "
        "although the canary is not to blame"
    )
