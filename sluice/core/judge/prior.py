"""When harm may begin: how much of the prior each minute gets, so that late regressions are seen as well as early ones.

Source: shared/judge.md, "Harm e-process" (change-point mixture); for open-ended rollouts the rest is spread by a telescoping sum.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 0.4
LATER_STEPS = 0.3
ANY_MINUTE = 0.3
HALF_MINUTES = 180.0
"""Half of ANY_MINUTE is spent after so many minutes: sum over t of A / ((t + A)(t + A + 1)) is 1."""


@dataclass(slots=True)
class Prior:
    """Hands out the weight of each minute in turn. The sum over all minutes stays below 1.

    `later_steps` is how many judged steps follow the first one.
    """

    later_steps: int
    minutes: int = 0
    spent: float = 0.0
    step: int | None = None

    def next(self, step: int) -> float:
        """The part of the prior that says: harm begins in this minute."""
        weight = ANY_MINUTE * HALF_MINUTES / ((self.minutes + HALF_MINUTES) * (self.minutes + HALF_MINUTES + 1))
        if self.minutes == 0:
            weight += FIRST
        elif step != self.step:
            weight += LATER_STEPS / max(1, self.later_steps)
        self.minutes, self.step = self.minutes + 1, step
        self.spent += weight
        return weight
