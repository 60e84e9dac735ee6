"""Harm-budgeted steps: the largest weight whose worst case keeps to the budget, rising and falling with the evidence."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from sluice.core.ascent import begin_step
from sluice.core.begin import begin
from sluice.core.decision import Decision
from sluice.core.errors import BadInput
from sluice.core.harm_budget import Known, excess, is_counted, limit
from sluice.core.observation import Row
from sluice.core.orders import NO_ORDERS, Said
from sluice.core.outlook import next_event
from sluice.core.policy import Bad, Policy
from sluice.core.rollout import Estimate, Phase
from tests.builders import NOW, errors, head, latency, policy, started, step, submission, terms
from tests.core.facts import minutes, row, seen

HALF = step(50)
LAST = policy().steps[-1]
OF_500 = Estimate(500, 0.002, 30, (), None)


def parts(budget: int | None, rows: tuple[Row, ...] = (), rps: float | None = 500, **changes: Any) -> int | None:
    found = limit(policy(harm_budget=budget, **changes), HALF, rows, rps)
    return None if found is None else found.parts


def watched(count: int, factor: float = 1.0, a_minute: float = 30_000, share: float = 0.1) -> tuple[Row, ...]:
    """Minutes of 0.2 % errors on stable, `factor` times that on the canary."""
    canary, stable = a_minute * share, a_minute * (1 - share)
    return minutes(*[row((canary, canary * 0.002 * factor), (stable, stable * 0.002))] * count, since=NOW - 60 * count)


class TestLimit:
    def test_without_evidence_the_worst_case_is_that_every_request_fails(self) -> None:
        """998 of 1,000 requests more than stable's 0.2 %, for a minute until it shows and five until it is undone."""
        found = limit(policy(harm_budget=200), HALF, (), 500)

        assert found is not None
        assert found.parts == 11
        assert found.excess == pytest.approx(500 * 60 * 0.0011 * 0.998 * (1 + 2 + 1 + 2))

    def test_it_rises_with_the_budget_and_falls_with_the_traffic(self) -> None:
        assert [parts(budget) for budget in (50, 200, 1000, 5000)] == [2, 11, 55, 278]
        assert [parts(200, rps=rps) for rps in (1, 20, 500, 5000)] == [5000, 278, 11, 1]

    def test_it_rises_with_evidence_that_the_canary_is_as_good(self) -> None:
        found = [parts(200, watched(count)) or 0 for count in (1, 5, 15, 60)]

        assert found == sorted(found)
        assert found[0] < 100 < found[1] < found[-1] == 5000

    def test_it_falls_with_evidence_that_the_canary_is_worse(self) -> None:
        found = [parts(200, watched(12, factor)) or 0 for factor in (1.0, 1.3, 1.6, 2.5)]

        assert found == sorted(found, reverse=True)
        assert found[0] > 2 * found[-1]

    def test_it_goes_by_the_busiest_minute_of_the_last_hour(self) -> None:
        quiet, busy = watched(20, a_minute=3000), watched(1, a_minute=30_000)
        mixed = minutes(*quiet[:10], *busy, *quiet[10:], since=NOW - 1260)

        assert (parts(200, mixed) or 0) < (parts(200, minutes(*quiet, quiet[0], since=NOW - 1260)) or 0)

    def test_nothing_limits_without_a_budget_at_100_or_where_no_rate_counts(self) -> None:
        conversions = errors(terms=terms(0.99, bad=Bad.LOW), rail=None)

        assert parts(None) is None
        assert limit(policy(harm_budget=1), LAST, (), 500) is None
        assert parts(1, metrics={"conversions": conversions, "latency": latency()}) is None

    def test_without_any_traffic_known_the_smallest_weight_is_all(self) -> None:
        found = limit(policy(harm_budget=10**9), HALF, (), None)

        assert found is not None
        assert (found.parts, found.excess) == (1, None)

    def test_a_smallest_weight_that_costs_more_says_so(self) -> None:
        found = limit(policy(harm_budget=1), HALF, (), 5000)

        assert found is not None
        assert found.parts == 1
        assert found.excess is not None
        assert found.excess > 1

    def test_the_rate_with_the_worst_case_decides(self) -> None:
        both = {"errors": errors(), "rejected": errors(rail=None)}
        shared = {name: replace(metric, terms=terms(1.1, share=0.25)) for name, metric in both.items()}

        assert (parts(200, metrics=shared) or 0) <= (parts(200, metrics={"errors": shared["errors"]}) or 0)

    def test_minutes_that_no_metric_has_are_no_traffic(self) -> None:
        assert parts(200, minutes(row(None, None), row((math.nan, 0), None), row((-5, 0), None))) == parts(200)


