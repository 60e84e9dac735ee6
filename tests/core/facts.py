"""Observations to decide from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sluice.core.observation import (
    AlarmFacts,
    ConfiguredVariant,
    Counts,
    EndpointFacts,
    Observation,
    Row,
    SlotMinute,
    Tail,
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
    canary: tuple[float, float] | None,
    stable: tuple[float, float] | None,
    slow: tuple[float, float] | None = None,
    **changes: Any,
) -> Row:
    """One minute: (requests, errors) of both slots, and the parts of their requests that are over stable's p90, p50 and p99."""

    def side(counts: tuple[float, float] | None, part: float | None, factors: tuple[str, ...]) -> SlotMinute:
        rates = {"errors": Counts(*counts)} if counts else {}
        if counts is None or part is None:
            return SlotMinute(rates)
        over = {f"{quantile}x{factor}": counts[0] * part for quantile in QUANTILES for factor in factors}
        return SlotMinute(rates, {"latency": Tail(counts[0], {**over, "p99x3": counts[0] * part / 20})})

    return Row(
        **{
            "at": NOW,
            "canary": side(canary, slow[0] if slow else None, ("1.3", "2")),
            "stable": side(stable, slow[1] if slow else None, ("1",)),
            "canary_parts": None,
            **changes,
        }
    )


QUANTILES = ("p50", "p90", "p99")


def minutes(*rows: Row, step: int = 0, since: int = NOW - 900) -> tuple[Row, ...]:
    """The rows one after the other, in one step."""
    return tuple(replace(row, at=since + 60 * i, step=step) for i, row in enumerate(rows))
