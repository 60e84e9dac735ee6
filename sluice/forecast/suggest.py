"""A better schedule: which first weight and which longest bakes give the shortest rollout for what is to be seen."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sluice.core.policy import Policy, Step
from sluice.core.weights import WHOLE
from sluice.forecast.forecast import Setting, WhatIf, error_curve, fate, first_caught, first_error_rate, rollouts
from sluice.forecast.world import Effect

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Space:
    """What is tried: first weights in parts of 10,000, as far as they stay below the second, and factors on every longest bake."""

    first_weights: tuple[int, ...] = (50, 100, 200, 500, 1000, 2000)
    stretches: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class Choice:
    """One schedule. `minutes` is what a good release takes (median), `smallest` the error increase that is caught with 90 %.

    `bad_requests` are those that doubled errors cost until they are noticed. `on_frontier`: no other choice is both shorter and sees more.
    """

    policy: Policy
    is_given: bool
    minutes: float
    smallest: float
    bad_requests: float
    on_frontier: bool = False


def suggest(
    policy: Policy,
    setting: Setting,
    progress: Callable[[str, int, int], None] = lambda *_: None,
    space: Space = Space(),
) -> tuple[Choice, ...]:
    """All choices tried, shortest first. Those that never promote a good release, or see nothing, are left out."""
    tried = list(_candidates(policy, space))
    found = []
    for done, candidate in enumerate(tried):
        progress(f"{candidate.steps[0].weight_parts / 100:g} % first", done, len(tried))
        choice = _weigh(candidate, setting, is_given=candidate == policy)
        if choice is not None:
            found.append(choice)
    return tuple(_frontier(sorted(found, key=lambda choice: (choice.minutes, choice.smallest))))


def _candidates(policy: Policy, space: Space) -> Iterator[Policy]:
    """The policy as it is, and with other first weights and longest bakes. Shortest bakes stay, and bound the longest."""
    yield policy
    first, *rest = policy.steps
    second = rest[0].weight_parts if rest else WHOLE
    weights = [parts for parts in space.first_weights if parts < second]
    for parts, stretch in itertools.product(weights, space.stretches):
        steps = [replace(first, weight_parts=parts), *rest]
        made = replace(policy, steps=tuple(_stretched(step, stretch) for step in steps))
        if made != policy:
            yield made


def _stretched(step: Step, factor: float) -> Step:
    """Whole minutes, never below the shortest bake."""
    seconds = round(step.bake_max_seconds * factor / _MINUTE) * _MINUTE
    return replace(step, bake_max_seconds=max(step.bake_min_seconds, seconds))


def _weigh(policy: Policy, setting: Setting, *, is_given: bool) -> Choice | None:
    good = WhatIf("good", Effect(), harmful=False)
    minutes, errors = fate(good, rollouts(policy, setting, good)).promoted_median, first_error_rate(policy)
    if minutes is None or errors is None:
        return None
    smallest = first_caught(error_curve(policy, setting))
    if smallest is None:
        return None
    doubled = WhatIf("doubled", Effect({errors: 2.0}), harmful=True)
    bad = fate(doubled, rollouts(policy, setting, doubled)).bad_requests
    return Choice(policy, is_given, minutes, smallest, bad)


def _frontier(choices: Sequence[Choice]) -> Iterator[Choice]:
    """Marks the choices that see more than every shorter one."""
    best = float("inf")
    for choice in choices:
        yield replace(choice, on_frontier=choice.smallest < best)
        best = min(best, choice.smallest)
