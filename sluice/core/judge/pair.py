"""What the comparison of two slots in one minute rests on, and how probable a split of events is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple


class Pair(NamedTuple):
    """One minute of one rate on both slots: exposures and events among them. A day of a rollout is ten thousand of them."""

    canary_trials: float
    canary_events: float
    stable_trials: float
    stable_events: float

    def canary_part(self, ratio: float) -> float:
        """q: the part of all events that is the canary's when its rate is `ratio` times stable's.

        Given E events in all, the canary's are Bin(E, q): what both share, drift and the split of traffic, cancels.
        Source: shared/judge.md; the conditional test of two Poisson rates (Przyborowski and Wilenski, 1940).
        """
        weighted = self.canary_trials * ratio
        return weighted / (weighted + self.stable_trials)

    def log_odds(self, null: float, others: Ratios, phi: float = 1.0) -> list[float]:
        """Nats by which each of the `others`, times `null`, explains the split of this minute's events better than `null` itself.

        (E_c ln(q_g / q_1) + E_s ln((1 - q_g) / (1 - q_1))) / phi, with both quotients of the logarithms written out. This is the
        innermost loop of the judge.
        """
        canary_trials, canary_events, stable_trials, stable_events = self
        canary, both = canary_events / phi, (canary_events + stable_events) / phi
        return [canary * own + both * all_ for own, all_ in others.logs(canary_trials * null, stable_trials)]


@dataclass(slots=True)
class Ratios:
    """Ratios g that a ratio in question is compared with: a grid. The three quantiles of a latency ask about the same requests."""

    logs_of: tuple[tuple[float, float], ...]
    asked: tuple[float, float] | None = None
    known: list[tuple[float, float]] = field(default_factory=list)

    @classmethod
    def of(cls, ratios: tuple[float, ...]) -> Ratios:
        return cls(tuple((g, math.log(g)) for g in ratios))

    def __len__(self) -> int:
        return len(self.logs_of)

    def logs(self, canary: float, stable: float) -> list[tuple[float, float]]:
        """(ln g, ln((canary + stable) / (canary g + stable))) of each: what one event more of the canary, and of both, says for it."""
        if (canary, stable) != self.asked:
            both, log = canary + stable, math.log
            self.known = [(log_g, log(both / (canary * g + stable))) for g, log_g in self.logs_of]
            self.asked = canary, stable
        return self.known
