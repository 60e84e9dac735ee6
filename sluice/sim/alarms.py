"""The alarms that `infra` would make for the default metrics, and the minutes that set them off.

Decides what CloudWatch's arithmetic comes to; when it looks is decided by `turmoil`.
"""

from __future__ import annotations

from sluice.core.judge.rails import RAIL_TRIALS
from sluice.core.names import AlarmName
from sluice.core.rollout import SlotAlarms
from sluice.sim.traffic import Traffic


def slot_alarms(endpoint: str, slots: tuple[str, ...] = ("blue", "green")) -> dict[str, SlotAlarms]:
    """The alarms that `infra` would make for the default metrics."""
    return {
        slot: SlotAlarms(
            relative=(_alarm(endpoint, slot, "errors"), _alarm(endpoint, slot, "latency")),
            rails=(_alarm(endpoint, slot, "errors-rail"),),
        )
        for slot in slots
    }


def _alarm(endpoint: str, slot: str, metric: str) -> str:
    return str(AlarmName("sluice", "test", endpoint, slot, metric))


def breaches(traffic: Traffic, slot: str, metric: str, minute: int) -> bool:
    """Whether a minute counts against an alarm of errors, as `infra.alarm_formulas` computes it. Latency is never bad here."""
    other = next(name for name in ("blue", "green") if name != slot)
    mine, theirs = (traffic.minute(side, minute, {}).rates.get("errors") for side in (slot, other))
    if not metric.startswith("errors") or mine is None or mine.trials < RAIL_TRIALS:
        return False
    over = mine.events > 0.05 * mine.trials
    if metric == "errors-rail" or not over:
        return over
    return (
        theirs is not None
        and theirs.trials >= RAIL_TRIALS
        and (mine.events / mine.trials > 2 * theirs.events / theirs.trials)
    )
