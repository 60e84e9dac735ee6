"""One hard limit over many rollouts, a minute per call. `sluice.core.judge.rails` over arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sluice.forecast.arrays import Flags, Whole
from sluice.forecast.evidence import Mixture, Prior, Stable, as_row
from sluice.forecast.minutes import Exposed
from sluice.forecast.rules import LATENCY_RAIL_RATE, LATENCY_RAIL_VERSUS, RAIL_GRID, RAIL_NEED, RAIL_PHI, Rail

_INCIDENT_EXPOSURES = 50.0


@dataclass(slots=True)
class RailJudge:
    """One hard limit over all rollouts."""

    rail: Rail
    versus: float
    prior: Prior
    mixture: Mixture
    stable: Stable
    usual: Stable
    fired: Flags
    began: Flags
    step: Whole

    @classmethod
    def of(cls, rail: Rail, rollouts: int, later_steps: int, *, latency: bool) -> RailJudge:
        limit = Rail(LATENCY_RAIL_RATE, rail.versus_stable) if latency else rail
        versus = LATENCY_RAIL_VERSUS if latency else rail.versus_stable
        no = np.zeros(rollouts, dtype=bool)
        made = Mixture.of(rollouts, len(RAIL_GRID))
        return cls(
            limit,
            versus,
            Prior.of(rollouts, later_steps),
            made,
            Stable.of(rollouts),
            Stable.of(rollouts),
            no,
            no,
            np.full(rollouts, -1),
        )

    def minute(self, seen: Exposed, step: Whole, usual: Exposed | None = None) -> None:
        """Take one row in: every minute with canary exposures counts. `usual` is a latency's: stable over its own p99."""
        self.began = self.began & (step == self.step)
        self.step = step
        self.stable.note(seen.n_s, seen.e_s)
        if usual is not None:
            self.usual.note(usual.n_s, usual.e_s)
        counts = seen.n_c > 0
        placed = self.prior.place(counts, counts & ~self.began)
        self.began = self.began | counts
        limit = np.maximum(self.rail.rate, self.versus * self.stable.now())
        limit = (limit if usual is None else np.maximum(limit, self.usual.now()))[:, None]
        null = np.minimum(0.95, limit)
        others = null + (1 - null) * as_row(RAIL_GRID)
        good = (seen.n_c - seen.e_c)[:, None]
        nats = (seen.e_c[:, None] * np.log(others / null) + good * np.log((1 - others) / (1 - null))) / RAIL_PHI
        nats = np.where(limit > 0.95, 0.0, nats)  # stable fails itself: nothing can be blamed on the canary
        self.mixture.add(nats, placed, self.prior.spent, counts)
        self.fired = self.fired | (self.mixture.odds >= RAIL_NEED)

    @property
    def incident(self) -> Flags:
        """Stable itself is over the limit."""
        return self.stable.now(_INCIDENT_EXPOSURES) > self.rail.rate