class TestExcess:
    @pytest.mark.parametrize("most", [1.2, 1.8, 3.0, 20.0, math.inf])
    @pytest.mark.parametrize("rate", [0.0001, 0.002, 0.05, 0.5])
    def test_it_grows_with_the_weight(self, rate: float, most: float) -> None:
        """What the search by halving rests on."""
        known = Known(errors(), 6000, rate, 1.5, most)
        found = [excess(policy(), HALF, known, share / 200) for share in range(1, 200)]

        assert found == sorted(found)

    def test_what_is_tolerated_is_no_harm(self) -> None:
        assert excess(policy(), HALF, Known(errors(), 6000, 0.002, 1.5, 1.05), 0.5) == 0

    def test_harm_that_is_never_seen_costs_the_longest_bake(self) -> None:
        """A tenth more than tolerated at one request a minute: 15 minutes of the bake and five more."""
        known = Known(errors(), 1, 0.5, 1.5, 1.2)

        assert excess(policy(), HALF, known, 0.5) == pytest.approx(1 * 0.5 * 0.5 * 0.2 * (15 + 5))

    def test_a_rail_sees_large_harm_sooner_than_the_comparison(self) -> None:
        with_rail, without = (Known(errors(rail=rail), 600, 0.002, 1.5, math.inf) for rail in (errors().rail, None))

        assert excess(policy(), HALF, with_rail, 0.1) < excess(policy(), HALF, without, 0.1)


def test_what_counts_is_a_rate_of_harm_that_is_enforced() -> None:
    assert is_counted(errors())
    assert not is_counted(latency())
    assert not is_counted(errors(terms=terms(0.99, bad=Bad.LOW)))
    assert not is_counted(errors(terms=terms(1.1, share=0.0)))
    assert not is_counted(errors(terms=terms(1.1, observe=True)))


class TestSteps:
    """Where the limit is obeyed, and what is said of it."""

    def limited(self, budget: int = 200) -> Policy:
        return policy(harm_budget=budget)

    def begun(self, index: int, rows: tuple[Row, ...] = (), **changes: Any) -> Decision:
        fields = {"policy": self.limited(), "forecast": OF_500, **changes}
        return begin_step(started(**fields), index, seen(rows=rows), NOW)

    def test_a_step_begins_below_its_weight_and_says_why(self) -> None:
        decision = self.begun(0)
        rollout = decision.next.live

        assert rollout is not None
        assert (rollout.step, rollout.canary_parts, rollout.shifts[-1].canary_parts) == (0, 11, 11)
        assert decision.because == (
            "raising v2 to 0.11 % (step 1 of 3, kept below 10 % by harm_budget of 200: 198 excess bad requests at worst)"
        )
        assert sum(rollout.weights.values()) == 10_000

    def test_evidence_gives_the_step_its_own_weight_and_no_more(self) -> None:
        rollout = self.begun(0, watched(60)).next.live

        assert rollout is not None
        assert rollout.canary_parts == 1000

    def test_the_next_step_may_be_smaller_than_the_one_before(self) -> None:
        decision = self.begun(1, watched(12, 2.5), step=0, canary_parts=1000, policy=self.limited(50))
        rollout = decision.next.live

        assert rollout is not None
        assert rollout.canary_parts < 1000
        assert decision.because.startswith("lowering v2 to ")

    def test_unknown_traffic_is_said(self) -> None:
        decision = self.begun(0, forecast=None)

        assert "0.01 % (step 1 of 3, kept below 10 % by harm_budget of 200: traffic is not known)" in decision.because

    def test_the_last_step_and_a_forced_one_are_not_limited(self) -> None:
        forced = replace(NO_ORDERS, force=Said("ann", NOW - 5, "sale"))
        last, pushed = self.begun(2).next.live, self.begun(0, orders=forced).next.live

        assert last is not None
        assert pushed is not None
        assert (last.canary_parts, pushed.canary_parts) == (10_000, 1000)

    def test_a_submission_has_to_say_its_traffic(self) -> None:
        asked = submission(policy=self.limited())

        with pytest.raises(BadInput, match="submission.rps: must be given with `harm_budget`"):
            begin(head(), asked, NOW)
        assert begin(head(), replace(asked, rps=500.0), NOW).kind == "submitted"
        assert begin(head(), submission(policy=policy(harm_budget=200, steps=(LAST,))), NOW).kind == "submitted"

    def test_the_outlook_calls_the_weight_a_limit(self) -> None:
        rollout = started(policy=self.limited(), phase=Phase.BAKING, step=0, canary_parts=11, applied_at=NOW).live
        last = started(policy=self.limited(), phase=Phase.BAKING, step=1, canary_parts=11, applied_at=NOW).live

        assert rollout is not None
        assert last is not None
        assert next_event(rollout, NOW).sentence.startswith("may go to at most 50 % in 5 min")
        assert next_event(last, NOW).sentence.startswith("may go to 100 % in 5 min")
