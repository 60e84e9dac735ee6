"""The sweep's function, every minute; and where drills are configured, their beginning. Its metric is published always, so
that its silence is an alarm too.
"""

from __future__ import annotations

import os

from lambdas.reporting import report
from sluice.aws.surroundings import wall_clock
from sluice.aws.wiring import ports
from sluice.core.errors import SluiceError
from sluice.drill import days_since_drill, drill_all
from sluice.sweep import sweep_all


def handler(event: object, context: object) -> dict[str, int]:
    """Fails when any endpoint could not be looked after, after all of them were tried."""
    if isinstance(event, dict) and event.get("drill") is True:
        return _drill()
    swept = sweep_all(ports())
    sentence = "; ".join(swept.sentences) or "nothing is unfinished"
    report(sentence, {"OverdueSeconds": ("Seconds", swept.overdue_seconds), **_age()}, faults=swept.faults)
    if swept.faults:
        raise SluiceError("; ".join(swept.faults))
    return {"looked_after": len(swept.sentences)}


def _drill() -> dict[str, int]:
    drilled = drill_all(ports())
    report("; ".join(drilled.sentences) or "no endpoint to drill", {"Drills": ("Count", 1)}, faults=drilled.faults)
    if drilled.faults:
        raise SluiceError("; ".join(drilled.faults))
    return {"looked_after": len(drilled.sentences)}


def _age() -> dict[str, tuple[str, float]]:
    """Once an hour, where drills are configured: it reads every endpoint's record."""
    if not os.environ.get("SLUICE_DRILLS") or wall_clock() % 3600 >= 60:
        return {}
    return {"DaysSinceDrill": ("Count", days_since_drill(ports()))}
