"""The words for arrays. The first axis is always the rollout."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]

HUGE = 1e300
"""Evidence is kept below this: the need is 20 or 1,000, and infinity would turn into not-a-number in a sum."""


def ratio(above: Floats, below: Floats) -> Floats:
    """`above / below`, and 0 where there is nothing below."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
