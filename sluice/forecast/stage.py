"""One simulated rollout as CloudWatch would show it: the metrics port of `sluice.ports`, over a world of minutes.

What a minute showed does not change when it is read again, whatever is asked about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np

from sluice.core.observation import Row, SlotMinute, Tail
from sluice.core.policy import LatencyMetric, Policy
from sluice.core.rows import Limits, Reading
from sluice.forecast.from_policy import rules_of
from sluice.forecast.gauges import Gauges
from sluice.forecast.latency import QUANTILES, Side, share_over
from sluice.forecast.minutes import Minute
from sluice.forecast.rows import side_of
from sluice.forecast.world import World

_MINUTE = 60
MEDIAN_US = 20_000.0
"""Stable's median latency in microseconds. Only ratios matter to the judge."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """One minute of (canary, stable): everything but latencies, and how fast both were."""

    counted: tuple[SlotMinute, SlotMinute]
    sides: tuple[Side, Side]


@dataclass(slots=True)
class Stage:
    """`share_at` says, for the start of a minute, the canary's share and how many minutes it has had it. `world` holds one rollout."""

    policy: Policy
    world: World
    seed: int
    share_at: Callable[[int], tuple[float, int]]
    first: int | None = None
    gauges: Gauges = field(init=False)
    _minutes: list[_Shown] = field(default_factory=list)
    _sides: dict[tuple[int, int, tuple[str, ...]], SlotMinute] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.gauges = Gauges.beside(self.world)

    def rows(self, reading: Reading) -> tuple[Row, ...]:
        """Every complete minute asked for, both slots."""
        self.first = reading.since if self.first is None else self.first
        return tuple(self._row(reading, at) for at in range(reading.since, reading.until, _MINUTE))

    def quantiles(
        self, endpoint: str, slot: str, metrics: Mapping[str, LatencyMetric], since: int, until: int
    ) -> Mapping[str, Mapping[str, float]]:
        """Stable's usual ones."""
        usual = {f"p{100 * q:g}": MEDIAN_US * self.world.base.latency.quantile(q) for q in QUANTILES}
        return dict.fromkeys(metrics, usual)

    def _row(self, reading: Reading, at: int) -> Row:
        index = (at - (self.first or at)) // _MINUTE
        while len(self._minutes) <= index:
            self._minutes.append(self._play(len(self._minutes)))
        return Row(at, self._side(reading, index, 0), self._side(reading, index, 1))

    def _play(self, index: int) -> _Shown:
        """The next minute of the world."""
        share, since = self.share_at((self.first or 0) + index * _MINUTE)
        self.world.begin_minute()
        self.gauges.begin_minute()
        n_c, n_s = self.world.requests(index, np.array([share]))
        rules, zero = rules_of(self.policy), np.zeros(1, dtype=np.int64)
        minute = Minute(
            zero,
            zero,
            {rule.name: self.world.rate(rule, index, n_c, n_s) for rule in rules.metrics if not rule.is_latency},
            {rule.name: self.gauges.mean(rule.name, index, n_c, n_s) for rule in rules.means},
            {rule.name: self.gauges.level(rule.name, index) for rule in rules.levels},
        )
        counted = side_of(self.policy, minute, 0, 0, "canary"), side_of(self.policy, minute, 0, 0, "stable")
        return _Shown(counted, self.world.sides(index, np.array([since]), n_c, n_s))

    def _side(self, reading: Reading, index: int, side: int) -> SlotMinute:
        """One slot in one minute; kept, because every tick reads all minutes again."""
        asked = [limits.canary if side == 0 else limits.stable for limits in reading.limits.values()]
        key = (index, side, tuple(name for names in asked for name in names))
        if key not in self._sides:
            self._sides[key] = self._shown(self._minutes[index], reading.limits, index, side)
        return self._sides[key]

    def _shown(self, shown: _Shown, limits: Mapping[str, Limits], index: int, side: int) -> SlotMinute:
        requests = float(shown.sides[side].requests[0])
        if not requests:
            return shown.counted[side]
        tails = {name: Tail(requests, self._over(of, shown.sides[side], index, side)) for name, of in limits.items()}
        return replace(shown.counted[side], tails=tails)

    def _over(self, limits: Limits, side: Side, index: int, which: int) -> dict[str, float]:
        """Each threshold has a chance of its own, so that it answers the same whichever others are asked about."""
        found = {}
        for name, microseconds in (limits.canary if which == 0 else limits.stable).items():
            chance = np.random.default_rng([self.seed, index, which, crc32(name.encode())])
            share = float(share_over(self.world.base.latency, np.array([microseconds / MEDIAN_US]), side)[0])
            found[name] = float(chance.binomial(int(side.requests[0]), share))
        return found
