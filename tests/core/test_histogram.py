"""Edges that everybody shares, and how thresholds fall on them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from sluice.core.histogram import (
    EDGES_A_DOUBLING,
    RECORDED,
    Histogram,
    at_least,
    at_most,
    edges,
    quantiles,
)
from sluice.core.policy import LatencyMetric
from sluice.core.rollout import Phase, Rollout
from sluice.core.rows import limits
from tests.builders import latency, policy, started, step

OWN = Histogram("Shop", "AnswerTime", 5_000, 2_000_000, "fallback")


def test_edges_cover_the_range_and_rise_five_to_a_doubling() -> None:
    assert (OWN.edges[0], OWN.edges[-1], len(OWN.edges)) == (4_705, 2_097_152, 45)
    assert all(high / low == pytest.approx(2**0.2, rel=1e-3) for low, high in pairwise(OWN.edges))
    assert (OWN.total_name, OWN.within_name(4_705)) == ("AnswerTime_n", "AnswerTime_le_4705us")
    assert set(edges(20_000, 90_000)) < set(OWN.edges), "who records more of the range records the same edges"


def test_edges_that_are_asked_for_are_the_first_and_the_last() -> None:
    assert edges(4_096, 8_192) == (4_096, *OWN.edges[:5])


@pytest.mark.parametrize("factor", [1.0, 1.1, 1.3, 1.41, 2.0, 3.0, 10.0])
def test_harm_is_rounded_up_and_proof_down_by_less_than_one_edge(factor: float) -> None:
    one_edge = 2 ** (1 / EDGES_A_DOUBLING)
    for edge in edges(1_000, 60_000_000):
        up, down = at_least(edge, factor) / edge, at_most(edge, factor) / edge

        assert factor * 0.999 <= up < factor * one_edge * 1.001
        assert factor / one_edge * 0.999 < down <= factor * 1.001


def test_a_quantile_is_the_edge_that_so_much_lies_within() -> None:
    within = {100: 40.0, 115: 50.0, 132: 89.0, 152: 95.0}

    assert quantiles(100.0, within, {"p50": 0.5, "p90": 0.9, "p99": 0.99}) == {"p50": 115.0, "p90": 152.0}
    assert quantiles(0.0, dict.fromkeys(within, 0.0), {"p50": 0.5}) == {}


def shop(metric: LatencyMetric, **past: float) -> Rollout:
    first = replace(step(10), prove={"latency": 2.0})
    made = policy(steps=(first, *policy().steps[1:]), metrics={"latency": metric})
    found = started(policy=made, phase=Phase.BAKING, step=0, quantiles={"latency": past}).live
    assert found is not None
    return found


def test_thresholds_lie_on_edges_that_never_flatter_or_slander_the_canary() -> None:
    p50, p90, p99 = OWN.edges[10], OWN.edges[15], OWN.edges[20]
    past = {f"{RECORDED}p50": float(p50), f"{RECORDED}p90": float(p90), f"{RECORDED}p99": float(p99)}

    found = limits(shop(latency(histogram=OWN), **past))["latency"]

    assert (found.canary, found.stable) == ({}, {}), "CloudWatch's own percentiles were not to be had"
    assert found.stable_edges["p90x1"] == p90
    assert found.stable_edges["p99x3"] == found.canary_edges["p99x3"] == OWN.edges[28] >= 3 * p99
    assert found.canary_edges["p90x1.3"] == OWN.edges[17] >= 1.3 * p90
    assert found.canary_edges["p90x2"] == OWN.edges[20] == pytest.approx(2 * p90, rel=1e-3)


def test_what_lies_beyond_the_last_edge_is_not_counted_over() -> None:
    past = {f"{RECORDED}p99": 1_825_677.0}

    found = limits(shop(latency(histogram=OWN), **past))["latency"]

    assert (found.stable_edges, found.canary_edges) == ({"p99x1": 1_825_677}, {})
    assert limits(shop(latency(), **past))["latency"].stable_edges == {}
