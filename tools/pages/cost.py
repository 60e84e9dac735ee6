"""The computed parts of the cost page."""

from __future__ import annotations

import dataclasses

from sluice.cost.model import LIMITS, MONTH_HOURS, PUT_ALARM, Limit, Scenario, alarm_minutes, bill, rates
from sluice.cost.price_sources import SEEN
from sluice.cost.prices import PRICES, Prices
from sluice.cost.usage import Assumed, measured
from tools.pages.blocks import table
from tools.pages.exports import docstrings

SMALL = Scenario(
    endpoints=3, rollouts_a_month=4, active_hours=2, soak_hours=24, instance_type="ml.m5.large", instances=2
)
_CALLS = ("DescribeAlarms", "DescribeEndpoint", "GetMetricData", "SetAlarmState", "UpdateEndpointWeightsAndCapacities")
LARGE = Scenario(
    endpoints=1000, rollouts_a_month=2, active_hours=2, soak_hours=24, instance_type="ml.m5.large", instances=2
)


def prices() -> str:
    """Every price, where AWS lists it, and what it was compared with."""
    sources = dict(docstrings(Prices))
    plain = [field.name for field in dataclasses.fields(Prices) if field.name != "instance_hour"]
    rows = [(f"`{name}`", f"${_price(getattr(PRICES, name))}", sources[name], str(SEEN[name])) for name in plain]
    hourly = [
        (f"`{kind}`, an hour", f"${price}", sources["instance_hour"], str(SEEN[kind]))
        for kind, price in PRICES.instance_hour.items()
    ]
    return table(("input", "price", "where to look it up", "compared with"), [*rows, *hourly])


def _price(value: float) -> str:
    """A millionth as people read it."""
    return f"{value:g}" if value >= 0.001 else f"{value * 1e6:g} a million"


def usage() -> str:
    """What one measured rollout used."""
    kept, assumed = measured(), Assumed()
    both = (kept.active, kept.soak)
    rows = [
        ("minutes", *(f"{used.minutes:.0f}" for used in both)),
        ("ticks", *(f"{used.ticks:.0f}" for used in both)),
        *((name, *(f"{used.calls.get(name, 0):.0f}" for used in both)) for name in _CALLS),
        ("metrics asked for", *(f"{used.metrics_requested:.0f}" for used in both)),
        ("DynamoDB read units", *(f"{used.read_units:.0f}" for used in both)),
        ("DynamoDB write units", *(f"{used.write_units:.0f}" for used in both)),
    ]
    guesses = [
        ("seconds of an invocation", f"{assumed.function_seconds:g}"),
        ("memory of a function, GB", f"{assumed.memory_gb:g}"),
        ("polls of a queue, a minute", f"{assumed.polls_a_minute:g}"),
        ("log of an invocation, KB", f"{assumed.log_kb:g}"),
    ]
    return (
        table(("measured", "until promoted", "soak"), rows)
        + f"\nAn endpoint has {kept.alarms} alarms with {kept.alarm_metrics} metrics in them; "
        + f"a stack has {kept.control_alarms} more and {kept.dashboards} dashboards. "
        + f"While a rollout is live {kept.custom_metrics} custom metrics are published for its endpoint, "
        + f"and {kept.control_metrics} for the stack always.\n\n"
        + table(("assumed", "value"), guesses)
    )


def small() -> str:
    return _bill(SMALL)


def large() -> str:
    return _bill(LARGE)


def _bill(scenario: Scenario) -> str:
    lines = bill(scenario, measured(), PRICES, Assumed())
    own = sum(line.dollars for line in lines if line.what != "second fleet")
    fleet = next(line for line in lines if line.what == "second fleet")
    rows = [(line.what, line.sum, f"${line.dollars:,.2f}") for line in lines if line is not fleet]
    return table(
        ("a month", "sum", "dollars"),
        [*rows, ("**Sluice itself**", "", f"**${own:,.2f}**"), (fleet.what, fleet.sum, f"${fleet.dollars:,.2f}")],
    )


def limits() -> str:
    """Rates with 1,000 endpoints: the average, and all at once."""
    used = measured()
    average = LARGE.rollouts * LARGE.active_hours / MONTH_HOURS
    usual, all_at_once = rates(average, used), rates(LARGE.endpoints, used)
    rows = [
        (
            f"`{each.limit.operation}`",
            f"{each.limit.a_second:g}",
            f"{each.a_second:.2f}",
            f"{worst.a_second:.2f}",
            f"{each.reached_at:,.0f}",
        )
        for each, worst in zip(usual, all_at_once, strict=True)
    ]
    head = (
        "call",
        "limit a second",
        f"{average:.0f} rollouts live",
        "1,000 rollouts live",
        "limit reached at live rollouts",
    )
    alarms = alarm_minutes(LARGE.endpoints, used)
    return (
        table(head, rows)
        + f"\n`{PUT_ALARM.operation}` ({PUT_ALARM.a_second:g} a second): the first `pulumi up` of {LARGE.endpoints:,} endpoints makes "
        + f"{LARGE.endpoints * used.alarms:,} alarms, {alarms:.0f} minutes at the limit; later ones only what changed.\n"
        + f"\nSource of the limits: {_sources((*LIMITS, PUT_ALARM))}. SageMaker publishes none for `DescribeEndpoint` and weight calls.\n"
    )


def _sources(limits: tuple[Limit, ...]) -> str:
    return "; ".join(dict.fromkeys(limit.source for limit in limits))
