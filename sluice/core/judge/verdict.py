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
class Finding:
    """One metric, one word, and the numbers that led to it."""

    metric: str
    word: Word
    numbers: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict and every finding behind it, worst first."""

    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def because(self) -> str:
        """The findings that decide, as one clause."""
        deciding = [f for f in self.findings if f.word is self.findings[0].word] if self.findings else []
        return "; ".join(f"{f.metric} {f.numbers}" for f in deciding) or "nothing is judged"
