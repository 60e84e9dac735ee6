"""Latencies as counters under fixed thresholds, which an application records itself: for when CloudWatch counts none over a limit.

Everybody who counts uses the same edges, five to a doubling, so that processes, variants and releases add up. Sums are all that
is needed to read them. Which source a minute is judged by is `sluice.core.rows` and the judge's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

EDGES_A_DOUBLING = 5
"""1.30 times slower becomes 1.32, 1.41 stays 1.32, 2 stays 2, 3 becomes 3.03: hardly another question than was asked."""
_EXACT = 1e-6
"""Of a logarithm: edges are whole microseconds."""
RECORDED = "recorded "
"""Before the name of a quantile that was taken from the histogram and not from CloudWatch's percentiles."""

Use = Literal["fallback", "always"]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Where the counters are. `fallback`: for minutes in which CloudWatch counts no request over any limit."""

    namespace: str
    name: str
    lowest_us: int
    highest_us: int
    use: Use

    @property
    def edges(self) -> tuple[int, ...]:
        return edges(self.lowest_us, self.highest_us)

    @property
    def total_name(self) -> str:
        return total_name(self.name)

    def within_name(self, edge_us: int) -> str:
        return within_name(self.name, edge_us)


def edges(lowest_us: int, highest_us: int) -> tuple[int, ...]:
    """The thresholds from at most `lowest_us` to at least `highest_us`, rising, in whole microseconds."""
    first = math.floor(_position(lowest_us) + _EXACT)
    last = math.ceil(_position(highest_us) - _EXACT)
    return tuple(_edge(i) for i in range(first, last + 1))


def total_name(name: str) -> str:
    """The CloudWatch metric that counts all latencies."""
    return f"{name}_n"


def within_name(name: str, edge_us: int) -> str:
    """The one that counts those of at most so many microseconds."""
    return f"{name}_le_{edge_us}us"


def at_least(edge_us: int, factor: float) -> int:
    """The nearest edge that is at least `factor` times another: for harm. Fewer requests of the canary are over it."""
    return _edge(_index(edge_us) + math.ceil(EDGES_A_DOUBLING * math.log2(factor) - _EXACT))


def at_most(edge_us: int, factor: float) -> int:
    """The nearest edge that is at most `factor` times another: for proof. More requests of the canary are over it."""
    return _edge(_index(edge_us) + math.floor(EDGES_A_DOUBLING * math.log2(factor) + _EXACT))


def quantiles(total: float, within: Mapping[int, float], parts: Mapping[str, float]) -> dict[str, float]:
    """By name of its part (p90: 0.9): the lowest edge that at least so much of the total is within. Absent beyond the last edge."""
    found: dict[str, float] = {}
    for name, part in parts.items():
        edge = next((edge for edge in sorted(within) if total > 0 and within[edge] >= part * total), None)
        if edge is not None:
            found[name] = float(edge)
    return found


def _position(us: int) -> float:
    return EDGES_A_DOUBLING * math.log2(us)


def _index(edge_us: int) -> int:
    return round(_position(edge_us))


def _edge(index: int) -> int:
    return round(2 ** (index / EDGES_A_DOUBLING))
