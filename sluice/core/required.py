"""What a policy requires of a release before it is tried: an entry in the model registry, and numbers of its evaluation.

The numbers are those of the release document, under `metadata.evaluation`: measured offline, by whoever trained the model. They
say that a release is worth trying, not that it is good; that the rollout finds out.
"""

from __future__ import annotations

from collections.abc import Iterator

from sluice.core.policy import Bad, Bar, Required
from sluice.core.release import Release

_WHERE = "metadata.evaluation"


def required_faults(required: Required, release: Release, stable: Release) -> tuple[str, ...]:
    """Why `release` is not tried against `stable`; empty when it brings all that is required."""
    return tuple(_faults(required, release, stable))


def _faults(required: Required, release: Release, stable: Release) -> Iterator[str]:
    if required.model_package and release.model_package is None:
        yield "the policy requires an entry in the model registry: set `model_package` in the release document"
    for name, bar in required.evaluation.items():
        value = release.evaluation.get(name)
        if value is None:
            yield f"the policy requires {_WHERE}.{name}, a number, in the release document"
            continue
        if bar.limit is not None and _is_beyond(bar, value, bar.limit):
            yield f"{_WHERE}.{name} is {value:g}, {_word(bar)} {bar.limit:g} is required"
        if bar.versus_stable is not None:
            yield from _compared(bar, bar.versus_stable, name, value, stable)


def _compared(bar: Bar, factor: float, name: str, value: float, stable: Release) -> Iterator[str]:
    base = stable.evaluation.get(name)
    if base is None or base <= 0:
        yield (
            f"{stable.name}, which serves, has no {_WHERE}.{name} above 0 to compare with: "
            "leave `versus_stable` out of the policy until a release that has it serves"
        )
    elif _is_beyond(bar, value, factor * base):
        times = "" if factor == 1 else f"{factor:g} times "
        yield f"{_WHERE}.{name} is {value:g}, {_word(bar)} {times}the {base:g} of {stable.name} is required"


def _is_beyond(bar: Bar, value: float, limit: float) -> bool:
    return value < limit if bar.bad is Bad.LOW else value > limit


def _word(bar: Bar) -> str:
    return "at least" if bar.bad is Bad.LOW else "at most"
