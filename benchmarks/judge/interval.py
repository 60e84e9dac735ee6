"""How far a share of simulated runs may lie from the truth."""

from __future__ import annotations

import math

_Z = 1.959964
"""95 %, two sides."""


def wilson(found: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a binomial share. Source: Wilson, 1927; unlike the textbook's it holds near 0, too."""
    share, spread = found / total, _Z**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
