"""What a metric has to prove per step, as arrays: the margin, and the alternatives on its good side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sluice.forecast.arrays import Flags, Floats, Whole
from sluice.forecast.rules import Rule, others_of


@dataclass(frozen=True, slots=True)
class Margins:
    """One row per judged step. Alternatives are padded to one length; `mask` says which are meant, `asked` which steps ask for proof."""

    margin: Floats
    others: Floats
    mask: Flags
    asked: Flags

    @classmethod
    def of(cls, rule: Rule) -> Margins:
        """A latency is counted over thresholds that hold the margin already: what is tested then is 1."""
        margins = rule.margins or (None,)
        tested = [1.0 if rule.is_latency or margin is None else margin for margin in margins]
        lists = [others_of(margin, bad_high=rule.bad_high) for margin in tested]
        width = max(len(others) for others in lists)
        return cls(
            np.array(tested),
            np.array([[*others, *[1.0] * (width - len(others))] for others in lists]),
            np.array([[i < len(others) for i in range(width)] for others in lists]),
            np.array([margin is not None and rule.enforced for margin in margins]),
        )

    def proven(self, cleared: Flags, judged_step: Whole, step: Whole) -> Flags:
        """Where `step` asks for no proof of this metric, or has it: `cleared` is about `judged_step`."""
        return np.asarray((cleared & (judged_step == step)) | ~self.asked[step])
