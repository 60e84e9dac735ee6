"""Rivals, from their documentation. Each says in which row it takes the canary back, -1 where never.

They see the same minutes as the judge. What their documents leave to the user is set as their own examples set it.
"""

from __future__ import annotations

import numpy as np

from benchmarks.judge.record import Recorded
from sluice.forecast.arrays import Flags, Floats, Whole, ratio

_ROWS_A_KAYENTA_RUN = 5
_KAYENTA_Z = 2.326
"""Two-sided 98 % confidence, Kayenta's default."""
_KAYENTA_TOLERANCE = 0.25
_PEEK_Z = 1.645
_FEWEST = 30.0


def first_row(bad: Flags) -> Whole:
    """The first row with True, -1 where there is none."""
    return np.where(bad.any(axis=1), bad.argmax(axis=1), -1).astype(np.int64)


def in_a_row(bad: Flags, times: int) -> Flags:
    """Whether this row and the `times - 1` before are all bad."""
    run = bad.copy()
    for back in range(1, times):
        shifted = np.zeros_like(bad)
        shifted[:, back:] = bad[:, :-back]
        run &= shifted
    return run


def static_alarm(seen: Recorded) -> Whole:
    """CloudWatch alarms on the canary's own metrics, as SageMaker's deployment guardrails take them: error rate over 5 %,
    p99 over twice the usual one, 3 of 3 minutes. No comparison with the old fleet."""
    n_c = seen.n[0]
    errors = ratio(seen.errors[0], n_c) > 0.05
    slow = ratio(seen.over_2p99, n_c) > 0.01
    return first_row(in_a_row(errors, 3) | in_a_row(slow, 3))


def flagger_like(seen: Recorded) -> Whole:
    """Flagger's loop: every minute success rate >= 99 %, p99 below a limit (here 1.5 times the usual one), KPI within 10 % of
    stable; a failed check is counted, five of them (`threshold: 5`) take the canary back. A minute without requests is skipped."""
    n_c, n_s = seen.n
    alive = n_c > 0
    errors = ratio(seen.errors[0], n_c) > 0.01
    slow = _p99(seen.over_p99[0], n_c) > 1.5
    kpi = ratio(seen.kpi[0], n_c) < 0.9 * ratio(seen.kpi[1], n_s)
    failed = alive & (errors | slow | kpi)
    return first_row(np.cumsum(failed, axis=1) >= 5)


def plain_rules(seen: Recorded) -> Whole:
    """ "Errors over 5 % at once, p99 over twice stable's, KPI 10 % below stable's", taken literally, every minute."""
    n_c, n_s = seen.n
    errors = ratio(seen.errors[0], n_c) > 0.05
    slow = _p99(seen.over_p99[0], n_c) > 2 * _p99(seen.over_p99[1], n_s)
    kpi = ratio(seen.kpi[0], n_c) < 0.9 * ratio(seen.kpi[1], n_s)
    return first_row((n_c > 0) & (errors | slow | kpi))


def peeked_z_test(seen: Recorded) -> Whole:
    """Two pooled proportions, one-sided p < 0.05, looked at every minute once 30 canary requests were seen."""
    n_c, n_s = (np.cumsum(n, axis=1) for n in seen.n)
    bad = np.zeros(n_c.shape, dtype=bool)
    for (canary, stable), sign in ((seen.errors, 1), (seen.over_p90, 1), (seen.over_p99, 1), (seen.kpi, -1)):
        e_c, e_s = np.cumsum(canary, axis=1), np.cumsum(stable, axis=1)
        pooled = ratio(e_c + e_s, n_c + n_s)
        spread = np.sqrt(pooled * (1 - pooled) * (ratio(np.ones_like(n_c), n_c) + ratio(np.ones_like(n_s), n_s)))
        bad |= sign * ratio(ratio(e_c, n_c) - ratio(e_s, n_s), spread) > _PEEK_Z
    return first_row(bad & (n_c >= _FEWEST))


def kayenta_like(seen: Recorded) -> Whole:
    """Netflix's judge as Kayenta documents it: per metric a Mann-Whitney test of the two series of minutes (98 %, and the
    interval of the shift clear of a quarter of its estimate). Run every 5 minutes on everything so far; a score below 75 fails,
    which with these metrics means one of them."""
    n_c, n_s = seen.n
    series = [(ratio(c, n_c), ratio(s, n_s), 1) for c, s in (seen.errors, seen.over_p50, seen.over_p99)]
    series.append((ratio(seen.kpi[0], n_c), ratio(seen.kpi[1], n_s), -1))
    first = np.full(n_c.shape[0], -1, dtype=np.int64)
    for rows in range(2 * _ROWS_A_KAYENTA_RUN, n_c.shape[1] + 1, _ROWS_A_KAYENTA_RUN):
        failed = np.zeros(n_c.shape[0], dtype=bool)
        for canary, stable, sign in series:
            failed |= _shifted(sign * canary[:, :rows], sign * stable[:, :rows])
        first = np.where((first < 0) & failed, rows - 1, first)
    return first


def _shifted(canary: Floats, stable: Floats) -> Flags:
    """Whether the lower end of the Hodges-Lehmann interval is above a quarter of its middle (normal approximation)."""
    m = canary.shape[1]
    differences = np.sort((canary[:, :, None] - stable[:, None, :]).reshape(canary.shape[0], -1), axis=1)
    low = max(0, int(m * m / 2 - _KAYENTA_Z * np.sqrt(m * m * (2 * m + 1) / 12)))
    middle = np.median(differences, axis=1)
    return np.asarray((middle > 0) & (differences[:, low] > _KAYENTA_TOLERANCE * middle))


def _p99(over: Floats, n: Floats) -> Floats:
    """The minute's p99 in units of stable's usual p99, from how many requests were over that (power-law tail, steepness 4)."""
    return (ratio(over, n) / 0.01) ** 0.25


RIVALS = {
    "static alarms, 3 of 3": static_alarm,
    "Flagger-like + KPI": flagger_like,
    "Kayenta-like, every 5 min": kayenta_like,
    "z-test p < .05, peeked": peeked_z_test,
    "5 % / 2x / -10 %, literal": plain_rules,
}
