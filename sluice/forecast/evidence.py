"""The e-processes of the judge over many rollouts at once: one minute per call. Formulas: `sluice.core.judge`, docs/judge.md.

Every array has one entry per rollout; `judged` says for which of them this minute counts. Evidence is in odds, `l` in nats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sluice.forecast.arrays import HUGE, Flags, Floats, ratio
from sluice.forecast.minutes import Exposed

HALF_LIFE_MINUTES = 10.0
WINSOR = 16.0
PRIOR_MINUTES = 10.0
MOST_CORRELATION = 0.8
OPEN_MINUTES = 180.0
FIRST_SHARE, STEP_SHARE, OTHER_SHARE = 0.4, 0.3, 0.3
_KEEP = 2 ** (-1 / HALF_LIFE_MINUTES)


@dataclass(slots=True)
class Prior:
    """How much of the bet is placed on harm that begins in this minute (dimensionless; sums to at most 1)."""

    later_steps: int
    minutes: Floats
    spent: Floats

    @classmethod
    def of(cls, rollouts: int, later_steps: int) -> Prior:
        return cls(later_steps, np.zeros(rollouts), np.zeros(rollouts))

    def place(self, judged: Flags, first_of_step: Flags) -> Floats:
        """The weight of this minute; 0 where it is not judged."""
        t = self.minutes
        placed: Floats = OTHER_SHARE * OPEN_MINUTES / ((t + OPEN_MINUTES) * (t + OPEN_MINUTES + 1))
        placed = placed + FIRST_SHARE * (t == 0) + STEP_SHARE / max(1, self.later_steps) * (first_of_step & (t > 0))
        placed = placed * judged
        self.minutes = t + judged
        self.spent = self.spent + placed
        return placed


@dataclass(slots=True)
class Mixture:
    """Harm may begin in any minute: R_j <- (R_j + w) exp(l_j), M = mean R_j + 1 - sum of w."""

    evidence: Floats
    odds: Floats

    @classmethod
    def of(cls, rollouts: int, grid: int) -> Mixture:
        return cls(np.zeros((rollouts, grid)), np.ones(rollouts))

    def add(self, nats: Floats, placed: Floats, spent: Floats, judged: Flags) -> None:
        with np.errstate(over="ignore"):  # infinity is cut to HUGE
            moved = np.minimum((self.evidence + placed[:, None]) * np.exp(nats), HUGE)
        self.evidence = np.where(judged[:, None], moved, self.evidence)
        self.odds = np.where(judged, self.evidence.mean(axis=1) + 1 - spent, self.odds)


@dataclass(slots=True)
class Dispersion:
    """How much noisier the counts are than a coin would make them, learnt from the minutes before: `phi`, at least 1."""

    first: float
    phi: Floats
    squares: Floats
    count: Floats
    products: Floats
    base: Floats
    last: Floats
    """The residual of the judged minute before in the same step; not-a-number where there is none."""
    window: Floats
    """Canary's and stable's sums of the step, forgetting by half in ten minutes: of a rate events, exposures, events, exposures."""

    @classmethod
    def of(cls, rollouts: int, first: float) -> Dispersion:
        nothing = np.zeros(rollouts)
        phi, last = np.full(rollouts, max(1.0, first)), np.full(rollouts, np.nan)
        return cls(first, phi, nothing, nothing, nothing, nothing, last, np.zeros((4, rollouts)))

    def reset(self, begins: Flags) -> None:
        """At a new step: the window and the chain of residuals begin anew, what was learnt stays."""
        self.window = np.where(begins, 0.0, self.window)
        self.last = np.where(begins, np.nan, self.last)

    def learn(self, seen: Exposed, judged: Flags) -> None:
        """Take the minute in, after its evidence was weighed with the `phi` from before it."""
        events = seen.e_c + seen.e_s
        c, n_c, s, n_s = self.window
        guess = np.where(n_s > 0, (c + 1) / (1 + n_c * ratio(s, n_s)), 1.0)
        q = ratio(seen.n_c * guess, seen.n_c * guess + seen.n_s)
        usable = judged & (events * q * (1 - q) > 0)
        spread = np.sqrt(events * q * (1 - q), where=usable, out=np.ones_like(q))
        residual = (seen.e_c - events * q) / np.where(usable, spread, 1.0)
        self.take(residual, usable, judged, np.stack([seen.e_c, seen.n_c, seen.e_s, seen.n_s]))

    def take(self, residual: Floats, usable: Flags, judged: Flags, added: Floats) -> None:
        """Standardised residuals where there are any, and what the minute adds to the window."""
        limit = np.sqrt(WINSOR * self.phi)
        z = np.clip(residual, -limit, limit)
        paired = usable & ~np.isnan(self.last)
        before = np.where(paired, self.last, 0.0)
        self.squares = self.squares + np.where(usable, z * z, 0.0)
        self.count = self.count + usable
        self.products = self.products + np.where(paired, z * before, 0.0)
        self.base = self.base + before * before
        self.last = np.where(judged, np.where(usable, z, np.nan), self.last)
        self.window = np.where(judged, _KEEP * self.window + added, self.window)
        rho = np.clip(self.products / (self.base + PRIOR_MINUTES * self.first), 0.0, MOST_CORRELATION)
        level = (PRIOR_MINUTES * self.first + self.squares) / (PRIOR_MINUTES + self.count)
        self.phi = np.maximum(1.0, level) * (1 + rho) / (1 - rho)


@dataclass(frozen=True, slots=True)
class Split:
    """How the split of a minute's events speaks for each alternative against the null, before any event is seen.

    ln(q_a/q_0) = ln(a/0) + ln(D_0/D_a) and ln((1-q_a)/(1-q_0)) = ln(D_0/D_a), with D_r = n_c r + n_s: both depend on the
    exposures alone, so that all quantiles of a latency share them. `gains` is ln(a/0), `losses` ln(D_a/D_0).
    """

    gains: Floats
    losses: Floats

    @classmethod
    def of(cls, seen: Exposed, null: Floats, times: Floats, gains: Floats) -> Split:
        """`null` is a ratio of rates, one per rollout; the alternatives are `times` as much, `gains` their logarithms."""
        weighted = (seen.n_c * null)[:, None]
        stable = seen.n_s[:, None]
        below = weighted + stable
        alive = below > 0
        above = np.where(alive, weighted * times + stable, 1.0)
        return cls(gains, np.log(np.where(above > 0, above, 1.0) / np.where(alive, below, 1.0)))

    def nats(self, seen: Exposed, phi: Floats, cap: float) -> Floats:
        """l per alternative, given how many events there were in all and how many of them were the canary's."""
        raw = seen.e_c[:, None] * self.gains - (seen.e_c + seen.e_s)[:, None] * self.losses
        return np.minimum(raw / phi[:, None], cap)


