"""What an endpoint's clients ask and get, minute by minute: `sluice.ports.Metrics`, worked out from weights and rates.

Decides what a slot's minute shows. Where traffic goes is decided by the account.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sluice.core.histogram import RECORDED
from sluice.core.observation import Counts, Row, SlotMinute, Tail
from sluice.core.policy import LatencyMetric
from sluice.core.rows import Limits, Reading
from sluice.core.weights import WHOLE

_MINUTE = 60
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


@dataclass(slots=True)
class Traffic:
    """`requests` is per minute in all; `error_rate` and `p90_us` are by slot."""

    requests: int = 6000
    error_rate: dict[str, float] = field(default_factory=dict)
    p90_us: dict[str, float] = field(default_factory=dict)
    history: list[tuple[int, dict[str, int]]] = field(default_factory=list)
    """Since when which slot has had how many parts."""
    counts_latencies: bool = True
    """Whether CloudWatch answers trimmed counts and percentiles."""
    recorded_part: dict[str, float] = field(default_factory=dict)
    """By slot: the part of the answers that the application records, where the policy asks for its histogram. All, unless said."""

    def move(self, now: int, parts: dict[str, int]) -> None:
        """From now on it goes by these parts."""
        if not self.history or self.history[-1][1] != parts:
            self.history.append((now, parts))

    def parts_at(self, at: int) -> Mapping[str, int]:
        return self.stand_at(at)[1]

    def stand_at(self, at: int) -> tuple[int, Mapping[str, int]]:
        """The parts of a moment, after since when; none, since then, before anything was said."""
        return next((stand for stand in reversed(self.history) if stand[0] <= at), (at, {}))

    def trials(self, slot: str, minutes: Iterable[int]) -> float:
        """Requests a slot truly had in these minutes."""
        shown = [self.minute(slot, at, {}).rates for at in minutes]
        return sum(rates["errors"].trials for rates in shown if "errors" in rates)

    def rows(self, reading: Reading) -> tuple[Row, ...]:
        def side(slot: str, at: int) -> SlotMinute:
            limits = reading.limits.get("latency", Limits({}, {}))
            is_canary = slot == reading.canary
            if self.counts_latencies:
                return self.minute(slot, at, limits.canary if is_canary else limits.stable)
            edges = limits.canary_edges if is_canary else limits.stable_edges
            return self.minute(slot, at, edges, self.recorded_part.get(slot, 1.0))

        minutes = range(reading.since, reading.until, _MINUTE)
        return tuple(Row(at, side(reading.canary, at), side(reading.stable, at)) for at in minutes)

    def quantiles(
        self, endpoint: str, slot: str, metrics: Mapping[str, LatencyMetric], since: int, until: int
    ) -> Mapping[str, Mapping[str, float]]:
        p90 = self.p90_us.get(slot, 20_000.0)
        known = {part: p90 * math.log10(1 / (1 - q)) for part, q in _QUANTILES.items()}
        if self.counts_latencies:
            return dict.fromkeys(metrics, known)
        within = {name: metric.histogram.edges for name, metric in metrics.items() if metric.histogram is not None}
        return {
            name: {f"{RECORDED}{q}": next(float(edge) for edge in edges if edge >= us) for q, us in known.items()}
            for name, edges in within.items()
        }

    def minute(self, slot: str, at: int, limits: Mapping[str, float], recorded_part: float | None = None) -> SlotMinute:
        """What the slot showed then: requests by the weights that were live, errors at today's rate, exponential latencies."""
        trials = self.requests * self.parts_at(at).get(slot, 0) / WHOLE
        if not trials:
            return SlotMinute()
        counts, p90 = Counts(trials, trials * self.error_rate.get(slot, 0.0)), self.p90_us.get(slot, 20_000.0)
        answered = None if recorded_part is None else trials - counts.events
        shown = trials if answered is None or recorded_part is None else answered * recorded_part
        tail = Tail(shown, {name: shown * 0.1 ** (limit / p90) for name, limit in limits.items()}, answered)
        return SlotMinute({"errors": counts}, {"latency": tail}, p90_us={"latency": p90})
