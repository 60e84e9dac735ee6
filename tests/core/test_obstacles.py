"""What stands in the way of a step up, named before it is due."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core.conditions import Approval, ApprovalThen, DatedFreeze, Hook, HookKind
from sluice.core.head import Head, Quarantine
from sluice.core.obstacles import Kind, Obstacle, obstacles
from sluice.core.orders import NO_ORDERS, Approved, Breach, Said, Wait, WaitFor
from sluice.core.rollout import Phase
from tests.builders import NOW, head, policy, started

ANN = Said("ann", NOW - 180, "sale today")
FREEZE = DatedFreeze("dates", "sale", NOW - 60, NOW + 3 * 3600)
GATE = Hook(HookKind.HTTPS, "https://gate", 5, 1)
ONCALL = Approval(("arn:oncall/*", "arn:lead"), 3600, ApprovalThen.HOLD)


def found(made: Head, now: int = NOW) -> list[tuple[Kind, str]]:
    return [(each.kind, each.sentence) for each in obstacles(made, now)]


def guarded(**changes: Any) -> Head:
    """At 10 %, with everything that a policy can put before the next step."""
    first, second, last = policy().steps
    steps = (first, replace(second, approval=ONCALL, gates=(GATE,)), last)
    kept = policy(steps=steps, freeze=(FREEZE,))
    usual = {"phase": Phase.BAKING, "step": 0, "canary_parts": 1000, "policy": kept, "submitted_by": "arn:ci"}
    return started(**{**usual, **changes})


def test_nothing_stands_in_the_way_of_an_endpoint_that_nobody_stopped() -> None:
    assert obstacles(head(), NOW) == ()
    assert obstacles(started(), NOW) == ()


def test_everything_in_the_way_is_named_at_once() -> None:
    stopped = replace(guarded(orders=replace(NO_ORDERS, pause=ANN, breach=Breach(NOW, "errors 3x"))), stop=ANN)

    assert found(stopped) == [
        (Kind.STOPPED, "ann stopped every step up 3 min ago: sale today; `lift` ends it"),
        (Kind.PAUSED, "ann paused it: sale today; `resume` ends it"),
        (Kind.HARM, "held for people to decide: errors 3x; `resume` or `rollback` ends it"),
        (Kind.FROZEN, "freeze 'sale' is on for another 3 h"),
        (Kind.NEEDS, "`approve` for 50 % by arn:oncall/* or arn:lead, but not by arn:ci, who submitted it"),
        (Kind.GATES, "before 50 % these are asked: https://gate"),
    ]


def test_a_gate_that_was_asked_says_what_it_answered() -> None:
    wait = Wait(WaitFor.GATES, NOW, None, "50 % waits: gate https://gate does not agree", 1)

    assert found(guarded(orders=replace(NO_ORDERS, wait=wait)))[-1] == (Kind.GATES, wait.because)
    frozen = replace(wait, what=WaitFor.FREEZE)
    assert found(guarded(orders=replace(NO_ORDERS, wait=frozen)))[-1][1].startswith("before 50 %")


def test_a_registry_that_took_its_approval_back_says_so() -> None:
    wait = Wait(WaitFor.REGISTRY, NOW, None, "50 % waits: model package 3 of v2 is PendingManualApproval", 0)

    assert (Kind.REGISTRY, wait.because) in found(guarded(orders=replace(NO_ORDERS, wait=wait)))


def test_an_approval_is_for_its_step_only() -> None:
    def approval(step: int) -> bool:
        given = replace(NO_ORDERS, approved=Approved(step, "ann", NOW, "fine"))
        return any(kind is Kind.NEEDS for kind, _ in found(guarded(orders=given)))

    assert approval(0)
    assert not approval(1)


def test_a_freeze_without_an_end_says_so() -> None:
    endless = tuple(replace(FREEZE, start=FREEZE.start + i * 10, end=FREEZE.start + i * 10 + 11) for i in range(200))

    assert (Kind.FROZEN, "freeze 'sale' is on without an end in sight") in found(
        guarded(policy=policy(freeze=endless)), FREEZE.start
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"is_emergency": True},
        {"orders": replace(NO_ORDERS, force=ANN)},
        {"phase": Phase.ROLLING_BACK},
        {"phase": Phase.SOAKING, "canary_parts": 10_000},
    ],
)
def test_nothing_of_the_policy_stands_before_a_way_back_or_a_forced_step(changes: dict[str, Any]) -> None:
    assert found(guarded(**changes)) == []


def test_a_release_in_its_cool_down_is_named_until_it_is_over() -> None:
    out = replace(head(), quarantine=(Quarantine("c", "v3", NOW + 7200, "errors"),))

    assert obstacles(out, NOW) == (Obstacle(Kind.COOLING, "v3 is kept out for another 2 h: errors"),)
    assert obstacles(out, NOW + 7200) == ()
