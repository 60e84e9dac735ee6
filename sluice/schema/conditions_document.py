"""What a policy document may say about approvals, gates, freezes and hooks: keys, types, limits and why."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from sluice.core.links import BY_LINK
from sluice.schema.values import (
    Duration,
    PrintableName,
    Strict,
    Wrong,
    at_least,
    lasting,
    matching,
    pattern_schema,
    written,
)

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ARN_PATTERN = r"arn:[!-~]{1,400}"
_FUNCTION = r"arn:[a-z0-9-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_$-]{1,128})?"
_URL = r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}( ([01][0-9]|2[0-3]):[0-5][0-9])?"
_LONGEST_FREEZE_DAYS = 62
_MOST = 20
"""Of a kind in one list: the record of an endpoint has to fit into one item of the table (400 KB)."""


def at_most(longest: int, why: str) -> AfterValidator:
    """A duration that is not too long (seconds), and why."""

    def check(value: int) -> int:
        if value > longest:
            raise Wrong(f"must be at most {written(longest)}", why)
        return value

    return AfterValidator(check)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong("must be a time zone this computer knows, such as Europe/Berlin or UTC") from None
    return value


def _none(value: object) -> object:
    return None if value == "none" else value


_APPROVER_PATTERN = rf"{BY_LINK}|{_ARN_PATTERN}"
Approver = Annotated[
    str,
    matching(
        _APPROVER_PATTERN,
        f"must be an ARN, `*` standing for any text, or `{BY_LINK}`",
        "for example `arn:aws:sts::123456789012:assumed-role/oncall/*`",
    ),
    pattern_schema(_APPROVER_PATTERN),
]
Zone = Annotated[str, AfterValidator(_zone)]


class Approval(Strict):
    """A person who has to agree before the step begins, and who is not the one that submitted the release."""

    by: tuple[Approver, ...] = Field(
        min_length=1, max_length=_MOST, strict=False, examples=[["arn:aws:sts::123456789012:assumed-role/oncall/*"]]
    )
    """Who may: IAM ARNs of callers, `*` standing for any text; `link`: whoever holds a signed link, a person nobody proved."""
    timeout: Annotated[Duration, at_least("1m", "nobody could read what is asked")] = lasting("24h")
    """How long is waited for it."""
    then: Literal["rollback", "hold"] = "rollback"
    """What the step comes to without it; a hold ends after `max_hold`."""


class Hook(Strict):
    """A call to code of your own: a Lambda function, or an HTTPS URL that gets a signed POST. One of both."""

    function: (
        Annotated[str, matching(_FUNCTION, "must be the ARN of a Lambda function"), pattern_schema(_FUNCTION)] | None
    ) = Field(default=None, alias="lambda")
    """The function's ARN."""
    https: Annotated[str, matching(_URL, "must be a URL that begins with https://"), pattern_schema(_URL)] | None = None
    """The URL. Redirects are not followed."""
    timeout: Annotated[
        Duration, at_least("1s", "nothing answers sooner"), at_most(10, "the tick that waits for it has a minute")
    ] = lasting("5s")
    """How long one try may take."""
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    """How often it is tried again, a minute later, before people are told."""


def one_target(hooks: tuple[Hook, ...]) -> tuple[Hook, ...]:
    """Each hook calls exactly one thing."""
    for hook in hooks:
        if (hook.function is None) == (hook.https is None):
            raise Wrong("must have either `lambda` or `https` in each entry")
    return hooks


Hooks = Annotated[tuple[Hook, ...], AfterValidator(one_target)]


class Freeze(Strict):
    """A time without steps up. Rolling back is never frozen."""

    name: PrintableName = Field(examples=["year-end"])
    """What people call it."""
    zone: Zone = "UTC"
    """The time zone its dates and times are of, such as Europe/Berlin."""
    days: tuple[Day, ...] | None = Field(
        default=None, min_length=1, max_length=7, strict=False, examples=[["sat", "sun"]]
    )
    """Every week on these days. Without it, once."""
    begins: str = Field(default="00:00", validate_default=True, alias="from", examples=["18:00"])
    """With `days` a time of day, else a date with or without a time, such as 2026-12-20 or 2026-12-20 18:00."""
    ends: str = Field(default="24:00", validate_default=True, alias="to", examples=["24:00"])
    """Until then: with `days` a time of day (of the next day if it is not after `from`), else a date with or without a time."""

    @field_validator("begins", "ends")
    @classmethod
    def _as_days_say(cls, value: str, others: ValidationInfo) -> str:
        if "days" not in others.data:
            return value  # wrong itself, so it does not say what this has to be
        weekly = others.data["days"] is not None
        if not re.fullmatch(_TIME if weekly else _DATE, value):
            if weekly:
                raise Wrong("must be a time of day such as 18:00")
            raise Wrong("must be a date such as 2026-12-20, or 2026-12-20 18:00", "or say `days` for every week")
        if not weekly:
            parsed(value)
        return value

    @field_validator("ends")
    @classmethod
    def _after_the_beginning(cls, value: str, others: ValidationInfo) -> str:
        begins = others.data.get("begins")
        if others.data.get("days", "wrong") is not None or begins is None:
            return value
        length = parsed(value) - parsed(begins)
        if length.total_seconds() <= 0:
            raise Wrong(f"must be after from ({begins})")
        if length.days > _LONGEST_FREEZE_DAYS:
            raise Wrong(f"must be at most {_LONGEST_FREEZE_DAYS} days after from", "a rollout has to end some time")
        return value


def parsed(text: str) -> datetime:
    """A date with or without a time; raises Wrong for one that no calendar has."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M" if " " in text else "%Y-%m-%d")
    except ValueError:
        raise Wrong("must be a date that the calendar has") from None


def without_none(schema: dict[str, Any]) -> None:
    """For editors: `none` is the word for no approval."""
    schema["anyOf"].append({"const": "none"})


NoneOr = BeforeValidator(_none)
Freezes = Annotated[tuple[Freeze, ...], Field(max_length=_MOST)]
