"""The judge's run over the rows of a rollout: one at a time, so that a long rollout can go on from where it was read to.

`judge` reads all rows anew at each look: no state is kept between ticks, and late data just change the rows. What is incremental here
equals that, row by row.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import assert_never

from sluice.core.judge.burn import Burn
from sluice.core.judge.comparison import Placed
from sluice.core.judge.doubts import Doubts
from sluice.core.judge.findings import Compared, Follower, Stakes, finding, weight_of_harm
from sluice.core.judge.latency import LatencyFollower
from sluice.core.judge.level import LevelFollower
from sluice.core.judge.means import MeanFollower
from sluice.core.judge.rails import RAIL_TRIALS
from sluice.core.judge.rate import RateFollower
from sluice.core.judge.verdict import Finding, Judgement, Verdict, Word
from sluice.core.judge.wording import whole
from sluice.core.observation import Row, SlotMinute
from sluice.core.policy import LatencyMetric, LevelMetric, MeanMetric, Metric, Policy, RateMetric
from sluice.core.weights import WHOLE

_ORDER = (Word.HARMFUL, Word.SHARED, Word.NO_DATA, Word.UNPROVEN, Word.CLEARED)
_MINUTE = 60


@dataclass(slots=True)
class Run:
    """The state after the rows read so far."""

    policy: Policy
    followers: list[Follower]
    lags: list[int]
    """Of each follower, in minutes."""
    enforced: list[Compared]
    doubts: Doubts
    burns: list[Burn]
    waiting: deque[Placed]
    first: Row | None = None
    step_began: int | None = None
    last: Row | None = None
    crossed_at: float | None = None
    blamed: str | None = None
    requests: tuple[float, float] = (0.0, 0.0)
    """Of the canary and of stable in the step so far."""

    @classmethod
    def of(cls, policy: Policy) -> Run:
        followers = [_follower(name, metric, policy) for name, metric in sorted(policy.metrics.items())]
        burns = [
            Burn(name, metric.slo)
            for name, metric in sorted(policy.metrics.items())
            if isinstance(metric, RateMetric) and metric.slo is not None
        ]
        lags = [_lag_minutes(follower) for follower in followers]
        enforced = [f for f in followers if isinstance(f, Compared) and _takes_part(f)]
        waiting = deque[Placed](maxlen=max(lags, default=0) + 1)
        return cls(policy, followers, lags, enforced, Doubts.of(policy), burns, waiting)

    def read(self, rows: Iterable[Row]) -> Run:
        """The following rows, in order of time; one that is not later than the last says nothing new.

        A minute that is missing altogether counts as one without data.
        """
        for row in rows:
            if self.last is not None and row.at <= self.last.at:
                continue
            if self.last is not None:
                for at in range(self.last.at + _MINUTE, row.at, _MINUTE):
                    self._read(replace(self.last, at=at, canary=SlotMinute(), stable=SlotMinute(), faults=()))
            self._read(row)
        return self

    def _read(self, row: Row) -> None:
        if self.first is None:
            self.first = row
        if self.last is None or row.step != self.last.step:
            self.step_began, self.requests = None, (0.0, 0.0)
        if self.step_began is None and not row.is_change:
            self.step_began = row.at
        self.last = row
        in_step = -1 if self.step_began is None else (row.at - self.step_began) // _MINUTE
        self.doubts.read(row)
        judged = replace(row, is_change=True) if self.doubts.is_unserved else row
        placed = Placed(judged, (row.at - self.first.at) // _MINUTE, in_step)
        self.waiting.append(placed)
        for follower, lag in zip(self.followers, self.lags, strict=True):
            if not lag:
                follower.read(placed)
            elif lag < len(self.waiting):
                follower.read(self.waiting[-1 - lag])
        if not row.is_change:
            (canary, stable), latest = self.requests, self.doubts.latest
            self.requests = canary + latest.canary_trials, stable + latest.stable_trials
        for burn in self.burns:
            burn.read(row)
        self._weigh()

    def _weigh(self) -> None:
        """The budget: M = sum of share_k M_k >= 1 / alpha, at any row. The largest part is to blame. Source: shared/judge.md."""
        if self.blamed is not None:
            return
        found = self.evidence
        if found >= self.need and self.enforced:
            self.blamed, self.crossed_at = max(self.enforced, key=weight_of_harm).name, found

    @property
    def need(self) -> float:
        return 1 / self.policy.judge.false_rollback_budget

    @property
    def evidence(self) -> float:
        """M of the rollout after the last row: what `need` is compared with."""
        found = 0.0
        for follower in self.enforced:
            found += weight_of_harm(follower)
        return found

    def judgement(self, step: int | None = None) -> Judgement:
        """The verdict on what was read so far, for the step in progress: unsaid, that of the last row."""
        last = self.last.step if self.last else 0
        current = last if step is None else step
        has_control = self.policy.steps[current].weight_parts < WHOLE
        margins = self.policy.steps[current].prove
        crossed = self.crossed_at or 0.0
        stakes = Stakes(self.need, crossed, self.blamed, has_control, current, margins, self.doubts.requests)
        findings = [finding(follower, stakes) for follower in self.followers]
        findings += self.doubts.findings()
        findings += [_burning(burn) for burn in self.burns if burn.burning() is not None]
        known = current == last and self.step_began is not None
        findings.append(self._floor(self.requests if known else None, has_control=has_control))
        findings.sort(key=lambda found: (found.observed, _ORDER.index(found.word), not found.hard))
        return Judgement(_verdict(findings), tuple(findings))

    def _floor(self, requests: tuple[float, float] | None, *, has_control: bool) -> Finding:
        """The minimum evidence of a step: requests on both sides, in its whole minutes, None before the first. Never skipped."""
        needed = max(self.policy.min_samples, RAIL_TRIALS)
        if requests is None:
            return Finding(
                "samples", Word.UNPROVEN, f"none yet: no whole minute of this step is known, {needed:,} requests needed"
            )
        canary, stable = requests
        enough = canary >= needed and (stable >= self.policy.min_samples or not has_control)
        sides = f"{whole(canary)} canary and {whole(stable)} stable" if has_control else whole(canary)
        return Finding("samples", Word.CLEARED if enough else Word.UNPROVEN, f"{sides} requests of {needed:,} needed")


def _verdict(findings: list[Finding]) -> Verdict:
    worst = findings[0].word
    if worst is Word.HARMFUL:
        return Verdict.ROLL_BACK
    if worst in (Word.SHARED, Word.NO_DATA):
        return Verdict.HOLD
    return Verdict.CONTINUE if worst is Word.UNPROVEN else Verdict.ADVANCE


def _follower(name: str, metric: Metric, policy: Policy) -> Follower:
    match metric:
        case RateMetric():
            return RateFollower.of(name, metric, policy)
        case LatencyMetric():
            return LatencyFollower.of(name, metric, policy)
        case MeanMetric():
            return MeanFollower.of(name, metric, policy)
        case LevelMetric():
            return LevelFollower.of(name, metric)
        case _:
            assert_never(metric)


def _takes_part(follower: Compared) -> bool:
    """Whether the metric has a part of the budget, and not only a part that is shown."""
    return follower.metric.terms.share > 0 and not follower.metric.terms.observe


def _lag_minutes(follower: Follower) -> int:
    return -(-follower.metric.terms.lag_seconds // _MINUTE)


def _burning(burn: Burn) -> Finding:
    found = burn.burning()
    assert found is not None
    windows = f"{found.long_minutes} min and {found.short_minutes} min"
    return Finding(
        burn.name, Word.SHARED, f"the endpoint burns its error budget {found.rate:.1f} times too fast over {windows}"
    )
