"""Observations to decide from."""

from __future__ import annotations

from typing import Any

from sluice.core.observation import (
    AlarmFacts,
    ConfiguredVariant,
    Counts,
    EndpointFacts,
    Observation,
    Row,
    SlotMinute,
    Variant,
)
from tests.builders import NOW, alarms

CONFIGURED = {
    "blue": ConfiguredVariant("model-v1", "ml.m5.large"),
    "green": ConfiguredVariant("model-v2", "ml.m5.large"),
}


def variant(parts: float, instances: int = 1, desired: float | None = None) -> Variant:
    return Variant(parts, parts if desired is None else desired, instances, instances)


def endpoint(blue: float = 10_000, green: float | None = 0, status: str = "InService", **changes: Any) -> EndpointFacts:
    variants = {"blue": variant(blue)} | ({"green": variant(green)} if green is not None else {})
    fields = {
        "config_name": "bootstrap",
        "last_modified_at": NOW,
        "failure_reason": None,
        "variants": variants,
        **changes,
    }
    return EndpointFacts(status=status, **fields)


def quiet(**states: str | None) -> dict[str, AlarmFacts]:
    """All alarms OK, except those named by slot_metric: state."""
    names = [name for slot in alarms().values() for name in (*slot.relative, *slot.rails)]
    facts = {name: AlarmFacts(name, "OK", 0) for name in names}
    for key, state in states.items():
        slot, metric = key.split("_", 1)
        name = f"sluice/sluice/test/shop/{slot}/{metric.replace('_', '-')}"
        facts[name] = AlarmFacts(name, state, NOW)
    return facts


def seen(facts: EndpointFacts | None = None, **changes: Any) -> Observation:
    return Observation(**{"endpoint": facts or endpoint(), "alarms": quiet(), **changes})


def row(
    canary: tuple[float, float] | None, stable: tuple[float, float] | None, p90: tuple[float, float] | None = None
) -> Row:
    def side(counts: tuple[float, float] | None, value: float | None) -> SlotMinute:
        rates = {"errors": Counts(*counts)} if counts else {}
        return SlotMinute(rates, {"latency": value} if value is not None else {})

    return Row(NOW, side(canary, p90[0] if p90 else None), side(stable, p90[1] if p90 else None))
