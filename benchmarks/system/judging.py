"""The judge: a day of minutes at one look, the look after it, and a thousand forecast rollouts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.system.measure import Row as Line
from benchmarks.system.measure import cpu_ms
from sluice.core.judge import Run
from sluice.core.judge.memory import Memory
from sluice.core.observation import Counts, Row, SlotMinute, Tail, threshold_name
from sluice.core.policy import Policy
from sluice.core.weights import WHOLE
from sluice.forecast.forecast import Setting, WhatIf, base_of, rollouts
from sluice.forecast.world import Effect
from sluice.schema import read_policy

_DAY, _LOOKS, _AT, _ADDITIONS = 1440, 5, 1_800_000_000, 1_000_000
_MARGIN = 2.0
"""That the first step of the standard policy wants ruled out for latency."""
_STANDARD = Path("policies/rollouts/standard.yaml")


def rows() -> Iterator[Line]:
    policy = read_policy(_STANDARD)
    day, rollout = _minutes(_DAY), _rollout(len(policy.steps) - 1)
    many = cpu_ms(lambda: sum(float(i) for i in range(_ADDITIONS)), _LOOKS)
    beside = f"{many:.0f} ms CPU", "a million additions, one by one"
    for what, minutes in (
        ("a day of minutes at 1 %, judged in a function that never saw it", day),
        ("the same of a standard rollout: 105 min of steps, then soak to 24 h", rollout),
    ):
        yield Line(what, f"{cpu_ms(lambda m=minutes: _anew(policy, m), _LOOKS):.0f} ms CPU", *beside)
    memory = Memory()
    looks = [day[: _DAY - i] for i in range(_LOOKS + 2, 0, -1)]
    memory.judge(policy, looks.pop(0))
    again = cpu_ms(lambda: memory.judge(policy, looks.pop(0)), _LOOKS)
    yield Line("the next look at that day, a minute later in the same instance", f"{again:.0f} ms CPU", *beside)
    many, one = (cpu_ms(lambda n=n: _forecast(policy, n), 1) for n in (1000, 1))
    yield Line("1,000 forecast rollouts", f"{many:.0f} ms CPU", f"{one:.0f} ms CPU", "1 rollout")


def _anew(policy: Policy, minutes: tuple[Row, ...]) -> None:
    """As a function instance that has never looked at this rollout."""
    Run.of(policy).read(minutes).judgement()


def _forecast(policy: Policy, count: int) -> None:
    rollouts(policy, Setting(base_of(policy, 500.0, {}), rollouts=count), WhatIf("good", Effect(), harmful=False))


def _rollout(last: int) -> tuple[Row, ...]:
    """Steps of 1, 10 and 50 % for 15, 30 and 60 minutes, then everything on the canary."""
    chance, rows, at = np.random.default_rng(1), list[Row](), _AT
    for step, (parts, count) in enumerate(((100, 15), (1000, 30), (5000, 60), (10_000, _DAY - 105))):
        index = last if parts == WHOLE else step
        for _ in range(count):
            canary, stable = (
                int(chance.poisson(max(0.0, 30_000 * part))) for part in (parts / WHOLE, 1 - parts / WHOLE)
            )
            sides = _side(chance, canary, 1.3), _side(chance, stable, 1.0) if stable else SlotMinute()
            rows.append(Row(at, *sides, index, parts))
            at += 60
    return tuple(rows)


def _minutes(count: int) -> tuple[Row, ...]:
    """A healthy canary at 1 % of 500 requests a second."""
    chance = np.random.default_rng(1)
    return tuple(
        Row(
            _AT + 60 * i,
            _side(chance, int(chance.poisson(300)), 1.3),
            _side(chance, int(chance.poisson(29_700)), 1.0),
            canary_parts=100,
        )
        for i in range(count)
    )


def _side(chance: np.random.Generator, requests: int, factor: float) -> SlotMinute:
    over = {
        threshold_name(q, factor): float(chance.binomial(requests, p))
        for q, p in (("p50", 0.3), ("p90", 0.05), ("p99", 0.005))
    }
    if factor > 1:
        over |= {threshold_name(q, _MARGIN): float(over[threshold_name(q, factor)] // 2) for q in ("p50", "p90", "p99")}
    over[threshold_name("p99", 3.0)] = 0.0
    return SlotMinute(
        {"errors": Counts(requests, float(chance.binomial(requests, 0.002)))}, {"latency": Tail(requests, over)}
    )
