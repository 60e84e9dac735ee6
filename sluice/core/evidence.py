"""What a decision was judged on, as one document under its digest: enough to judge again, years later, with the same result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sluice.core.judge import Judgement, judge
from sluice.core.observation import Row
from sluice.core.policy import Policy
from sluice.core.record import Document, canonical, decode, encode, text_digest
from sluice.core.rollout import Rollout

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Case:
    """One look: the policy, the step in progress, stable's quantiles that were fixed, the rows, and what came of them."""

    schema: int
    rollout: str
    step: int
    policy: Policy
    quantiles: Mapping[str, Mapping[str, float]]
    rows: tuple[Row, ...]
    because: str

    def judged_again(self) -> Judgement:
        return judge(self.policy, self.rows, self.step)


@dataclass(frozen=True, slots=True)
class Kept:
    """A document's canonical text and its SHA-256."""

    digest: str
    text: str


def case_of(rollout: Rollout, rows: tuple[Row, ...], because: str) -> Kept:
    """The case as it is kept."""
    text = canonical(encode(Case(SCHEMA, rollout.id, rollout.step, rollout.policy, rollout.quantiles, rows, because)))
    return Kept(text_digest(text), text)


def findings_of(judgement: Judgement) -> tuple[Document, ...]:
    """The findings as documents, for events, heartbeats and answers. A number that is none is left out: nothing may fail for it."""
    return tuple(_plain(encode(finding)) for finding in judgement.findings)


def _plain(document: Document) -> Document:
    cleaned = {key: _plain(value) if isinstance(value, dict) else value for key, value in document.items()}
    return {key: None if _is_strange(value) else value for key, value in cleaned.items()}


def _is_strange(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def read_case(document: Document) -> Case:
    """Raises BadInput for anything but a case of this schema."""
    return decode(Case, document, "case")
