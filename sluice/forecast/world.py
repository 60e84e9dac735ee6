"""A world of minutes, for many rollouts at once: what each side would show, given the weights that were live.

Clustered errors, differences between identical variants, noise that lasts, cold starts, shared incidents, a daily pattern.
The numbers of `Nature` are assumptions; `sluice calibrate` measures some of them on a real endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sluice.forecast.arrays import Floats, Whole
from sluice.forecast.latency import LatencyShape, Side, over_thresholds
from sluice.forecast.minutes import Exposed, MetricMinute, together
from sluice.forecast.rules import Rule
from sluice.forecast.wander import Wander

DAY_MINUTES = 1440
SEGMENT_SHARES = (0.4, 0.3, 0.2, 0.1)
"""Assumed of a dimension, such as the country: four values, and these shares of the traffic."""


@dataclass(frozen=True, slots=True)
class Nature:
    """How unruly the world is, besides chance. Standard deviations are of logarithms, so 0.03 is about 3 %."""

    daily: float = 0.3
    """Traffic swings by this share around its mean over a day; each rollout begins at a random time of day."""
    cluster: float = 1.3
    """Errors come in bursts of this many on average (geometric): the counts are 2 x this - 1 times as dispersed as single ones."""
    identical: float = 0.025
    """Identical variants differ for good by up to this much (uniform, either way), in every rate and in latency."""
    noise: float = 0.05
    """Noise of each variant's rates of trouble (errors) that lasts."""
    outcome_noise: float = 0.01
    """The same for what people do (conversions): they do not know which variant answered."""
    latency_noise: float = 0.02
    """Noise of each variant's latency that lasts."""
    persistence: float = 0.7
    """Correlation of that noise from one minute to the next."""
    common: float = 0.2
    """Noise that both variants share."""
    cold_latency: float = 1.0
    """Right after a weight change the canary is slower by this share; it wears off."""
    cold_errors: float = 1.0
    """Its first requests of all fail more often by this share; a later weight change starts nothing anew."""
    cold_minutes: float = 1.0
    """In which the cold start wears off to a third."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Trouble that hits both sides alike: from minute `begins` (one per rollout) for `minutes`."""

    begins: Floats
    minutes: Floats
    errors: float = 0.15
    """Share of all requests that fail besides the usual ones."""
    latency: float = 2.5
    """Factor."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What is wrong with the canary. Factors on its event rates by metric name; from minute `begins` on, full after `ramp` more."""

    rates: Mapping[str, float | Floats] = field(default_factory=dict)
    latency: float = 1.0
    slow_share: float = 0.0
    """Share of the canary's requests that take `slow_factor` times as long: the tail alone."""
    slow_factor: float = 4.0
    begins: int = 0
    ramp: int = 0
    means: Mapping[str, float] = field(default_factory=dict)
    """Factors on means."""
    levels: Mapping[str, float] = field(default_factory=dict)
    """Where the canary's level goes, in multiples of its limit."""
    smallest_segment_only: bool = False
    """Of a rate that is split by a dimension, only its rarest value is hurt."""

    def strength(self, minute: int) -> float:
        """From 0 (not yet) to 1."""
        if minute < self.begins:
            return 0.0
        return min(1.0, (minute - self.begins + 1) / self.ramp) if self.ramp else 1.0


@dataclass(frozen=True, slots=True)
class RateBase:
    """A rate in good times: events per trial, trials per request, and the mean size of bursts."""

    rate: float
    trials_per_request: float = 1.0
    cluster: float | None = None
    is_outcome: bool = False
    """What people do with the answers, rather than trouble of the fleet."""


@dataclass(frozen=True, slots=True)
class MeanBase:
    """A mean in good times, which is 1: only ratios matter. Observations per request, and their standard deviation in means."""

    per_request: float = 0.1
    spread: float = 1.0


