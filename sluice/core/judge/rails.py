"""Rails: absolute limits on a metric, obeyed only where the canary is worse than stable now and both sides have enough requests.

This is the judging of the first version. The sequential harm tests of shared/judge.md join here: they read the same rows and
answer with the same findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sluice.core.judge.verdict import Finding, Judgement, Verdict, Word
from sluice.core.observation import Counts, Row, SlotMinute
from sluice.core.policy import LatencyMetric, LatencyRail, Policy, RateMetric, RateRail

RAIL_TRIALS = 50
"""Requests a side needs in a minute before a rate in it means anything against a limit of a few percent."""
RAIL_SAMPLES_P90 = 100
"""A 90th percentile needs about 10 / (1 - 0.9) samples to mean something."""
WINDOW_MINUTES = 3
BREACHES = 2
"""Two bad minutes of the last three: what the CloudWatch alarms beside the judge ask for too."""

_ORDER = (Word.HARMFUL, Word.SHARED, Word.NO_DATA, Word.UNPROVEN, Word.CLEARED)


def judge(policy: Policy, rows: tuple[Row, ...], has_control: bool) -> Judgement:
    """The verdict on the rows of the current step (oldest first, complete minutes only).

    Without control (all traffic on the canary) only the absolute side of a rail is left.
    """
    judged = (_judge_metric(name, policy, rows, has_control) for name in sorted(policy.metrics))
    findings = [finding for finding in judged if finding is not None]
    findings.append(_floor(policy, rows, has_control))
    findings.sort(key=lambda finding: _ORDER.index(finding.word))
    return Judgement(_verdict(findings), tuple(findings))


def _verdict(findings: list[Finding]) -> Verdict:
    worst = findings[0].word
    if worst is Word.HARMFUL:
        return Verdict.ROLL_BACK
    if worst in (Word.SHARED, Word.NO_DATA):
        return Verdict.HOLD
    return Verdict.CONTINUE if worst is Word.UNPROVEN else Verdict.ADVANCE


def _judge_metric(name: str, policy: Policy, rows: tuple[Row, ...], has_control: bool) -> Finding | None:
    metric = policy.metrics[name]
    if isinstance(metric, RateMetric) and metric.rail is not None:
        return _rate(name, metric.rail, rows, has_control)
    if isinstance(metric, LatencyMetric) and metric.rail is not None:
        return _latency(name, metric.rail, policy, rows[-WINDOW_MINUTES:], has_control)
    return None


def _floor(policy: Policy, rows: tuple[Row, ...], has_control: bool) -> Finding:
    """The minimum evidence of a step, on both sides, over the whole step. Never skipped."""
    names = [name for name, metric in policy.metrics.items() if isinstance(metric, RateMetric)]
    canary = max((_total(rows, name, lambda row: row.canary) for name in names), default=0.0)
    stable = max((_total(rows, name, lambda row: row.stable) for name in names), default=0.0)
    enough = canary >= policy.min_samples and (stable >= policy.min_samples or not has_control)
    sides = f"{canary:.0f} canary and {stable:.0f} stable" if has_control else f"{canary:.0f}"
    return Finding(
        "samples", Word.CLEARED if enough else Word.UNPROVEN, f"{sides} requests of {policy.min_samples} needed"
    )


def _total(rows: Iterable[Row], name: str, side: Callable[[Row], SlotMinute]) -> float:
    return sum(counts.trials for row in rows if (counts := side(row).rates.get(name)))


def _rate(name: str, rail: RateRail, rows: tuple[Row, ...], has_control: bool) -> Finding:
    """One rate against its rail, over the latest blocks of minutes that hold enough canary requests."""
    if not rows:
        return Finding(name, Word.UNPROVEN, "not seen for a complete minute yet")
    if not any(name in row.canary.rates for row in rows[-WINDOW_MINUTES:]):
        return Finding(name, Word.UNPROVEN, f"not seen: no canary requests in the last {WINDOW_MINUTES} minutes")
    blocks = _blocks(name, rows)
    if not blocks:
        return Finding(name, Word.UNPROVEN, f"not judged: fewer than {RAIL_TRIALS} canary requests")
    limit, factor = rail.rate, rail.versus_stable
    over = [(canary, stable) for canary, stable in blocks if _ratio(canary) > limit]
    numbers = _rate_numbers(rail, blocks, has_control)
    if not has_control:
        word = Word.HARMFUL if len(over) >= BREACHES else Word.CLEARED
        return Finding(name, word, numbers)
    worse = sum(stable.trials >= RAIL_TRIALS and _ratio(canary) > factor * _ratio(stable) for canary, stable in over)
    if worse >= BREACHES:
        return Finding(name, Word.HARMFUL, f"{numbers} in {worse} of {len(blocks)} looks")
    if sum(stable.trials >= RAIL_TRIALS and _ratio(stable) > limit for _, stable in blocks) >= BREACHES:
        return Finding(name, Word.SHARED, f"stable itself is over its rail: {numbers}")
    if over:
        return Finding(name, Word.UNPROVEN, f"over its rail, but not shown to be worse than stable: {numbers}")
    return Finding(name, Word.CLEARED, numbers)


def _blocks(name: str, rows: tuple[Row, ...]) -> list[tuple[Counts, Counts]]:
    """The latest minutes, newest first, pooled until each block has RAIL_TRIALS canary requests: (canary, stable) pairs.

    With much traffic a block is a minute; with little, the same rule needs longer instead of seeing nothing.
    """
    blocks = []
    canary = stable = Counts(0, 0)
    for row in reversed(rows):
        canary = _pooled((canary, row.canary.rates.get(name)))
        stable = _pooled((stable, row.stable.rates.get(name)))
        if canary.trials >= RAIL_TRIALS:
            blocks.append((canary, stable))
            canary = stable = Counts(0, 0)
        if len(blocks) == WINDOW_MINUTES:
            break
    return blocks


def _ratio(counts: Counts) -> float:
    return counts.events / counts.trials if counts.trials else 0.0


def _rate_numbers(rail: RateRail, blocks: list[tuple[Counts, Counts]], has_control: bool) -> str:
    canary, stable = _pooled(canary for canary, _ in blocks), _pooled(stable for _, stable in blocks)
    shown = f"{_percent(canary)} ({canary.events:.0f} of {canary.trials:.0f})"
    limit = f"rail {100 * rail.rate:.1f} %"
    if not has_control:
        return f"{shown}, {limit}"
    return f"{shown} against {_percent(stable)}, {limit} and {rail.versus_stable:g}x"


def _pooled(counts: Iterable[Counts | None]) -> Counts:
    present = [c for c in counts if c is not None]
    return Counts(sum(c.trials for c in present), sum(c.events for c in present))


def _percent(counts: Counts) -> str:
    return f"{100 * _ratio(counts):.1f} %"


def _latency(name: str, rail: LatencyRail, policy: Policy, rows: tuple[Row, ...], has_control: bool) -> Finding:
    if not has_control:
        return Finding(name, Word.CLEARED, "not compared: no stable traffic")
    factor = rail.versus_stable
    pairs = [
        (row.canary.p90_us[name], row.stable.p90_us[name])
        for row in rows
        if name in row.canary.p90_us and name in row.stable.p90_us and _enough_for_p90(policy, row)
    ]
    if not pairs:
        return Finding(name, Word.CLEARED, f"p90 not compared: under {RAIL_SAMPLES_P90} requests a minute on a side")
    harmful = sum(canary > factor * stable for canary, stable in pairs)
    canary, stable = pairs[-1]
    numbers = f"p90 {canary / 1000:.0f} ms against {stable / 1000:.0f} ms, rail {factor:g}x"
    return Finding(name, Word.HARMFUL if harmful >= BREACHES else Word.CLEARED, numbers)


def _enough_for_p90(policy: Policy, row: Row) -> bool:
    names = [name for name, metric in policy.metrics.items() if isinstance(metric, RateMetric)]
    return any(
        name in row.canary.rates
        and name in row.stable.rates
        and min(row.canary.rates[name].trials, row.stable.rates[name].trials) >= RAIL_SAMPLES_P90
        for name in names
    )
