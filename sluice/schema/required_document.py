"""What a rollout policy may require of a release before it is tried."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sluice.schema.values import Ratio, Strict, Wrong, matching, pattern_schema

_NAME = r"[A-Za-z0-9_.-]{1,60}"
_MOST_NUMBERS = 20
EvaluationName = Annotated[
    str,
    matching(_NAME, "must be 1 to 60 letters, digits, dots, dashes or underscores"),
    pattern_schema(_NAME),
]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Bar(Strict):
    """What a number of a release's evaluation is held against."""

    bad: Literal["high", "low"]
    """Which direction is worse: `low` for an accuracy, `high` for a loss."""
    limit: Finite | None = Field(default=None, examples=[0.95])
    """Not tried beyond this."""
    versus_stable: Ratio | None = Field(default=None, examples=[0.99])
    """Not tried beyond so many times the number of the release that serves."""

    @model_validator(mode="after")
    def _says_something(self) -> Bar:
        if self.limit is None and self.versus_stable is None:
            raise Wrong("must have a limit or versus_stable, got neither", "for example `{bad: low, limit: 0.95}`")
        return self


class Required(Strict):
    """What a release has to bring before it is tried. Asked at submission, not of a release that is brought back."""

    model_package: bool = False
    """Whether it has to name an entry of the model registry; one that it names has to be approved either way."""
    evaluation: dict[EvaluationName, Bar] = Field(
        default={}, max_length=_MOST_NUMBERS, examples=[{"accuracy": {"bad": "low", "limit": 0.95}}]
    )
    """Numbers of the release document, under `metadata.evaluation`, by name."""
