"""Doubts about the data of the latest rows, as findings: they hold the rollout and never roll it back. Tests are `quality`'s."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from sluice.core.judge.pair import Pair
from sluice.core.judge.quality import (
    EXPECTED,
    MISMATCH_NEED,
    SampleRatio,
    counts_fault,
    level_fault,
    moments_fault,
    tail_fault,
)
from sluice.core.judge.rate import counts_or_none, paired
from sluice.core.judge.verdict import Finding, Word
from sluice.core.judge.wording import evidence, percent, whole
from sluice.core.observation import Row, SlotMinute
from sluice.core.policy import Policy, RateMetric
from sluice.core.weights import WHOLE

RECENT_ROWS = 5
_SAGEMAKER = "AWS/SageMaker"
_NO_REQUESTS = Pair(0.0, 0.0, 0.0, 0.0)


def requests_metric(policy: Policy) -> str | None:
    """The rate whose trials are the endpoint's requests: one of SageMaker's own, at once, where there is one."""
    rates = [(name, metric) for name, metric in policy.metrics.items() if isinstance(metric, RateMetric)]
    ranked = sorted((metric.namespace != _SAGEMAKER, metric.terms.lag_seconds, name) for name, metric in rates)
    return ranked[0][2] if ranked else None


@dataclass(slots=True)
class Doubts:
    """What the rows so far say about the data."""

    policy: Policy
    requests: str | None
    ratio: SampleRatio = field(default_factory=SampleRatio)
    recent: deque[Row] = field(default_factory=lambda: deque(maxlen=RECENT_ROWS))
    step: int | None = None
    parts: int | None = None
    latest: Pair = _NO_REQUESTS
    """The requests of the last row, as far as they are possible numbers."""
    canary_served: float = 0.0
    stable_served: float = 0.0

    @classmethod
    def of(cls, policy: Policy) -> Doubts:
        return cls(policy, requests_metric(policy))

    def read(self, row: Row) -> None:
        if (row.step, row.canary_parts) != (self.step, self.parts):
            self.ratio, self.step, self.parts = SampleRatio(), row.step, row.canary_parts
        self.recent.append(row)
        name = self.requests or ""
        self.latest = paired(counts_or_none(row.canary.rates.get(name)), counts_or_none(row.stable.rates.get(name)))
        canary, _, stable, _ = self.latest
        self.canary_served += canary
        self.stable_served += stable
        if _is_split(row):
            self.ratio.add(canary, stable)

    @property
    def is_unserved(self) -> bool:
        """Whether stable's requests are counted and the canary never had one: what is reported of it can be no harm of its own."""
        return not self.canary_served and self.stable_served > 0

    def findings(self) -> Iterator[Finding]:
        """One finding for each doubt."""
        faults = dict.fromkeys(fault for row in self.recent for fault in (*row.faults, *row_faults(row)))
        if faults:
            counted = "1 impossible number" if len(faults) == 1 else f"{len(faults)} impossible numbers"
            yield Finding("quality", Word.NO_DATA, f"{counted}: {'; '.join(list(faults)[:3])}")
        yield from self._mismatch()
        yield from self._silence()

    def _mismatch(self) -> Iterator[Finding]:
        if self.parts is None or not 0 < self.parts < WHOLE:
            return
        found = self.ratio.evidence(self.parts / WHOLE)
        if found >= MISMATCH_NEED:
            total = self.ratio.canary + self.ratio.stable
            got = f"{percent(self.ratio.canary / total)} of {whole(total)} requests"
            yield Finding(
                "split",
                Word.NO_DATA,
                f"the canary got {got} at a weight of {percent(self.parts / WHOLE)}, {evidence(found, MISMATCH_NEED)}",
            )

    def _silence(self) -> Iterator[Finding]:
        rows = [row for row in self.recent if _is_split(row)]
        if len(rows) < RECENT_ROWS:
            return
        expected = sum(self._expected(row) for row in rows)
        invoked = sum(self._requests(row.canary) for row in rows)
        if invoked:
            return
        if expected >= EXPECTED:
            yield Finding("split", Word.NO_DATA, f"no canary requests in {len(rows)} min, {whole(expected)} expected")
        for name, metric in sorted(self.policy.metrics.items()):
            if isinstance(metric, RateMetric) and name != self.requests and not metric.terms.lag_seconds:
                counts = [counts_or_none(row.canary.rates.get(name)) for row in rows]
                if trials := sum(c.trials for c in counts if c is not None):
                    yield Finding(name, Word.NO_DATA, f"{whole(trials)} trials of a canary that had no requests")

    def _requests(self, side: SlotMinute) -> float:
        counts = counts_or_none(side.rates.get(self.requests or ""))
        return counts.trials if counts is not None else 0.0

    def _expected(self, row: Row) -> float:
        parts = row.canary_parts or 0
        return self._requests(row.stable) * parts / (WHOLE - parts)


def _is_split(row: Row) -> bool:
    """Whether one known weight that leaves both slots traffic was live for the whole minute."""
    return row.canary_parts is not None and not row.is_change and 0 < row.canary_parts < WHOLE


def row_faults(row: Row) -> Iterator[str]:
    """Impossible numbers of a row, named by slot and metric."""
    for slot, side in (("canary", row.canary), ("stable", row.stable)):
        found = (
            *((name, counts_fault(counts)) for name, counts in side.rates.items()),
            *((name, tail_fault(tail)) for name, tail in side.tails.items()),
            *((name, moments_fault(moments)) for name, moments in side.means.items()),
            *((name, level_fault(level)) for name, level in side.levels.items()),
            *((f"{name} {value}", counts_fault(c)) for name, by in side.segments.items() for value, c in by.items()),
        )
        yield from (f"{name} of {slot}: {fault}" for name, fault in found if fault)
