"""A release of the past, told from the split of its requests: when the canary served, and which step each minute was."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from sluice.core.observation import Counts, Row, SlotMinute
from sluice.core.past import all_limits, served, with_steps
from sluice.core.policy import OnInconclusive, Policy, Step
from tests.builders import errors, latency, policy

MINUTE = 1_767_600_000


def stepped() -> Policy:
    """1, 10, 50 and 100 %; the second step has to prove that the canary is not twice as slow."""
    steps = [Step(parts, 300, 600, OnInconclusive.HOLD) for parts in (100, 1000, 5000, 10_000)]
    steps[1] = replace(steps[1], prove={"latency": 2.0})
    return policy(steps=tuple(steps), metrics={"errors": errors(), "latency": latency()})


def minutes(*shares: float, requests: int = 600, seed: int = 1) -> list[Row]:
    """One minute for each share of the canary, its requests by chance; a share of 0 sends it none."""
    chance, rows = random.Random(seed), []
    for i, share in enumerate(shares):
        canary = sum(chance.random() < share for _ in range(requests))
        sides = [Counts(n, 0) for n in (canary, requests - canary)]
        shown = [SlotMinute({"errors": side} if side.trials else {}) for side in sides]
        rows.append(Row(MINUTE + 60 * i, *shown))
    return rows


def test_the_canary_served_from_its_first_whole_minute_to_its_last_request() -> None:
    rows = minutes(0, 0, 0.01, 0.5, 0, 0.5, 0, 0)

    assert served(rows, "errors") == tuple(rows[3:6]), "the silent minute within is a minute without data"


@pytest.mark.parametrize("shares", [(0, 0, 0), (0, 0.5, 0), ()])
def test_a_canary_without_a_whole_minute_served_never(shares: tuple[float, ...]) -> None:
    assert served(minutes(*shares), "errors") == ()


@pytest.mark.parametrize("requests", [20_000, 600])
def test_steps_are_told_from_the_split_and_their_first_minutes_are_of_change(requests: int) -> None:
    shares = [0.01] * 8 + [0.1] * 10 + [0.5] * 12 + [1.0] * 3
    rows = with_steps(stepped(), minutes(*shares, requests=requests), "errors")

    assert [row.step for row in rows] == [0] * 8 + [1] * 10 + [2] * 12 + [3] * 3
    assert [i for i, row in enumerate(rows) if row.is_change] == [8, 18, 30]
    assert {row.canary_parts for row in rows} == {None}, (
        "a split that no policy of today asked for is no doubt about the data"
    )


def test_few_requests_are_told_apart_together_and_one_odd_minute_is_no_step() -> None:
    shares = [0.1] * 10 + [0.5] + [0.1] * 10 + [0.5] * 20
    rows = with_steps(stepped(), minutes(*shares, requests=30, seed=5), "errors")

    assert [row.step for row in rows][:20] == [1] * 20
    assert [row.step for row in rows][25:] == [2] * 16


def test_a_missing_minute_belongs_to_a_step_beside_it() -> None:
    rows = with_steps(stepped(), minutes(0.1, 0.1, 0.1, requests=600), "errors")
    silent = replace(rows[1], canary=SlotMinute(), stable=SlotMinute())

    assert [row.step for row in with_steps(stepped(), (rows[0], silent, rows[2]), "errors")] == [1, 1, 1]


def test_latencies_are_counted_over_the_thresholds_of_all_steps_at_once() -> None:
    limits = all_limits(stepped(), {"latency": {"p50": 10_000, "p90": 40_000, "p99": 90_000}})

    tolerated = latency().terms.tolerate.ratio
    assert limits["latency"].canary[f"p90x{tolerated:g}"] == pytest.approx(40_000 * tolerated)
    assert limits["latency"].canary["p90x2"] == 80_000
    assert limits["latency"].stable["p90x1"] == 40_000


def test_a_latency_whose_past_is_not_known_has_no_thresholds() -> None:
    assert all_limits(stepped(), {}) == {}
