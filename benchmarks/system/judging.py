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
from sluice.forecast.forecast import Setting, WhatIf, base_of, rollouts
from sluice.forecast.world import Effect
from sluice.schema import read_policy

_DAY, _LOOKS, _AT = 1440, 5, 1_800_000_000
_MARGIN = 2.0
"""That the first step of the standard policy wants ruled out for latency."""
_STANDARD = Path("policies/rollouts/standard.yaml")


def rows() -> Iterator[Line]:
    policy = read_policy(_STANDARD)
    day, few = _minutes(_DAY), _minutes(100)
    once = f"{cpu_ms(lambda: _anew(policy, few), _LOOKS):.0f} ms CPU"
    yield Line(
        "a day of minutes judged anew", f"{cpu_ms(lambda: _anew(policy, day), _LOOKS):.0f} ms CPU", once, "100 minutes"
    )
    memory = Memory()
    memory.judge(policy, day)
    again = cpu_ms(lambda: memory.judge(policy, day), _LOOKS)
    yield Line(
        "the next look at that day, in the same function instance", f"{again:.0f} ms CPU", once, "100 minutes anew"
    )
    many, one = (cpu_ms(lambda n=n: _forecast(policy, n), 1) for n in (1000, 1))
    yield Line("1,000 forecast rollouts", f"{many:.0f} ms CPU", f"{one:.0f} ms CPU", "1 rollout")


def _anew(policy: Policy, minutes: tuple[Row, ...]) -> None:
    """As a function instance that has never looked at this rollout."""
    Run.of(policy).read(minutes).judgement()


def _forecast(policy: Policy, count: int) -> None:
    rollouts(policy, Setting(base_of(policy, 500.0, {}), rollouts=count), WhatIf("good", Effect(), harmful=False))


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
