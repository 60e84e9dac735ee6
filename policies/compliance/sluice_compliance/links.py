"""The links of the way back, found in a stack: what hears an alarm, where it goes, what is missing on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sluice_compliance.resources import (
    ALARM,
    FUNCTION,
    MAPPING,
    QUEUE,
    QUEUE_POLICY,
    RULE,
    TARGET,
    UNKNOWN,
    Resource,
    Stack,
    items,
    look,
    parsed,
)

ALARM_HANDLER: Final = "lambdas.alarm.handler"
_EVENT = "CloudWatch Alarm State Change"


@dataclass(frozen=True, slots=True)
class Way:
    """One rule that hears alarms, the resources on its way to the alarm function, and what is wrong with it."""

    rule: Resource
    stops: tuple[Resource, ...]
    faults: tuple[str, ...]

    def hears(self, alarm: str) -> bool:
        return any(_matches(wanted, alarm) for wanted in _alarm_names(self.rule))


def enabled(rule: Resource) -> bool:
    """Rules without a word about it are on."""
    return rule.get("state") in (None, UNKNOWN, "ENABLED") and rule.get("isEnabled") is not False


def best_way(stack: Stack) -> Way | None:
    """Of the rules that hear alarms the one with the least wrong: a stack may have others that only tell people."""
    ways = [_way(stack, rule) for rule in stack.of(RULE) if list(_alarm_names(rule))]
    return min(ways, key=lambda way: len(way.faults), default=None)


def _alarm_names(rule: Resource) -> Iterator[Any]:
    """What the rule's pattern says about the alarm's name; nothing for a rule that hears no alarm go off."""
    try:
        pattern = parsed(rule.get("eventPattern"))
    except ValueError:
        return
    if _EVENT in items(look(pattern, "detail-type")) and "aws.cloudwatch" in items(look(pattern, "source")):
        states = look(pattern, "detail", "state", "value")
        if states is None or "ALARM" in items(states):
            yield from items(look(pattern, "detail", "alarmName")) or [{"prefix": ""}]


def _matches(wanted: Any, alarm: str) -> bool:
    return wanted == alarm or (isinstance(prefix := look(wanted, "prefix"), str) and alarm.startswith(prefix))


def _way(stack: Stack, rule: Resource) -> Way:
    faults = [] if enabled(rule) else [f"rule {rule.called!r} is disabled. Set its state to ENABLED."]
    for target in stack.referring(TARGET, "rule", rule):
        queue = stack.referred(QUEUE, target, "arn")
        if queue is not None:
            stops = _function(stack, queue)
            faults += [*_delivery_faults(stack, target, queue), *_queue_faults(stack, queue), *_handling_faults(stops)]
            return Way(rule, (rule, target, queue, *stops), tuple(faults))
    faults.append(
        f"rule {rule.called!r} sends to no queue of this stack. Give it an SQS queue as target: handed to Lambda directly, an "
        "attempt that fails is tried twice more and then lost."
    )
    return Way(rule, (rule,), tuple(faults))


def _delivery_faults(stack: Stack, target: Resource, queue: Resource) -> Iterator[str]:
    if not target.get("deadLetterConfig"):
        yield f"target {target.name!r}: events that cannot be delivered vanish. Set deadLetterConfig."
    if not stack.referring(QUEUE_POLICY, "queueUrl", queue):
        yield f"queue {queue.called!r} lets the rule in by no QueuePolicy. Add one that allows sqs:SendMessage from the rule."


def _queue_faults(stack: Stack, queue: Resource) -> Iterator[str]:
    if not queue.get("redrivePolicy"):
        yield f"queue {queue.called!r} has no dead-letter queue. Set redrivePolicy with a deadLetterTargetArn."
        return
    dead = [other for other in (stack.referred(QUEUE, queue, "redrivePolicy"),) if other is not None and other != queue]
    for letters in dead:
        watching = [a for a in stack.of(ALARM) if look(a.get("dimensions"), "QueueName") == letters.called]
        if not any(alarm.get("alarmActions") for alarm in watching):
            yield f"dead-letter queue {letters.called!r} wakes nobody. Add a MetricAlarm on its messages, with alarmActions."


def _function(stack: Stack, queue: Resource) -> tuple[Resource, ...]:
    """The mapping and the function, as far as they are there."""
    for mapping in stack.referring(MAPPING, "eventSourceArn", queue):
        if mapping.get("enabled") is not False:
            function = stack.referred(FUNCTION, mapping, "functionName")
            return (mapping,) if function is None else (mapping, function)
    return ()


def _handling_faults(stops: tuple[Resource, ...]) -> Iterator[str]:
    functions = [stop for stop in stops if stop.type == FUNCTION]
    if not stops:
        yield "no function takes alarms from the queue. Add an EventSourceMapping, enabled, to the alarm function."
    elif not functions or functions[0].get("handler") not in (ALARM_HANDLER, UNKNOWN):
        yield f"what takes alarms from the queue is not the alarm function (handler {ALARM_HANDLER})."
    elif (functions[0].get("reservedConcurrentExecutions") or 0) in (0, -1):
        yield (
            f"function {functions[0].called!r} has no concurrency of its own, so others in the account can use it up. Set "
            "reservedConcurrentExecutions."
        )
