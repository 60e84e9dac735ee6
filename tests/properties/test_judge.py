"""What must hold for any rows and any policy: looked for by hypothesis, always with the same examples."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.core.judge import Judgement, Run, Verdict, Word
from sluice.core.judge.clearance import RatioProof
from sluice.core.judge.interval import RatioInterval
from sluice.core.judge.memory import Memory
from sluice.core.judge.pair import Pair
from sluice.core.observation import Counts, Moments, Row, SlotMinute, Tail
from sluice.core.policy import Bad, Metric, Policy
from tests.builders import errors, latency, terms
from tests.core.judge.minutes import QUANTILES, REVENUE, minute, slow, study, usual

looked_for = settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))

ACCURACY = errors(rail=None, namespace="Shop", events="Right", trials="Seen", terms=terms(0.97, 0.3, bad=Bad.LOW))
METRICS: dict[str, Metric] = {
    "errors": errors(terms=terms(1.1, 0.3, absolute=0.0002)),
    "latency": latency(terms=terms(1.3, 0.2)),
    "accuracy": ACCURACY,
    "revenue": replace(REVENUE, terms=terms(0.97, 0.2, bad=Bad.LOW)),
}
POLICY = study(metrics=METRICS)


def side(requests: int, wrong: float, right: float, worth: float, base: SlotMinute) -> SlotMinute:
    """A slot's minute with a number of everything."""
    rates = {"errors": Counts(requests, int(requests * wrong)), "accuracy": Counts(requests, int(requests * right))}
    moments = Moments(requests, requests * worth, requests * worth * worth * 1.5)
    return SlotMinute(rates, base.tails, {"revenue": moments})


@st.composite
def rollouts(draw: Callable[..., Any], most: int = 16) -> tuple[Row, ...]:
    """Minutes of one to three steps, sometimes with a canary that is much worse in something."""
    wrong, right, worth = (
        draw(st.sampled_from([0.0, 0.002, 0.3])),
        draw(st.sampled_from([0.5, 0.9])),
        draw(st.sampled_from([40.0, 50.0])),
    )
    factor = draw(st.sampled_from([0.5, 1.0, 6.0]))
    steps = sorted(draw(st.lists(st.integers(0, 2), min_size=1, max_size=most)))
    volumes = draw(st.lists(st.integers(0, 3000), min_size=len(steps), max_size=len(steps)))
    return tuple(
        minute(
            i,
            side(n, wrong, right, worth, slow(n, factor, margin=(2.0, 1.41, 1.41)[step])),
            side(3000, 0.002, 0.9, 50.0, usual(3000)),
            step,
            canary_parts=None,
        )
        for i, (step, n) in enumerate(zip(steps, volumes, strict=True))
    )


def fresh(policy: Policy, rows: tuple[Row, ...]) -> Judgement:
    return Run.of(policy).read(rows).judgement()


def of(judgement: Judgement, *names: str) -> list[Any]:
    return [found for found in judgement.findings if found.metric in names]


@looked_for
@given(rollouts(), st.permutations(sorted(METRICS)))
def test_the_order_of_metrics_changes_nothing(rows: tuple[Row, ...], order: list[str]) -> None:
    def turned(slot: SlotMinute) -> SlotMinute:
        return replace(slot, rates=dict(reversed(slot.rates.items())))

    other = study(metrics={name: METRICS[name] for name in order})
    mirrored = tuple(replace(row, canary=turned(row.canary), stable=turned(row.stable)) for row in rows)

    assert fresh(other, mirrored) == fresh(POLICY, rows)


@looked_for
@given(rollouts(), st.sampled_from([0.05, 0.5, 1.0]))
def test_a_metric_with_share_0_is_shown_and_changes_nothing_else(rows: tuple[Row, ...], part: float) -> None:
    extra = {
        "clicks": errors(rail=None, namespace="Shop", terms=terms(1.1, 0.0)),
        "waiting": latency(rail=None, terms=terms(1.3, 0.0)),
    }

    def more(slot: SlotMinute, of_them: float) -> SlotMinute:
        tail = slot.tails["latency"]
        over = dict.fromkeys(tail.over, tail.trials * of_them)
        clicks = Counts(5000, int(5000 * of_them))
        return replace(
            slot, rates={**slot.rates, "clicks": clicks}, tails={**slot.tails, "waiting": replace(tail, over=over)}
        )

    wider = tuple(replace(row, canary=more(row.canary, part), stable=more(row.stable, 0.05)) for row in rows)

    before, after = fresh(POLICY, rows), fresh(study(metrics={**METRICS, **extra}), wider)
    names = (*METRICS, "samples", "split")
    assert after.verdict == before.verdict
    assert of(after, *names) == of(before, *names)
    assert not any(found.word is Word.HARMFUL for found in of(after, *extra))


