"""What an alarm makes of silence is said by the program, not by a default."""

from __future__ import annotations

from collections.abc import Iterator

from sluice_compliance.resources import ALARM, UNKNOWN, Resource, items


def missing_data_chosen(alarm: Resource) -> Iterator[str]:
    """`missing` is also what the provider fills in where nothing is written, and a policy cannot tell the two apart. It
    counts as a choice where something is done about silence.
    """
    if alarm.type != ALARM:
        return
    said = alarm.get("treatMissingData")
    if said is UNKNOWN or said in ("breaching", "ignore", "notBreaching"):
        return
    if said == "missing" and (alarm.get("insufficientDataActions") is UNKNOWN or _acts(alarm)):
        return
    yield (
        f"alarm {alarm.called!r}: treatMissingData is {said or 'not set'}, the default, and nothing acts when data is missing. Say "
        "what silence means: notBreaching, breaching or ignore; or keep `missing` and set insufficientDataActions."
    )


def _acts(alarm: Resource) -> bool:
    return bool(items(alarm.get("insufficientDataActions")))
