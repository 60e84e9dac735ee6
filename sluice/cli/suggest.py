"""`suggest`: other first weights and longest bakes for a policy, and what they would change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sluice.cli.forecast import Asked, read_rates
from sluice.cli.needs import numpy_there
from sluice.cli.operate import Said
from sluice.cli.text import INDENT, compact
from sluice.core.errors import BadInput
from sluice.core.policy import Policy
from sluice.core.weights import WHOLE, percent_text
from sluice.schema import read_policy

if TYPE_CHECKING:  # numpy comes with the extra `forecast`
    from sluice.forecast.suggest import Choice

SCHEMA = 1


def suggest(asked: Asked, to_terminal: bool) -> Said:
    """Try the schedules and show those worth having: shorter, or seeing more, than every other."""
    numpy_there("suggest")
    from sluice.cli.progress import progress_to
    from sluice.forecast import suggest as search
    from sluice.forecast.forecast import Setting, base_of

    policy = read_policy(asked.file)
    if len(policy.steps) == 1:
        raise BadInput((f"{asked.file}: nothing to search: its only step is 100",))
    base = base_of(policy, asked.rps, read_rates(policy, asked.rates))
    with progress_to(to_terminal) as progress:
        choices = search.suggest(policy, Setting(base, rollouts=asked.rollouts, seed=asked.seed), progress)
    document = {"schema": SCHEMA, "policy": str(asked.file), "choices": [_document(choice) for choice in choices]}
    return Said(document, tuple(_lines(asked, choices)))


def _document(choice: Choice) -> dict[str, object]:
    return {
        "steps": _steps(choice.policy),
        "is_given": choice.is_given,
        "on_frontier": choice.on_frontier,
        "minutes": choice.minutes,
        "smallest_error_increase": choice.smallest,
        "bad_requests_when_errors_double": choice.bad_requests,
    }


def _steps(policy: Policy) -> str:
    """`1% 7m-15m, 10% 10m-30m`: all judged steps."""
    return ", ".join(
        f"{percent_text(step.weight_parts)} {compact(step.bake_min_seconds)}-{compact(step.bake_max_seconds)}"
        for step in policy.steps
        if step.weight_parts < WHOLE
    )


def _lines(asked: Asked, choices: tuple[Choice, ...]) -> Iterator[str]:
    yield f"{asked.file} at {asked.rps:g} requests/s: {asked.rollouts:,} rollouts for each schedule, seed {asked.seed}"
    if not choices:
        yield "no schedule tried promotes a good release and catches an error increase up to x50: ask for less proof, or wait longer"
        return
    yield ""
    yield f"{INDENT}{'good release':>12}  {'catches (90 %)':>14}  {'if errors double':>16}  steps"
    for choice in choices:
        if choice.on_frontier or choice.is_given:
            bad = f"{choice.bad_requests:,.0f} bad"
            mark = "  <- as it is" if choice.is_given else ""
            yield f"{INDENT}{f'{choice.minutes:.0f} min':>12}  {f'x {choice.smallest:.2g}':>14}  {bad:>16}  {_steps(choice.policy)}{mark}"
    yield ""
    yield "shown are the schedules that see more than every shorter one; ties in minutes are within the noise of the simulation"