@looked_for
@given(st.integers(1, 50), st.integers(0, 20), st.integers(0, 20), st.sampled_from([1.0, 1.6, 3.0]))
def test_minutes_of_equal_rates_say_as_much_split_as_merged(count: int, canary: int, stable: int, phi: float) -> None:
    """Of what is summed; only the moment at which harm begins, the cap and the noise that is learnt are a minute's own."""
    one, whole = Pair(1000, canary, 3000, stable), Pair(1000 * count, canary * count, 3000 * count, stable * count)
    proofs = RatioProof.of(2.5, Bad.HIGH, math.inf), RatioProof.of(2.5, Bad.HIGH, math.inf)
    spreads = RatioInterval(), RatioInterval()
    for _ in range(count):
        proofs[0].add(one, phi)
        spreads[0].add(one, phi, 0)
    proofs[1].add(whole, phi)
    spreads[1].add(whole, phi, 0)

    assert proofs[0].proof.sums == pytest.approx(proofs[1].proof.sums, rel=1e-9, abs=1e-9)
    split, merged = (spread.interval() for spread in spreads)
    assert (split.low, split.high) == (merged.low, merged.high)
    assert (split.ratio is None) == (merged.ratio is None)
    assert (split.ratio or 0) == pytest.approx(merged.ratio or 0, rel=1e-9)


BROKEN = st.sampled_from([math.nan, math.inf, -math.inf, -1.0, -0.5, 1e300, 1e16])


@looked_for
@given(rollouts(), BROKEN, st.data())
def test_numbers_that_cannot_be_are_named_and_blame_nobody(
    rows: tuple[Row, ...], broken: float, data: st.DataObject
) -> None:
    healthy = tuple(
        replace(row, canary=side(3000, 0.002, 0.9, 50.0, slow(3000, 1.0, margin=2.0)), step=0) for row in rows
    )
    at = data.draw(st.integers(max(0, len(rows) - 5), len(rows) - 1))
    slot = data.draw(st.sampled_from(["canary", "stable"]))
    was = getattr(healthy[at], slot)
    spoilt = data.draw(
        st.sampled_from(
            [
                replace(was, rates={**was.rates, "errors": Counts(3000, broken)}),
                replace(was, rates={**was.rates, "accuracy": Counts(broken, 1)}),
                replace(was, tails={"latency": Tail(broken, was.tails["latency"].over)}),
                replace(was, tails={"latency": Tail(3000, dict.fromkeys(was.tails["latency"].over, broken))}),
                replace(was, means={"revenue": Moments(broken, 1.0, 1.0)}),
                replace(was, means={"revenue": Moments(10.0, broken * 1e3, 1.0)}),
                replace(was, means={"revenue": Moments(10.0, 1.0, broken * 1e30)}),
            ]
        )
    )
    changed = (*healthy[:at], replace(healthy[at], **{slot: spoilt}), *healthy[at + 1 :])

    judgement = fresh(POLICY, changed)

    assert judgement.verdict is Verdict.HOLD
    assert not judgement.is_incident
    assert f" of {slot}: " in next(found.numbers for found in judgement.findings if found.metric == "quality")


@looked_for
@given(rollouts(), st.sets(st.sampled_from(["rates", "tails", "means"])), st.sampled_from(["canary", "stable"]))
def test_whatever_is_missing_nothing_fails_and_a_healthy_canary_is_not_blamed(
    rows: tuple[Row, ...], missing: set[str], slot: str
) -> None:
    healthy = tuple(
        replace(row, canary=side(3000, 0.002, 0.9, 50.0, slow(3000, 1.0, margin=2.0)), step=0) for row in rows
    )
    holed = tuple(
        replace(row, **{slot: replace(getattr(row, slot), **{key: {} for key in missing})}) if i % 2 else row
        for i, row in enumerate(healthy)
    )

    assert fresh(POLICY, holed).verdict is not Verdict.ROLL_BACK


