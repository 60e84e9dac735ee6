"""The sweep's function, every minute. Its metric is published always, so that its silence is an alarm too."""

from __future__ import annotations

from lambdas.reporting import report
from sluice.aws.wiring import ports
from sluice.core.errors import SluiceError
from sluice.sweep import sweep_all


def handler(event: object, context: object) -> dict[str, int]:
    """Fails when any endpoint could not be looked after, after all of them were tried."""
    swept = sweep_all(ports())
    sentence = "; ".join(swept.sentences) or "nothing is unfinished"
    report(sentence, {"OverdueSeconds": ("Seconds", swept.overdue_seconds)}, faults=swept.faults)
    if swept.faults:
        raise SluiceError("; ".join(swept.faults))
    return {"looked_after": len(swept.sentences)}
