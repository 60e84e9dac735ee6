"""The whole way back of every production endpoint: what notices, what acts, what acts when nobody notices, and what remembers.

Decides what belongs to it. `links` follows an alarm through the stack.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sluice_compliance.links import Way, best_way, enabled
from sluice_compliance.resources import (
    ALARM,
    ENDPOINT,
    FUNCTION,
    INVOCATION,
    MACHINE,
    PERMISSION,
    RULE,
    SHARED,
    TABLE,
    TARGET,
    UNKNOWN,
    Fault,
    Resource,
    Stack,
    items,
    look,
    parsed,
    refers,
)

SWEEP_HANDLER: Final = "lambdas.sweep.handler"
TICK_HANDLER: Final = "lambdas.tick.handler"
EVERY_MINUTE: Final = "rate(1 minute)"


@dataclass(frozen=True, slots=True)
class Served:
    """An endpoint of the stack. `slots` are None when nothing hands the endpoint to the control plane."""

    name: str
    urn: str
    slots: tuple[str, ...] | None


def rollback_path_complete(stack: Stack, *, exempt: Collection[str] = ()) -> Iterator[Fault]:
    """Every link is looked for by what it is connected to, not by what it is called."""
    endpoints = [endpoint for endpoint in served(stack) if endpoint.name not in exempt]
    if not endpoints:
        return
    elsewhere = _is_served_elsewhere(stack)
    way, clocks, guards = None if elsewhere else best_way(stack), _clocks(stack), _guards(stack)
    for endpoint in endpoints:
        yield from _endpoint_faults(stack, endpoint, way)
    yield from _guard_faults(guards, [endpoint for endpoint in endpoints if endpoint.urn])
    if elsewhere:
        return
    yield from _way_faults(way)
    yield from _sweep_faults(stack)
    if not clocks:
        yield Fault("no state machine ticks. Add a STANDARD StateMachine that invokes the tick function.")
    yield from _table_faults(stack)
    path = [*(way.stops if way else ()), *clocks, *stack.of(TABLE)]
    yield from _order_faults(stack, path)


def _is_served_elsewhere(stack: Stack) -> bool:
    """The stack has no function of its own and refers to the stack that has: the rest of the way is judged there."""
    return not stack.of(FUNCTION) and bool(stack.of(SHARED))


def served(stack: Stack) -> list[Served]:
    """Endpoints the stack has, and those of others that it adopts."""
    adoptions = dict(_adoptions(stack))
    born = {endpoint.called: endpoint.urn for endpoint in stack.of(ENDPOINT)}
    found = []
    for name in sorted({*born, *adoptions}):
        slots = adoptions.get(name)
        # In the preview of a first update the input, in which the slots are, may not be known yet: then the alarms say them.
        slots = tuple(sorted(_variants(stack, name))) if slots == () else slots
        found.append(Served(name, born.get(name, ""), slots))
    return found


def _adoptions(stack: Stack) -> Iterator[tuple[str, tuple[str, ...]]]:
    for invocation in stack.of(INVOCATION):
        said, triggers = _input(invocation), _triggers(invocation)
        if look(said, "action") == "adopt":
            yield str(look(said, "endpoint")), tuple(items(look(said, "slots")))
        elif said is UNKNOWN and "endpoint" in triggers:
            yield str(triggers["endpoint"]), ()


def _input(invocation: Resource) -> Any:
    try:
        return parsed(invocation.get("input"))
    except ValueError:
        return None


def _triggers(invocation: Resource) -> Mapping[str, Any]:
    triggers = invocation.get("triggers")
    return triggers if isinstance(triggers, Mapping) else {}


def _variants(stack: Stack, endpoint: str) -> set[str]:
    return {slot for alarm in stack.of(ALARM) for name, slot in _watched(alarm) if name == endpoint}


def _watched(alarm: Resource) -> set[tuple[str, str]]:
    """The (endpoint, variant) pairs whose metrics the alarm reads."""
    metrics = [alarm.properties, *(look(query, "metric") for query in items(alarm.get("metricQueries")))]
    pairs = [(look(m, "dimensions", "EndpointName"), look(m, "dimensions", "VariantName")) for m in metrics]
    return {(name, slot) for name, slot in pairs if isinstance(name, str) and isinstance(slot, str)}


def _endpoint_faults(stack: Stack, endpoint: Served, way: Way | None) -> Iterator[Fault]:
    if endpoint.slots is None:
        yield Fault(
            f"endpoint {endpoint.name!r} is served without a way back: nothing hands it to the control plane. Configure it under "
            "`sluice:endpoints`, or say that it is not production: `exempt: [<name>]` in the configuration of this policy.",
            endpoint.urn,
        )
        return
    if len(endpoint.slots) < 2:
        yield Fault(
            f"endpoint {endpoint.name!r} has {len(endpoint.slots)} slots with alarms, two are needed.", endpoint.urn
        )
    for slot in endpoint.slots:
        heard = [pairs for name, pairs in _alarms_of(stack, endpoint.name, slot) if way is None or way.hears(name)]
        alone = {(endpoint.name, slot)}
        if not any(pairs > alone for pairs in heard):
            yield _no_alarm(endpoint, slot, "relative alarm (this slot compared with the other)")
        if not any(pairs == alone for pairs in heard):
            yield _no_alarm(endpoint, slot, "rail (an absolute limit on this slot alone)")


def _alarms_of(stack: Stack, endpoint: str, slot: str) -> Iterator[tuple[str, set[tuple[str, str]]]]:
    """A relative alarm reads both slots; which one it blames is in its name, `.../<endpoint>/<slot>/<metric>`."""
    for alarm in stack.of(ALARM):
        if alarm.called.split("/")[-3:-1] == [endpoint, slot]:
            yield alarm.called, _watched(alarm)


def _no_alarm(endpoint: Served, slot: str, what: str) -> Fault:
    return Fault(
        f"endpoint {endpoint.name!r}, slot {slot!r}: no {what} that a rule on the event bus hears. Add the slot's alarms; the "
        "component Alarms makes them from the rollout policy.",
        endpoint.urn,
    )


def _way_faults(way: Way | None) -> Iterator[Fault]:
    if way is None:
        yield Fault("no rule on the event bus hears alarms go off. Add one: rule -> queue -> alarm function.")
    else:
        yield from (Fault(fault, way.rule.urn) for fault in way.faults)


def _sweep_faults(stack: Stack) -> Iterator[Fault]:
    for rule in stack.of(RULE):
        for target in stack.referring(TARGET, "rule", rule):
            function = stack.referred(FUNCTION, target, "arn")
            # With an input of its own the function is asked for something else, such as a drill.
            if function is not None and function.get("handler") == SWEEP_HANDLER and target.get("input") is None:
                if not enabled(rule) or rule.get("scheduleExpression") != EVERY_MINUTE:
                    yield Fault(
                        f"rule {rule.called!r} does not sweep every minute. Set {EVERY_MINUTE}, ENABLED.", rule.urn
                    )
                if not stack.referring(PERMISSION, "function", function):
                    yield Fault(
                        f"nobody may invoke {function.called!r}. Add a lambda.Permission for the rule.", rule.urn
                    )
                return
    yield Fault(
        "nothing sweeps: a rollout whose clock is lost would not be taken back. Add a schedule, rule -> sweep function."
    )


def _clocks(stack: Stack) -> list[Resource]:
    ticks = [function for function in stack.of(FUNCTION) if function.get("handler") == TICK_HANDLER]
    machines = [machine for machine in stack.of(MACHINE) if machine.get("type") in (None, UNKNOWN, "STANDARD")]
    return [machine for machine in machines if any(refers(machine, "definition", tick) for tick in ticks)]


def _table_faults(stack: Stack) -> Iterator[Fault]:
    """The records are in the table that the functions are told of."""
    named = {f.get("environment", "variables", "SLUICE_TABLE") for f in stack.of(FUNCTION)} - {None, UNKNOWN}
    tables = [table for table in stack.of(TABLE) if table.called in named]
    if not tables:
        yield Fault("the table of records is not in the stack. Add the Table that the functions' SLUICE_TABLE names.")
    for table in tables:
        if table.get("pointInTimeRecovery", "enabled") not in (True, UNKNOWN):
            yield Fault(f"table {table.called!r} cannot be recovered. Set pointInTimeRecovery: enabled.", table.urn)


def _guards(stack: Stack) -> list[Resource]:
    return [
        invocation
        for invocation in stack.of(INVOCATION)
        if look(_input(invocation), "action") == "guard" and invocation.get("lifecycleScope") == "CRUD"
    ]


def _guard_faults(guards: list[Resource], endpoints: list[Served]) -> Iterator[Fault]:
    """Destroyed in reverse order of dependency, so what the guard depends on is deleted only after it was asked."""
    if not guards:
        yield Fault(
            'nothing stops `pulumi destroy` during a rollout. Add a lambda.Invocation with input {"action": "guard"} and '
            "lifecycleScope CRUD that depends on everything."
        )
        return
    unguarded = [e.name for e in endpoints if not any(e.urn in guard.dependencies for guard in guards)]
    for name in unguarded:
        yield Fault(
            f"endpoint {name!r} could be destroyed before the guard is asked. Let the guard depend on it.",
            guards[0].urn,
        )


def _order_faults(stack: Stack, path: list[Resource]) -> Iterator[Fault]:
    """A release is handed over only when the whole way back stands."""
    for invocation in stack.of(INVOCATION):
        missing = [stop.name for stop in path if stop.urn not in invocation.dependencies]
        if "release" in _triggers(invocation) and missing:
            yield Fault(
                f"{invocation.name!r} hands a release over before {missing[0]!r} exists. Let it depend on the whole rollback path.",
                invocation.urn,
            )
