"""What the comparison of two slots in one minute rests on, and how probable a split of events is."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """One minute of one rate on both slots: exposures and events among them."""

    canary_trials: float
    canary_events: float
    stable_trials: float
    stable_events: float

    @property
    def events(self) -> float:
        return self.canary_events + self.stable_events

    def canary_part(self, ratio: float) -> float:
        """q: the part of all events that is the canary's when its rate is `ratio` times stable's.

        Given E events in all, the canary's are Bin(E, q): what both share, drift and the split of traffic, cancels.
        Source: shared/judge.md; the conditional test of two Poisson rates (Przyborowski and Wilenski, 1940).
        """
        weighted = self.canary_trials * ratio
        return weighted / (weighted + self.stable_trials)

    def log_odds(self, null: float, others: LogRatios) -> list[float]:
        """Nats by which each ratio `null` times g explains the split of this minute's events better than `null`; others holds (g, ln g).

        E_c ln(q_g / q_1) + E_s ln((1 - q_g) / (1 - q_1)), with both quotients of the logarithms written out. This is the innermost
        loop of the judge.
        """
        weighted, stable, events, canary_events = (
            self.canary_trials * null,
            self.stable_trials,
            self.events,
            self.canary_events,
        )
        both, log = weighted + stable, math.log
        return [canary_events * log_g + events * log(both / (weighted * g + stable)) for g, log_g in others]


LogRatios = tuple[tuple[float, float], ...]


def with_logs(ratios: tuple[float, ...]) -> LogRatios:
    return tuple((g, math.log(g)) for g in ratios)