@looked_for
@given(rollouts(most=30), st.sampled_from([0.0, 0.5, 0.9]), st.integers(1, 3000), st.booleans())
def test_a_canary_without_a_request_is_never_taken_back_whatever_is_reported_of_it(
    rows: tuple[Row, ...], right: float, seen: int, said: bool
) -> None:
    reported = SlotMinute(
        {"accuracy": Counts(seen, int(seen * right)), **({"errors": Counts(0, 0)} if said else {})},
        {"latency": Tail(seen, dict.fromkeys(("p50x1.3", "p90x1.3", "p99x1.3", "p99x3"), seen))},
        {"revenue": Moments(seen, seen * 1.0, seen * 1.5)},
    )
    quiet = tuple(replace(row, canary=reported) for row in rows)

    assert fresh(POLICY, quiet).verdict is not Verdict.ROLL_BACK


VOLUMES = st.sampled_from([0, 1e-3, 1, 3, 50, 3000, 1e9, 1e12, 1e15])


def even(requests: float, wrong: float, worth: float, step: int) -> SlotMinute:
    """A slot's minute in which a part of everything is bad; parts of few requests are whole."""
    part = (lambda p: requests * p) if requests > 1e6 else (lambda p: float(int(requests * p)))
    over = {f"{q}x{g:g}": part(p) for q, p in QUANTILES.items() for g in (1, 1.3, (2.0, 1.41, 1.41)[step])}
    rates = {"errors": Counts(requests, part(wrong)), "accuracy": Counts(requests, part(1 - wrong))}
    moments = Moments(requests, requests * worth, requests * worth * worth * 1.5)
    return SlotMinute(rates, {"latency": Tail(requests, over | {"p99x3": part(0.0005)})}, {"revenue": moments})


@settings(looked_for, max_examples=60)
@given(
    st.lists(st.tuples(VOLUMES, VOLUMES, st.sampled_from(["", "canary", "stable"])), min_size=1, max_size=20),
    st.sampled_from([0.0, 0.002, 0.04, 1.0]),
    st.sampled_from([1e-90, 50.0, 1e9]),
)
def test_however_much_or_little_there_is_nothing_fails_and_equals_are_not_blamed(
    volumes: list[tuple[float, float, str]], wrong: float, worth: float
) -> None:
    """Weights of a thousandth, endpoints nobody asks, counts no endpoint has: where stable is seen, too, no two alike are told apart."""
    rows = []
    for i, (canary, stable, _) in enumerate(volumes):
        step = min(i // 7, 2)
        sides = even(canary, wrong, worth, step), even(stable, wrong, worth, step)
        rows.append(minute(i, *sides, step, canary_parts=None))
    holed = [
        replace(row, **({slot: SlotMinute()} if slot else {})) for row, (*_, slot) in zip(rows, volumes, strict=True)
    ]
    seen = all(slot != "stable" and stable >= 50 for _, stable, slot in volumes)

    run = Run.of(POLICY)
    verdicts = [run.read([row]).judgement().verdict for row in holed]

    assert Verdict.ROLL_BACK not in verdicts or not (seen or wrong < 0.05)


@looked_for
@given(rollouts(most=30), st.data())
def test_rows_that_come_twice_say_nothing_new(rows: tuple[Row, ...], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    again = (*rows[: at + 1], *rows[max(0, at - 5) : at + 1], *rows[at + 1 :])

    assert fresh(POLICY, again) == fresh(POLICY, rows)


@looked_for
@given(rollouts(most=60), st.data())
def test_a_memory_of_earlier_looks_changes_no_answer_however_late_the_data_come(
    rows: tuple[Row, ...], data: st.DataObject
) -> None:
    memory = Memory()
    for _ in range(3):
        count = data.draw(st.integers(0, len(rows)))
        late = data.draw(st.integers(0, max(0, count - 1)))
        known = tuple(replace(row, canary=SlotMinute()) if i == late else row for i, row in enumerate(rows[:count]))

        assert memory.judge(POLICY, known) == fresh(POLICY, known)
    assert memory.judge(POLICY, rows) == fresh(POLICY, rows)
