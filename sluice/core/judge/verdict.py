"""The words a judgement is made of: one per metric, one for the step, each with its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Word(StrEnum):
    """What is known about one metric."""

    CLEARED = "cleared"
    UNPROVEN = "unproven"
    HARMFUL = "harmful"
    SHARED = "shared"
    NO_DATA = "no_data"


class Verdict(StrEnum):
    """What the evidence says about the step."""

    ADVANCE = "advance"
    CONTINUE = "continue"
    HOLD = "hold"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The numbers behind a finding, for reports. Since the first exposure, but `proof`, which starts anew with each step.

    Values are rates, shares of slow requests, means or levels, in the metric's own unit; `trials` and `events` are counts (for
    means `events` is the total). `ratio` is canary to stable with its time-uniform 95 % interval from `low` to `high`.
    `weight_of_harm` of `need` rolls back; `proof` of `proof_need` clears the step's `margin`; `tolerated` is the ratio in force.
    """

    canary_trials: float
    canary_events: float
    stable_trials: float
    stable_events: float
    canary_value: float | None
    stable_value: float | None
    ratio: float | None
    low: float | None
    high: float | None
    weight_of_harm: float
    need: float
    tolerated: float
    dispersion: float
    proof: float | None
    proof_need: float
    margin: float | None
    minutes: int
    observed: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """One metric, one word, and the numbers that led to it.

    A harmful finding is `hard` when a rail was crossed. An unproven one is `waivable` when all it lacks is the proof of a margin.
    """

    metric: str
    word: Word
    numbers: str
    evidence: Evidence | None = None
    hard: bool = False
    observed: bool = False
    waivable: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict and every finding behind it, worst first; those of metrics that are only observed come last."""

    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def deciding(self) -> tuple[Finding, ...]:
        """The enforced findings with the worst word there is."""
        enforced = [finding for finding in self.findings if not finding.observed]
        return tuple(finding for finding in enforced if finding.word is enforced[0].word)

    @property
    def because(self) -> str:
        """The findings that decide, as one clause."""
        return "; ".join(f"{f.metric} {f.numbers}" for f in self.deciding) or "nothing is judged"

    @property
    def is_hard(self) -> bool:
        """Whether a rail was crossed: then the canary goes back, whatever the policy says about breaches."""
        return any(finding.hard for finding in self.deciding)

    @property
    def is_underpowered(self) -> bool:
        """Whether proofs are all that is missing: enough was seen, and none of it is harm. Only that may be waived."""
        return self.verdict is Verdict.CONTINUE and all(finding.waivable for finding in self.deciding)

    @property
    def is_incident(self) -> bool:
        """Whether stable suffers too: a hold for that may end in a rollback, a hold for want of good data does not."""
        return any(finding.word is Word.SHARED for finding in self.deciding)
