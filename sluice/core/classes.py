"""Which commands there are and which permission each needs. One alias and one URL of the command function per class."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class CommandClass(StrEnum):
    """Each is an IAM permission of its own: on the alias of this name."""

    OBSERVE = "observe"
    OPERATE = "operate"
    APPROVE = "approve"
    FORCE = "force"


PIPELINE = "pipeline"
"""The alias for plain invocations, by programs: who calls is only what the caller says. Neither approves nor forces."""
CLASS_OF: Mapping[str, CommandClass] = {
    "status": CommandClass.OBSERVE,
    "history": CommandClass.OBSERVE,
    "explain": CommandClass.OBSERVE,
    "submit": CommandClass.OPERATE,
    "pause": CommandClass.OPERATE,
    "resume": CommandClass.OPERATE,
    "promote": CommandClass.OPERATE,
    "skip": CommandClass.OPERATE,
    "abort": CommandClass.OPERATE,
    "rollback": CommandClass.OPERATE,
    "fall_back": CommandClass.OPERATE,
    "stop": CommandClass.OPERATE,
    "lift": CommandClass.OPERATE,
    "approve": CommandClass.APPROVE,
    "force": CommandClass.FORCE,
}
"""Every command. A new one is named here, or no alias takes it."""
_OF_PIPELINES = frozenset({CommandClass.OBSERVE, CommandClass.OPERATE})


def takes(alias: str, action: str) -> bool:
    """Whether the alias of this name takes the command."""
    wanted = CLASS_OF.get(action)
    return wanted is not None and (wanted in _OF_PIPELINES if alias == PIPELINE else alias == wanted.value)
