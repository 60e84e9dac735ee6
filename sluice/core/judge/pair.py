"""What the comparison of two slots in one minute rests on, and how probable a split of events is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Said = tuple[float, float, Sequence[float], Sequence[float]]
"""x, y, and a_j and b_j of each alternative: a minute speaks for it by l_j = x a_j + y b_j nats.

Rates, rails and means all have this form; so what adds l up need not be handed another list of it.
"""


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

        (E_c ln(q_g / q_1) + E_s ln((1 - q_g) / (1 - q_1))) / phi, with both quotients of the logarithms written out.
        """
        x, y, own, both = self.said(null, others, phi)
        return [x * a + y * b for a, b in zip(own, both, strict=True)]

    def said(self, null: float, others: Ratios, phi: float) -> Said:
        """`log_odds` in its parts: what an event of the canary says for each alternative, and what every event says against it."""
        canary_trials, canary_events, stable_trials, stable_events = self
        losses = others.losses(canary_trials * null, stable_trials)
        return canary_events / phi, -(canary_events + stable_events) / phi, others.gains, losses


@dataclass(slots=True)
class Ratios:
    """Ratios g that a ratio in question is compared with: a grid. The three quantiles of a latency ask about the same requests."""

    excess: tuple[float, ...]
    """g - 1."""
    gains: tuple[float, ...]
    """ln g."""
    asked: tuple[float, float] | None = None
    known: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, ratios: tuple[float, ...]) -> Ratios:
        return cls(tuple(g - 1 for g in ratios), tuple(map(math.log, ratios)))

    def __len__(self) -> int:
        return len(self.gains)

    def losses(self, canary: float, stable: float) -> list[float]:
        """ln((canary g + stable) / (canary + stable)) of each; exact also where the canary's part is tiny."""
        asked = canary, stable
        if asked != self.asked:
            own, log1p = canary / (canary + stable), math.log1p
            self.known = [log1p(own * more) for more in self.excess]
            self.asked = asked
        return self.known
