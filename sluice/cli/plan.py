"""`plan`: what a policy means, as a table and a few sentences, with every assumption and its number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from sluice.cli.text import INDENT, compact, row, span, wrapped
from sluice.core.decision import BAKE_SECONDS, BUSY_SECONDS, SOAK_SECONDS
from sluice.core.errors import BadInput
from sluice.core.plan import Assumptions, Plan, Reach, Span, StepPlan, plan
from sluice.core.policy import AfterSoak, Policy
from sluice.core.record import Document, encode
from sluice.core.weights import percent_text
from sluice.schema import read_policy

SCHEMA = 1
_COLUMN = 24
_ALWAYS = 5
"""So many columns of the table do not depend on the traffic."""
_RANGE = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?")
_SEEN = {
    Reach.UNKNOWN: "",
    Reach.BAKE_MIN: "within bake.min",
    Reach.BAKE_MAX: "within bake.max",
    Reach.HOLDING: "only by holding past bake.max",
    Reach.NEVER: "never: taken back",
}


def read_range(option: str, text: str, unit_seconds: int) -> Span:
    """`8` or `5-30`, in the option's unit, as seconds; raises BadInput."""
    found = _RANGE.fullmatch(text.strip())
    first = float(found[1]) if found else 0.0
    last = float(found[2]) if found and found[2] else first
    if not 0 < first <= last:
        raise BadInput((f"{option}: must be a number above 0 or a range such as 5-30, got {text!r}",))
    return Span(round(first * unit_seconds), round(last * unit_seconds))


def planned(file: Path, assumed: Assumptions, width: int | None) -> tuple[Document, Iterator[str]]:
    """The plan as a document and as lines."""
    policy = read_policy(file)
    made = plan(policy, assumed)
    document = {"schema": SCHEMA, "policy": str(file), "assumptions": encode(assumed), "plan": encode(made)}
    return document, _lines(file, policy, assumed, made, width)


def _lines(file: Path, policy: Policy, assumed: Assumptions, made: Plan, width: int | None) -> Iterator[str]:
    traffic = "" if assumed.rps is None else f" at {assumed.rps:g} requests/s"
    yield wrapped(f"{file}{traffic}; times from submission, earliest to latest", 0, width)
    yield ""
    yield from _table(made.steps, assumed.rps, width)
    yield ""
    for label, text in (*_summary(policy, made), *_ways_back(policy, made)):
        yield row(label, text, _COLUMN, width)
    yield ""
    yield "assumed"
    for label, text in _assumptions(policy, assumed):
        yield row(label, text, _COLUMN, width)


