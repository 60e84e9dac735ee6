"""The search for a schedule: the policy itself is among the choices, and the frontier holds what no other choice beats."""

from __future__ import annotations

from dataclasses import replace

from sluice.forecast import suggest as search
from sluice.forecast.forecast import Setting, base_of
from tests.forecast.policies import with_kpi


def test_the_frontier_holds_what_no_other_choice_beats() -> None:
    policy = replace(with_kpi(), steps=(with_kpi().steps[1], with_kpi().steps[-1]))
    space = search.Space((200, 500), (1.0,))
    choices = search.suggest(policy, Setting(base_of(policy, 500, {}), rollouts=40, seed=2), space=space)

    assert [choice.is_given for choice in choices].count(True) == 1
    assert {choice.policy.steps[0].weight_parts for choice in choices} == {200, 500, 1000}
    assert [choice.minutes for choice in choices] == sorted(choice.minutes for choice in choices)
    for choice in choices:
        beaten = any(other.minutes < choice.minutes and other.smallest <= choice.smallest for other in choices)
        assert not (choice.on_frontier and beaten)
