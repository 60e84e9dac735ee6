"""The values people write and what they mean in whole numbers: durations, percentages, weights, factors, names.

A value that is wrong is refused with a rule; `sluice.schema.faults` adds where it stands and what was given.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from sluice.core.weights import parts_of_percent

VARIANT_NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
"""SageMaker's pattern for endpoints and production variants."""
BUCKET_NAME = r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
DURATION = r"[0-9]{1,12}[smhd]"
PERCENTAGE = r"[0-9]+(\.[0-9]+)? *%"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST_SECONDS = 365 * 86400
"""A Step Functions execution lives no longer than a year."""
_PRINTABLE = r"[!-~]([ -~]{0,58}[!-~])?"


class Strict(BaseModel):
    """What every document is made of: no key is ignored, no type is guessed, docstrings of fields explain them in editors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class Wrong(ValueError):
    """Why a value is refused: a rule that what was given is appended to, and what to do where the rule does not say it."""

    def __init__(self, rule: str, advice: str = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.advice = advice


class Matching:
    """Text that matches a whole pattern. `rule` is also what the configuration reference says of it."""

    def __init__(self, pattern: str, rule: str, advice: str) -> None:
        self.rule = rule
        self._whole = re.compile(pattern)
        self._advice = advice

    def __call__(self, value: str) -> str:
        if not self._whole.fullmatch(value):
            raise Wrong(self.rule, self._advice)
        return value


def matching(pattern: str, rule: str, advice: str = "") -> AfterValidator:
    """Text that matches the whole pattern."""
    return AfterValidator(Matching(pattern, rule, advice))


def seconds(value: object) -> int:
    """Seconds of a duration as people write it; raises Wrong without a unit or beyond a year."""
    if not isinstance(value, str) or not re.fullmatch(DURATION, value):
        raise Wrong("must be a duration with its unit, such as 90s, 7m, 24h or 2d")
    found = int(value[:-1]) * _UNITS[value[-1]]
    if found > _LONGEST_SECONDS:
        raise Wrong("must be at most 365d")
    return found


def written(count: int) -> str:
    """Seconds as people write them, in the largest unit that fits: 600 is 10m."""
    unit = next((u for u in "dhm" if count and count % _UNITS[u] == 0), "s")
    return f"{count // _UNITS[unit]}{unit}"


class NotBelow:
    """A duration that is not too short. `rule` is also what the configuration reference says of it."""

    def __init__(self, shortest: str, why: str) -> None:
        self.rule = f"must be at least {shortest}"
        self._bound = seconds(shortest)
        self._why = why

    def __call__(self, value: int) -> int:
        if value < self._bound:
            raise Wrong(self.rule, self._why)
        return value


def at_least(shortest: str, why: str) -> AfterValidator:
    """A duration that is not too short, and why."""
    return AfterValidator(NotBelow(shortest, why))


def lasting(default: str) -> Any:
    """A duration's default, in the document as people would write it."""
    return Field(default=seconds(default), json_schema_extra={"default": default})


def _percentage(value: object) -> float:
    said = isinstance(value, str) and re.fullmatch(PERCENTAGE, value)
    found = Decimal(str(value).rstrip("% ")) if said else Decimal(0)
    if not 0 < found < 100:
        raise Wrong("must be a percentage with its sign, above 0 % and below 100 %, such as 5%")
    return float(found / 100)


def _weight(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong("must be a number of percent without quotes or sign, such as 25 or 0.5")
    return parts_of_percent(value)


def _is_one(value: int) -> int:
    if value != 1:
        raise Wrong("must be 1", "this Sluice reads no other version")
    return value


def _above_one(value: float) -> float:
    if not 1 < value < 1000:
        raise Wrong("must be a factor above 1 and below 1000, such as 2.0")
    return value


def _part(value: float) -> float:
    if not 0 <= value <= 1:
        raise Wrong("must be a part of one, from 0 to 1")
    return value


def _ratio(value: float) -> float:
    if not 0 < value < 1000:
        raise Wrong("must be a ratio above 0 and below 1000, such as 1.1 or 0.98")
    return value


def pattern_schema(pattern: str) -> WithJsonSchema:
    """For editors: text of this pattern."""
    return WithJsonSchema({"type": "string", "pattern": f"^({pattern})$"})


def _number(**limits: float) -> WithJsonSchema:
    return WithJsonSchema({"type": "number", **limits})


Duration = Annotated[int, BeforeValidator(seconds), pattern_schema(DURATION)]
VersionOne = Annotated[int, AfterValidator(_is_one), WithJsonSchema({"const": 1})]
"""Not a Literal: those take `true` for 1."""
Percentage = Annotated[float, BeforeValidator(_percentage), pattern_schema(PERCENTAGE)]
WeightParts = Annotated[int, BeforeValidator(_weight), _number(minimum=0.01, maximum=100)]
Factor = Annotated[float, AfterValidator(_above_one), _number(exclusiveMinimum=1, exclusiveMaximum=1000)]
Share = Annotated[float, AfterValidator(_part), _number(minimum=0, maximum=1)]
Ratio = Annotated[float, AfterValidator(_ratio), _number(exclusiveMinimum=0, exclusiveMaximum=1000)]
PrintableName = Annotated[
    str, matching(_PRINTABLE, "must be 1 to 60 printable ASCII characters without spaces at its ends")
]