@dataclass(slots=True)
class Clearance:
    """Proof that the ratio is below the step's margin: begins anew with each step, capped per minute like harm."""

    nats: Floats

    @classmethod
    def of(cls, rollouts: int, grid: int) -> Clearance:
        return cls(np.zeros((rollouts, grid)))

    def reset(self, begins: Flags) -> None:
        self.nats = np.where(begins[:, None], 0.0, self.nats)

    def add(self, nats: Floats, judged: Flags) -> None:
        self.nats = np.where(judged[:, None], self.nats + nats, self.nats)

    def odds(self, mask: Flags | None = None) -> Floats:
        """Mean over the alternatives (those of `mask`), per rollout."""
        each = np.exp(np.minimum(self.nats, 700.0))
        if mask is None:
            return np.asarray(each.mean(axis=1))
        return ratio((each * mask).sum(axis=1), mask.sum(axis=1).astype(float))


@dataclass(slots=True)
class Stable:
    """What stable's rate was: the slow memory that sets the tolerance, and the last five minutes that set the rail."""

    events: Floats
    exposures: Floats
    recent: list[tuple[Floats, Floats]] = field(default_factory=list)

    @classmethod
    def of(cls, rollouts: int) -> Stable:
        return cls(np.zeros(rollouts), np.zeros(rollouts))

    @property
    def slow_rate(self) -> Floats:
        return (self.events + 1) / (self.exposures + 500)

    def remember(self, exposures: Floats, events: Floats) -> None:
        """Only a minute that stable was seen in makes the past older."""
        seen = exposures > 0
        self.events = np.where(seen, 0.98 * self.events + events, self.events)
        self.exposures = np.where(seen, 0.98 * self.exposures + exposures, self.exposures)

    def note(self, exposures: Floats, events: Floats) -> None:
        """For the rail: this minute counts already."""
        self.recent = [*self.recent[-4:], (exposures, events)]

    def now(self, least: float = 0.0) -> Floats:
        """The higher of the last minute and the last five pooled; a window with fewer exposures than `least` says 0."""
        last_n, last_e = self.recent[-1]
        all_n = np.sum([n for n, _ in self.recent], axis=0)
        all_e = np.sum([e for _, e in self.recent], axis=0)
        last = np.where(last_n >= least, ratio(last_e, last_n), 0.0)
        pooled = np.where(all_n >= least, ratio(all_e, all_n), 0.0)
        return np.maximum(last, pooled)


def as_row(values: Sequence[float]) -> Floats:
    """A grid as [1, grid], to be spread over rollouts."""
    return np.asarray(values, dtype=float)[None, :]