@dataclass(frozen=True, slots=True)
class Base:
    """Good times: requests a second in all, the rates and means by metric name, levels in multiples of their limits, latency's shape."""

    rps: float
    rates: Mapping[str, RateBase]
    latency: LatencyShape = field(default_factory=LatencyShape)
    means: Mapping[str, MeanBase] = field(default_factory=dict)
    levels: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class World:
    """`minute` gives what both sides show; call it for minutes 0, 1, 2 in order."""

    base: Base
    nature: Nature
    rollouts: int
    chance: np.random.Generator
    effect: Effect = field(default_factory=Effect)
    incident: Incident | None = None
    harmed: Floats = field(init=False)
    """Expected bad requests of the newest minute beyond those a good release would have had, per rollout."""
    _phase: Floats = field(init=False)
    _lasting: dict[str, Floats] = field(init=False)
    _wander: dict[tuple[str, str], Wander] = field(init=False)

    def __post_init__(self) -> None:
        nature, count, chance = self.nature, self.rollouts, self.chance
        self.harmed = np.zeros(count)
        self._phase = chance.uniform(0, DAY_MINUTES, count)
        names = sorted(self.base.rates)
        self._lasting = {name: nature.identical * chance.uniform(-1, 1, count) for name in (*names, "latency")}
        noises = {name: nature.outcome_noise if self.base.rates[name].is_outcome else nature.noise for name in names}
        sds = {**noises, "latency": nature.latency_noise}
        self._wander = {
            (name, side): Wander.of(chance, count, nature.common if side == "both" else sd, nature.persistence)
            for name, sd in sds.items()
            for side in ("both", "canary", "stable")
        }

    def requests(self, at: int, share: Floats) -> tuple[Floats, Floats]:
        """Requests of canary and stable in one minute, routed at random by weight."""
        swing = 1 + self.nature.daily * np.sin(2 * np.pi * (self._phase + at) / DAY_MINUTES)
        total = self.chance.poisson(self.base.rps * 60 * swing)
        canary = self.chance.binomial(total, share)
        return canary.astype(float), (total - canary).astype(float)

    def begin_minute(self) -> None:
        """All lasting noise moves on by one minute."""
        for wander in self._wander.values():
            wander.step(self.chance)
        self.harmed = np.zeros(self.rollouts)

    def rate(self, rule: Rule, at: int, n_c: Floats, n_s: Floats) -> MetricMinute:
        """One rate metric of the minute."""
        base = self.base.rates[rule.name]
        both = np.exp(self._wander[rule.name, "both"].value)
        factor = 1 + (self.effect.rates.get(rule.name, 1.0) - 1) * self.effect.strength(at)
        good = base.rate * both * np.exp(self._lasting[rule.name] + self._wander[rule.name, "canary"].value)
        stable = base.rate * both * np.exp(self._wander[rule.name, "stable"].value)
        if rule.bad_high:
            good = good * (1 + self.nature.cold_errors * self._cold(at)) + self._trouble(at)
            stable = stable + self._trouble(at)
        good, canary = np.minimum(good, 1.0), np.minimum(good * factor, 1.0)
        if rule.segmented:
            return self._by_segment(rule, (n_c, n_s), good, canary, stable)
        seen = self._seen(rule, (n_c, n_s), good, canary, stable)
        return MetricMinute((seen,), (seen,), seen)

    def _seen(
        self, rule: Rule, requests: tuple[Floats, Floats], good: Floats, canary: Floats, stable: Floats
    ) -> Exposed:
        """Counts of one rate: `canary` is the canary's chance of an event, `good` what it would be without the effect."""
        base = self.base.rates[rule.name]
        trials_c, trials_s = (self._trials(base, n) for n in requests)
        if rule.bad_high:
            self.harmed = self.harmed + trials_c * np.abs(canary - good)
        burst = self.nature.cluster if base.cluster is None else base.cluster
        return Exposed(trials_c, trials_s, self._events(trials_c, canary, burst), self._events(trials_s, stable, burst))

    def _by_segment(
        self, rule: Rule, requests: tuple[Floats, Floats], good: Floats, canary: Floats, stable: Floats
    ) -> MetricMinute:
        """Each value of the dimension by itself; the metric as a whole is all of them together."""
        found, left, rest = [], list(requests), 1.0
        for i, share in enumerate(SEGMENT_SHARES):
            is_last = i == len(SEGMENT_SHARES) - 1
            part = 1.0 if is_last else share / rest
            sides = [self.chance.binomial(n.astype(np.int64), part).astype(float) for n in left]
            hurt = canary if is_last or not self.effect.smallest_segment_only else good
            found.append(self._seen(rule, (sides[0], sides[1]), good, hurt, stable))
            left, rest = [n - taken for n, taken in zip(left, sides, strict=True)], rest - share
        whole = together(found)
        return MetricMinute((whole,), (whole,), whole, segments=tuple(found))

    def latency(self, rule: Rule, margin: Floats, at: int, since: Whole, n_c: Floats, n_s: Floats) -> MetricMinute:
        """The latency metric: requests over each threshold. `margin` is the factor that the step has to prove, per rollout."""
        canary, stable = self.sides(at, since, n_c, n_s)
        return over_thresholds(self.chance, self.base.latency, rule, margin, canary, stable)

    def sides(self, at: int, since: Whole, n_c: Floats, n_s: Floats) -> tuple[Side, Side]:
        """How fast canary and stable are in this minute; `since` is how long the step has lasted, for cold starts."""
        effect, strength = self.effect, self.effect.strength(at)
        slow = 1 + (effect.latency - 1) * strength
        both = np.exp(0.25 * self._wander["latency", "both"].value) * self._slowness(at)
        cold = 1 + self.nature.cold_latency * self._cold(since)
        lasting = np.exp(self._lasting["latency"] + self._wander["latency", "canary"].value)
        canary = Side(n_c, both * cold * lasting * slow, effect.slow_share * strength, effect.slow_factor)
        return canary, Side(n_s, both * np.exp(self._wander["latency", "stable"].value))

    def _cold(self, minutes: Whole | int) -> Floats:
        """What is left of a cold start, on average over that minute."""
        lasts = self.nature.cold_minutes
        return np.asarray(lasts * (1 - np.exp(-1 / lasts)) * np.exp(-np.asarray(minutes) / lasts))

    def _trouble(self, at: int) -> Floats:
        if self.incident is None:
            return np.zeros(self.rollouts)
        return self.incident.errors * self._hit(self.incident, at)

    def _slowness(self, at: int) -> Floats:
        if self.incident is None:
            return np.ones(self.rollouts)
        return 1 + (self.incident.latency - 1) * self._hit(self.incident, at)

    def _hit(self, incident: Incident, at: int) -> Floats:
        return ((at >= incident.begins) & (at < incident.begins + incident.minutes)).astype(float)

    def _trials(self, base: RateBase, requests: Floats) -> Floats:
        if base.trials_per_request == 1.0:
            return requests
        return self.chance.binomial(requests.astype(np.int64), base.trials_per_request).astype(float)

    def _events(self, trials: Floats, rate: Floats, burst: float) -> Floats:
        """Bursts of geometric size, never more than trials. A rate near 1 leaves no room for bursts."""
        if burst <= 1:
            return self.chance.binomial(trials.astype(np.int64), rate).astype(float)
        bursts = self.chance.poisson(trials * rate / burst)
        more = self.chance.negative_binomial(np.maximum(bursts, 1), 1 / burst) * (bursts > 0)
        single = self.chance.binomial(trials.astype(np.int64), rate)
        return np.where(rate > 0.3, single, np.minimum(bursts + more, trials)).astype(float)
