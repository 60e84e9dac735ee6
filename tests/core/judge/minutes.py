"""Rows for the judge: whole rollouts of steady minutes, and what one policy makes of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sluice.core.judge import Judgement, Run
from sluice.core.observation import Counts, Moments, Row, SlotMinute, Tail
from sluice.core.policy import MeanMetric, OnInconclusive, Policy, Step
from tests.builders import NOW, errors, latency, policy, terms

STEPS = (
    Step(100, 420, 900, OnInconclusive.ADVANCE, prove={"errors": 5.0, "latency": 2.0}),
    Step(1000, 600, 1800, OnInconclusive.ADVANCE, prove={"errors": 2.5, "latency": 1.41}),
    Step(5000, 900, 3600, OnInconclusive.HOLD, prove={"errors": 1.6, "latency": 1.41}),
    Step(10_000, 0, 0, OnInconclusive.HOLD),
)
QUANTILES = {"p50": 0.5, "p90": 0.1, "p99": 0.01}


def study(**changes: Any) -> Policy:
    """The steps of the study, with no floor to speak of."""
    return policy(**{"steps": STEPS, "min_samples": 1, **changes})


def only(name: str, metric: Any, **changes: Any) -> Policy:
    """One judged metric; an observed rate counts the requests."""
    counting = errors(terms=terms(1.1, observe=True), rail=None)
    return study(metrics={"requests": counting, name: metric}, **changes)


def minute(
    index: int,
    canary: SlotMinute | None = None,
    stable: SlotMinute | None = None,
    step: int = 2,
    **changes: Any,
) -> Row:
    """One minute of an even split, unless said otherwise."""
    parts = STEPS[step].weight_parts
    made = Row(NOW + 60 * index, canary or SlotMinute(), stable or SlotMinute(), step, parts)
    return replace(made, **changes)


def counted(trials: float, events: float, name: str = "errors") -> SlotMinute:
    return SlotMinute(rates={name: Counts(trials, events)})


def steady(
    count: int, canary: tuple[float, float], stable: tuple[float, float], step: int = 2, first: int = 0
) -> list[Row]:
    """Minutes that are all alike: (trials, errors) of both slots."""
    return [minute(first + i, counted(*canary), counted(*stable), step) for i in range(count)]


def slow(trials: float, factor: float, margin: float = 1.41, rail: float = 0.0005) -> SlotMinute:
    """A canary whose parts over the tolerated and the margin's thresholds are `factor` times stable's over its own."""
    over = {f"{q}x{g:g}": trials * min(1.0, part * factor) for q, part in QUANTILES.items() for g in (1.3, margin)}
    return SlotMinute({"errors": Counts(trials, 0)}, {"latency": Tail(trials, {**over, "p99x3": trials * rail})})


def usual(trials: float, rail: float = 0.0005) -> SlotMinute:
    over = {f"{q}x1": trials * part for q, part in QUANTILES.items()}
    return SlotMinute({"errors": Counts(trials, 0)}, {"latency": Tail(trials, {**over, "p99x3": trials * rail})})


REVENUE = MeanMetric("mean", "Shop", "N", "S", "Q", terms(0.97, bad="low"))


def spent(count: float, mean: float, spread: float = 10.0) -> SlotMinute:
    moments = Moments(count, count * mean, count * (mean**2 + spread**2))
    return SlotMinute(rates={"requests": Counts(count, 0)}, means={"revenue": moments})


def judged(made: Policy, rows: Iterable[Row]) -> Judgement:
    """Without a memory."""
    return Run.of(made).read(rows).judgement()


def words(judgement: Judgement) -> dict[str, str]:
    return {finding.metric: finding.word.value for finding in judgement.findings}


def minutes_until_rollback(made: Policy, rows: Iterable[Row]) -> int | None:
    """How many rows it took."""
    run = Run.of(made)
    for i, row in enumerate(rows, 1):
        if run.read([row]).judgement().verdict == "roll_back":
            return i
    return None


__all__ = ["errors", "latency", "terms"]