def _table(steps: Sequence[StepPlan], rps: float | None, width: int | None) -> Iterator[str]:
    """Aligned columns; the ones that need the traffic only where it is known, what it would have to be where it is not.

    On a narrow terminal what is about traffic stands below each step.
    """
    header = ["step", "weight", "starts", "bake", "watched"]
    header += ["needs", "traffic for bake.min, bake.max"] if rps is None else ["exposed", "needs", "seen"]
    cells = [header, *([*_common(step), *(_unknown(step) if rps is None else _known(step))] for step in steps)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(header))]
    lines = [INDENT.join(["", *_aligned(line, widths)]).rstrip() for line in cells]
    if width is None or max(map(len, lines)) <= width:
        yield from lines
        return
    column = sum(widths[:2]) + 3 * len(INDENT)
    for line in cells:
        yield INDENT.join(["", *_aligned(line[:_ALWAYS], widths)]).rstrip()
        said = [f"{name} {cell}" for name, cell in zip(header[_ALWAYS:], line[_ALWAYS:], strict=True) if cell]
        if said and line is not header:
            yield " " * column + wrapped("; ".join(said), column, width)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Numbers end where their column ends, words begin where it begins."""
    return (cell.rjust(widths[i]) if i < 2 else cell.ljust(widths[i]) for i, cell in enumerate(line))


def _common(step: StepPlan) -> list[str]:
    starts = span(step.starts) if step.starts else "not reached"
    bake = span(step.bake) if step.bake else "promoted"
    return [str(step.number), percent_text(step.weight_parts), starts, bake, span(step.watched) if step.watched else ""]


def _known(step: StepPlan) -> list[str]:
    if step.bake is None:
        return ["", "", ""]
    exposed = _counts(step.exposed) if step.exposed else ""
    return [exposed, f"{step.needs:,}", _SEEN[step.reach] if step.starts else ""]


def _unknown(step: StepPlan) -> list[str]:
    if step.bake is None:
        return ["", ""]
    return [f"{step.needs:,}", f"{_traffic(step.rps_for_bake_min)}, {_traffic(step.rps_for_bake_max)}"]


def _traffic(rps: float | None) -> str:
    return "too short" if rps is None else f"{rps:.3g}/s"


def _counts(requests: Span) -> str:
    if requests.earliest == requests.latest:
        return f"{requests.earliest:,}"
    return f"{requests.earliest:,} to {requests.latest:,}"


def _summary(policy: Policy, made: Plan) -> Iterator[tuple[str, str]]:
    yield "slot ready", f"{span(made.prepared)}: fleet built, smoke test answered"
    yield "rollback rehearsed", f"{span(made.rehearsed)}; no request has reached the new release by then"
    if made.promoted is None or made.settled is None:
        step = made.steps[(made.stuck or 1) - 1]
        yield "promoted", f"never: step {step.number} does not see the {step.needs:,} requests it needs on each side"
    else:
        yield (
            "promoted",
            f"{span(made.promoted)}; {compact(made.longest)} if every step is held to bake.max and max_hold",
        )
        yield "settled", f"{span(made.settled)}, after a soak of {compact(policy.soak_seconds)}"
    if policy.harm_budget is not None:
        yield (
            "harm budget",
            f"{policy.harm_budget:,} excess bad requests a step: weights are limits then, and a step begins with the largest one "
            "that keeps to it by what is known by that time; times and exposure here are those of the limits",
        )
    if made.exposed is not None:
        end = "promotion" if made.promoted else "it is taken back"
        yield "exposed", f"{_counts(made.exposed)} requests before {end}"


def _ways_back(policy: Policy, made: Plan) -> Iterator[tuple[str, str]]:
    target = compact(policy.rollback.target_seconds)
    yield (
        "back before settling",
        f"{span(made.restore_live)} from the decision: weights only, nothing is rebuilt; rehearsed before the first request, "
        f"and the rollout ends there if the drill takes over {target}. A busy endpoint takes no weights: then as soon as it does",
    )
    if made.blocked is not None:
        percent = percent_text(made.blocked.weight_parts)
        reached = "" if made.blocked.exposed is None else f", {made.blocked.exposed:,} requests"
        yield (
            "worst case, kept",
            f"{compact(made.blocked.seconds)} from the decision: `scaling: keep` lets autoscaling change counts, which cannot be "
            f"cancelled and takes no weights meanwhile; the canary keeps up to {percent}{reached}. Without `scaling` it is suspended",
        )
    warm = policy.after_soak is AfterSoak.STANDBY
    slot = "stayed warm, so nothing is built" if warm else "was given up, so it is built first"
    yield (
        "back after settling",
        f"{span(made.restore_kept)} by `sluice rollback NAME --to RELEASE`: its slot {slot}; the way back is rehearsed, then one step",
    )
    took = "no promotion, see above" if made.restore_settled is None else span(made.restore_settled)
    yield (
        "the same by up",
        f"{took}: a rollout of the older release as of any other, under the policy configured then",
    )


def _assumptions(policy: Policy, assumed: Assumptions) -> Iterator[tuple[str, str]]:
    rps = (
        "not given: nothing is said about exposure (--rps)"
        if assumed.rps is None
        else f"{assumed.rps:g} requests/s, steady (--rps)"
    )
    yield "traffic", rps
    yield "fleet update", f"{span(assumed.update_seconds)}: SageMaker builds a slot (--endpoint-update-minutes)"
    yield "weight call", f"{span(assumed.weight_call_seconds)}: until new weights serve (--weight-call-seconds)"
    yield (
        "rehearsal",
        f"one weight call, and up to {compact(policy.rollback.target_seconds)} (rollback.target) for the alarm's way",
    )
    yield "metrics", f"whole minutes, known {compact(policy.judge.data_lag_seconds)} later (judge.data_lag)"
    yield (
        "looks",
        f"every {compact(BUSY_SECONDS)} while a slot is built, {compact(BAKE_SECONDS)} in a bake, {compact(SOAK_SECONDS)} in a soak",
    )
    yield "nobody interferes", "no alarm, no harm, no other update of the endpoint, no pause"
