"""Traffic weights as whole parts of 10,000: exact to add, to compare and to send (floats such as 0.1 are not exact in float32)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

WHOLE = 10_000
"""All traffic, in parts. One part is 0.01 %."""


def parts_of_percent(percent: int | float | str | Decimal) -> int:
    """Parts for a percentage as people write it; raises ValueError unless it is 0.01 to 100 in steps of 0.01."""
    parts = Decimal(str(percent)) * 100
    if not parts.is_finite() or parts != parts.to_integral_value() or not 1 <= parts <= WHOLE:
        raise ValueError(f"must be a percentage from 0.01 to 100 in steps of 0.01, got {percent}")
    return int(parts)


def percent_text(parts: int) -> str:
    """`2500` -> `25 %`, `1` -> `0.01 %`."""
    return f"{Decimal(parts) / 100:f}".rstrip("0").rstrip(".") + " %" if parts % 100 else f"{parts // 100} %"


def parts_of_shares(weights: Mapping[str, float]) -> dict[str, int]:
    """Live weights (any non-negative floats) as parts that sum to WHOLE, by largest remainder.

    SageMaker routes by weight / sum of weights. An empty mapping or weights that are all zero give all zeros,
    because nobody can say where traffic goes then.
    """
    total = math.fsum(weights.values())
    if total <= 0:
        return dict.fromkeys(weights, 0)
    exact = {name: weight / total * WHOLE for name, weight in weights.items()}
    parts = {name: math.floor(share) for name, share in exact.items()}
    missing = WHOLE - sum(parts.values())
    by_remainder = sorted(weights, key=lambda name: (parts[name] - exact[name], name))
    for name in by_remainder[:missing]:
        parts[name] += 1
    return parts
