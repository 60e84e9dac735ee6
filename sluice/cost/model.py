"""The arithmetic of the cost page: a month's bill by line, and the API rates beside their limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sluice.cost.prices import Prices
from sluice.cost.usage import Assumed, Measured, Usage

MONTH_HOURS = 730
MONTH_MINUTES = MONTH_HOURS * 60
STATES_A_TICK = 3
"""Task, Choice, Wait: see infra/machine.py."""
QUEUES = 2
"""Alarms and letters."""
SQS_A_LETTER = 3
"""Send, receive, delete."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Who rolls out what. `active_hours` are those from submission to promotion, `soak_hours` those after it."""

    endpoints: int
    rollouts_a_month: float
    active_hours: float
    soak_hours: float
    instance_type: str
    instances: int
    """Of one slot, in service."""
    endpoints_per_stack: int = 100
    standby: bool = False
    """`after_soak: standby`: the old release's fleet stays up for good."""

    @property
    def rollouts(self) -> float:
        """In a month, of all endpoints together."""
        return self.endpoints * self.rollouts_a_month

    @property
    def live_hours(self) -> float:
        """Of one endpoint, in a month."""
        return self.rollouts_a_month * (self.active_hours + self.soak_hours)

    @property
    def stacks(self) -> int:
        return -(-self.endpoints // self.endpoints_per_stack)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill."""

    what: str
    sum: str
    dollars: float


def bill(scenario: Scenario, usage: Measured, prices: Prices, assumed: Assumed) -> list[Line]:
    """A month in US dollars. A minute of the measured rollout, or of its soak, stands for every such minute."""
    return [*_standing(scenario, usage, prices), *_working(scenario, usage, prices, assumed), *_fleet(scenario, prices)]


def _standing(scenario: Scenario, usage: Measured, prices: Prices) -> Iterator[Line]:
    """What is there whether or not anything is rolled out. Sweeps are in `_working`."""
    alarms = scenario.endpoints * usage.alarm_metrics + scenario.stacks * usage.control_alarms
    text = f"{scenario.endpoints:,} endpoints x {usage.alarm_metrics} + {scenario.stacks:,} stacks x {usage.control_alarms}"
    yield Line("alarms", f"({text}) metrics x ${prices.alarm_metric_month:.2f}", alarms * prices.alarm_metric_month)
    boards = scenario.stacks * usage.dashboards
    yield Line("dashboards", f"{boards:,} x ${prices.dashboard_month:.2f}", boards * prices.dashboard_month)
    live = scenario.endpoints * usage.custom_metrics * min(1.0, scenario.live_hours / MONTH_HOURS)
    metrics = scenario.stacks * usage.control_metrics + live
    text = (
        f"{scenario.stacks:,} stacks x {usage.control_metrics} + endpoints with a live rollout x {usage.custom_metrics}"
    )
    yield Line("custom metrics", f"({text}) x ${prices.custom_metric_month:.2f}", metrics * prices.custom_metric_month)


def _working(scenario: Scenario, usage: Measured, prices: Prices, assumed: Assumed) -> Iterator[Line]:
    def total(amount: Callable[[Usage], float]) -> float:
        """Of a month, from what the measured stretches used."""
        stretches = ((usage.active, scenario.active_hours), (usage.soak, scenario.soak_hours))
        return scenario.rollouts * sum(amount(each) / each.minutes * hours * 60 for each, hours in stretches)

    sweeps, ticks = scenario.stacks * MONTH_MINUTES, total(lambda each: each.ticks)
    runs = sweeps + ticks
    second = assumed.function_seconds * assumed.memory_gb * prices.lambda_gb_second
    size = f"({assumed.function_seconds:g} s x {assumed.memory_gb:g} GB)"
    yield Line(
        "Lambda", f"({sweeps:,.0f} sweeps + {ticks:,.0f} ticks) x {size}", runs * (second + prices.lambda_request)
    )
    transitions = STATES_A_TICK * ticks
    yield Line("Step Functions", f"{transitions:,.0f} transitions x $0.025/1,000", transitions * prices.transition)
    metrics = total(lambda each: each.metrics_requested)
    yield Line("GetMetricData", f"{metrics:,.0f} metrics x $0.01/1,000", metrics * prices.metric_requested)
    described = total(lambda each: each.calls.get("DescribeAlarms", 0))
    yield Line("DescribeAlarms", f"{described:,.0f} requests x $0.01/1,000", described * prices.cloudwatch_request)
    writes, reads = total(lambda each: each.write_units), total(lambda each: each.read_units) + sweeps
    text = f"{writes:,.0f} write units and {reads:,.0f} read units"
    yield Line("DynamoDB", text, writes * prices.write_unit + reads * prices.read_unit)
    archived = total(lambda each: each.calls.get("PutObject", 0))
    yield Line("S3", f"{archived:,.0f} audit events archived x $0.005/1,000", archived * prices.s3_put)
    polls = scenario.stacks * QUEUES * MONTH_MINUTES * assumed.polls_a_minute
    letters, notices = (
        total(lambda each: each.calls.get("PutEvents", 0)),
        total(lambda each: each.calls.get("Publish", 0)),
    )
    told = (polls + SQS_A_LETTER * letters) * prices.sqs_request + letters * prices.bus_event + notices * prices.notice
    text = f"{polls:,.0f} polls of queues, {letters:,.0f} events on the bus, {notices:,.0f} to people"
    yield Line("notifications", text, told)
    logged = runs * assumed.log_kb / 1e6
    yield Line("logs", f"{runs:,.0f} invocations x {assumed.log_kb:g} KB", logged * prices.log_gb)


def _fleet(scenario: Scenario, prices: Prices) -> Iterator[Line]:
    """The second slot: during rollout and soak, or for good."""
    hourly = prices.instance_hour[scenario.instance_type]
    hours = MONTH_HOURS if scenario.standby else min(MONTH_HOURS, scenario.live_hours)
    count = scenario.endpoints * scenario.instances
    yield Line(
        "second fleet",
        f"{count:,} {scenario.instance_type} x {hours:,.0f} h x ${hourly}",
        count * hours * hourly,
    )


@dataclass(frozen=True, slots=True)
class Limit:
    """How often an account and region may make a call, a second. `source` is where that is said."""

    operation: str
    a_second: float
    source: str


CLOUDWATCH_QUOTAS = "CloudWatch service quotas; the stored copy we read is some years old, see Service Quotas for yours"
LIMITS = (
    Limit("DescribeAlarms", 9, CLOUDWATCH_QUOTAS),
    Limit("GetMetricData", 50, CLOUDWATCH_QUOTAS),
    Limit("SetAlarmState", 3, CLOUDWATCH_QUOTAS),
)
PUT_ALARM = Limit("PutMetricAlarm", 3, CLOUDWATCH_QUOTAS)


@dataclass(frozen=True, slots=True)
class Rate:
    """A call's rate with so many rollouts live at once, its limit, and how many live rollouts reach it."""

    limit: Limit
    a_second: float
    reached_at: float


def rates(live: float, usage: Measured) -> list[Rate]:
    """With so many rollouts before their promotion at once, each making the calls of an average minute, evenly spread."""
    found = []
    for limit in LIMITS:
        each = usage.active.a_minute(limit.operation) / 60
        found.append(Rate(limit, live * each, limit.a_second / each if each else float("inf")))
    return found


def alarm_minutes(endpoints: int, usage: Measured) -> float:
    """How long PutMetricAlarm's limit makes a first `pulumi up` of so many endpoints."""
    return endpoints * usage.alarms / PUT_ALARM.a_second / 60
