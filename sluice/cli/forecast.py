"""`forecast`: simulated rollouts as a table and a few sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.cli.needs import numpy_there
from sluice.cli.operate import Said
from sluice.cli.text import INDENT
from sluice.core.errors import BadInput
from sluice.core.judge.rails import RAIL_TRIALS
from sluice.core.policy import MeanMetric, Policy, RateMetric
from sluice.core.record import encode
from sluice.core.weights import WHOLE, percent_text
from sluice.schema import read_policy

if TYPE_CHECKING:  # numpy comes with the extra `forecast`
    from sluice.forecast.forecast import Fate, Forecast
    from sluice.forecast.world import Base

SCHEMA = 1
_RATE = re.compile(r"([^=]+)=(\d+(?:\.\d+)?|\.\d+)%")
_HALF = 0.5
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """What a forecast is about."""

    file: Path
    rps: float
    rates: tuple[str, ...]
    rollouts: int
    seed: int


def read_rates(policy: Policy, given: tuple[str, ...]) -> dict[str, float]:
    """`errors=0.2%` for metrics of the policy; raises BadInput with every fault."""
    known = [name for name, metric in policy.metrics.items() if isinstance(metric, RateMetric | MeanMetric)]
    found, faults = {}, []
    for text in given:
        match = _RATE.fullmatch(text.strip())
        if match is None or not 0 < float(match[2]) < 100:
            faults.append(f"--rate: must be METRIC=RATE such as errors=0.2%, got {text!r}")
        elif match[1] not in known:
            faults.append(f"--rate: the policy has no rate or mean {match[1]!r} (it has: {', '.join(known)})")
        else:
            found[match[1]] = float(match[2]) / 100
    if faults:
        raise BadInput(tuple(faults))
    return found


def forecast(asked: Asked, picture: Path | None, gate: bool, to_terminal: bool) -> Said:
    """Simulate, draw if asked to, and say what came out. Raises BadInput when there is nothing the gate could be about."""
    numpy_there("forecast")
    from sluice.cli.picture import can_draw, draw_forecast
    from sluice.cli.progress import progress_to
    from sluice.forecast import forecast as foreseen
    from sluice.forecast.from_policy import judged

    policy = read_policy(asked.file)
    if picture is not None:
        can_draw(picture)
    if gate and not any(metric.terms.detect for metric in policy.metrics.values()):
        raise BadInput((f"{asked.file}: --gate needs a metric with `detect`: the effect that must be seen",))
    if not judged(policy):
        raise BadInput((f"{asked.file}: nothing to forecast: its only step is 100, so nothing is compared",))
    base = foreseen.base_of(policy, asked.rps, read_rates(policy, asked.rates))
    setting = foreseen.Setting(base, rollouts=asked.rollouts, seed=asked.seed)
    with progress_to(to_terminal) as progress:
        made = foreseen.forecast(policy, setting, progress=progress)
    if picture is not None:
        draw_forecast(made, str(asked.file), picture)
    document = {"schema": SCHEMA, "policy": str(asked.file), "rates": _rates(base), "forecast": encode(made)}
    lines = tuple(_lines(asked.file, policy, made, base))
    return Said(document, lines, 1 if gate and made.missed else 0)


def _assumed(policy: Policy, base: Base) -> Iterator[str]:
    """What is taken for granted about metrics that are no plain rates."""
    for name, mean in base.means.items():
        yield f"{name}: an observation for {100 * mean.per_request:g} % of requests, whose standard deviation is their mean"
    for name, level in base.levels.items():
        yield f"{name}: at {100 * level:.0f} % of its limit"
    split = [name for name, metric in policy.metrics.items() if metric.terms.segment]
    if split:
        yield f"{', '.join(split)} by segment: four values with 40, 30, 20 and 10 % of the traffic"


def _rates(base: Base) -> dict[str, float]:
    return {name: rate.rate for name, rate in base.rates.items()}


def _lines(file: Path, policy: Policy, made: Forecast, base: Base) -> Iterator[str]:
    yield f"{file} at {made.rps:g} requests/s: {made.rollouts:,} simulated rollouts each, seed {made.seed}"
    yield f"in good times {', '.join(f'{name} {100 * rate:g} %' for name, rate in _rates(base).items())}"
    yield from _assumed(policy, base)
    yield ""
    yield from _table(made.fates)
    yield ""
    yield from sentences_of(policy, made)
    if made.missed:
        yield f"sluice suggest {file} --rps {made.rps:g} looks for schedules that see more"


def _table(fates: tuple[Fate, ...]) -> Iterator[str]:
    cells = [["what if", "taken back", "after (median, 95 %)", "bad requests", "promoted", "after (median, 95 %)"]]
    for fate in fates:
        back = _minutes(fate.minutes_median, fate.minutes_p95)
        up = _minutes(fate.promoted_median, fate.promoted_p95)
        bad = f"{fate.bad_requests:,.0f}" if fate.bad_requests else ""
        cells.append([fate.name, _percent(fate.rolled_back), back, bad, _percent(fate.promoted), up])
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    for line in cells:
        numbers = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        yield (INDENT + INDENT.join([line[0].ljust(widths[0]), *numbers])).rstrip()


def sentences_of(policy: Policy, made: Forecast) -> Iterator[str]:
    """What to take away: how long a good release takes, what is caught, what a step cannot prove, what the gate misses."""
    good = made.good
    if good.promoted_median is None:
        yield "a good release is not promoted"
    else:
        longest = f"95 %: {good.promoted_p95:.0f}"
        yield f"a good release is at 100 % after {good.promoted_median:.0f} min ({longest}), not counting the slot's preparation"
    if made.stuck_step is not None:
        yield _stuck(policy, made, made.stuck_step)
    yield f"taken back without reason: {_percent(good.rolled_back)} of good releases"
    if made.smallest_error_increase is None:
        yield "no error increase up to x50 is caught with 90 %"
    else:
        yield f"the smallest error increase caught with 90 %: x {made.smallest_error_increase:.2g}"
    for i, share in enumerate(made.unproven):
        if share > _HALF:
            weight = percent_text(policy.steps[i].weight_parts)
            yield f"step {i + 1} ({weight}) proves too little: {_percent(share)} of good releases leave it without proof"
    for fate in made.missed:
        yield f"declared and mostly missed: {fate.name}, taken back in {_percent(fate.rolled_back)}"


def _stuck(policy: Policy, made: Forecast, index: int) -> str:
    """Which step good releases do not leave, and which of its two demands is why."""
    step = policy.steps[index]
    needed = max(policy.min_samples, RAIL_TRIALS)
    minutes = needed / (made.rps * _MINUTE * step.weight_parts / WHOLE)
    longest = step.bake_max_seconds / _MINUTE
    why = (
        f"{needed:,} requests of it take {minutes:,.0f} min: lower min_samples (to {RAIL_TRIALS} at least), or begin with more weight"
        if minutes > longest
        else f"what it has to prove takes more than its longest bake of {longest:.0f} min, and `on_inconclusive` does not go on then"
    )
    return f"most good releases stay in step {index + 1} ({percent_text(step.weight_parts)}): {why}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _minutes(median: float | None, p95: float | None) -> str:
    return "" if median is None or p95 is None else f"{median:.0f}, {p95:.0f} min"
