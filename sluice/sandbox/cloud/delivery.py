"""EventBridge: events and schedules to the targets of the rules that match, with permissions, latency and dead letters.

Decides who gets an event and when; what a queue's mapping makes of it is `sources`, a function's retries are `handoff`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sluice.sandbox.cloud import backends, event_hooks
from sluice.sandbox.cloud.actions import Place
from sluice.sandbox.cloud.clock import Clock, Entry
from sluice.sandbox.cloud.functions import Runtime
from sluice.sandbox.cloud.handoff import Handoff
from sluice.sandbox.cloud.iam import allows_service
from sluice.sandbox.cloud.ids import id_of
from sluice.sandbox.patches import Undo
from sluice.schema.schedule import parse_schedule
from sluice.schema.values import Wrong

EVENTS = "events.amazonaws.com"
LATENCY_SECONDS = 1.0  # EventBridge's usual half second to second from event to target

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delivered:
    """One event's way to one target. `outcome` is "ok", "dropped" by a disturbance, or EventBridge's error code."""

    at: datetime
    rule: str
    target: str
    event_id: str
    outcome: str


@dataclass(slots=True)
class Disturbance:
    """What tests do to the next `times` events of rules that match `where`: lost, doubled or late."""

    where: Callable[[Event], bool]
    times: int
    copies: int = 1
    late_seconds: float = 0.0

    def takes(self, event: Event) -> bool:
        if self.times <= 0 or not self.where(event):
            return False
        self.times -= 1
        return True


class Delivery:
    """The default event bus. `publish` is for AWS's own events; PutEvents and schedules come in by themselves."""

    def __init__(
        self,
        clock: Clock,
        runtime: Runtime,
        handoff: Handoff,
        place: Place | None = None,
        *,
        latency_seconds: float = LATENCY_SECONDS,
    ) -> None:
        self._clock = clock
        self._runtime = runtime
        self._handoff = handoff
        self._latency = latency_seconds
        self._place = place or Place()
        self._undos: list[Undo] = []
        self._heartbeat: Entry | None = None
        self._due: dict[tuple[str, str], datetime] = {}
        self._numbers = 0
        self.delivered: list[Delivered] = []
        self.disturbances: list[Disturbance] = []

    def install(self) -> None:
        self._undos = [event_hooks.install_rule_delivery(self._offer), event_hooks.install_schedule_check(_is_schedule)]
        self._heartbeat = self._clock.every(60, self._beat, "EventBridge schedules")

    def uninstall(self) -> None:
        while self._undos:
            self._undos.pop()()
        if self._heartbeat is not None:
            self._heartbeat.cancel()

    def publish(self, event: Event) -> None:
        """Put an event on the default bus; id, time, account and region are filled in where missing."""
        complete = self._complete(event)
        for rule in backends.rules(self._place):
            self._offer(rule, complete)

    def drop(self, times: int = 1, where: Callable[[Event], bool] | None = None) -> Disturbance:
        """Lose the next events on the way to their targets."""
        return self._disturb(Disturbance(where or _any, times, copies=0))

    def duplicate(self, times: int = 1, where: Callable[[Event], bool] | None = None) -> Disturbance:
        """Deliver the next events twice."""
        return self._disturb(Disturbance(where or _any, times, copies=2))

    def delay(self, seconds: float, times: int = 1, where: Callable[[Event], bool] | None = None) -> Disturbance:
        """Deliver the next events late."""
        return self._disturb(Disturbance(where or _any, times, late_seconds=seconds))

    def inject(self, queue_arn: str, body: str) -> None:
        """Put a message into a queue as somebody with a permission of their own would."""
        backends.queues(self._place).send_message(queue_arn.rpartition(":")[2], body)

    def _disturb(self, disturbance: Disturbance) -> Disturbance:
        self.disturbances.append(disturbance)
        return disturbance

    def _offer(self, rule: Any, event: Event) -> None:
        # A schedule's rule has no pattern, and moto lets an empty pattern match everything.
        if rule.state == "ENABLED" and rule.event_pattern.get_pattern():
            complete = self._complete(event)
            if rule.event_pattern.matches_event(complete):
                self._dispatch(rule, complete)

    def _dispatch(self, rule: Any, event: Event) -> None:
        taken = next((d for d in self.disturbances if d.takes(event)), None)
        copies, late = (taken.copies, taken.late_seconds) if taken else (1, 0.0)
        when = self._clock.now() + timedelta(seconds=self._latency + late)
        for target in rule.targets:
            if not copies:
                self._note(rule.arn, target["Arn"], event, "dropped")
            for _ in range(copies):
                self._later(when, rule.arn, dict(target), event)

    def _later(self, when: datetime, rule_arn: str, target: Mapping[str, Any], event: Event) -> None:
        self._clock.call_at(when, lambda: self._deliver(rule_arn, target, event), f"event to {target['Arn']}")

    def _deliver(self, rule_arn: str, target: Mapping[str, Any], event: Event) -> None:
        arn, body = str(target["Arn"]), _input(target, event)
        service = arn.split(":")[2]
        if service == "sqs":
            refused = self._to_queue(rule_arn, arn, body)
        elif service == "lambda":
            refused = self._to_function(rule_arn, arn, body)
        else:
            raise NotImplementedError(f"rule {rule_arn}: the sandbox delivers to SQS and Lambda, not to {arn}")
        self._note(rule_arn, arn, event, refused or "ok")
        if refused:
            self._dead_letter(rule_arn, target, body, refused)

    def _to_queue(self, rule_arn: str, arn: str, body: str, attributes: Mapping[str, str] | None = None) -> str | None:
        """Send to a queue whose policy lets EventBridge do so for this rule; the error code when it does not."""
        queue = backends.queue(self._place, arn)
        if queue is None:
            return "NO_RESOURCE"
        context = {"aws:SourceArn": rule_arn, "aws:SourceAccount": self._place.account}
        if not allows_service(f"policy of {arn}", queue.policy, EVENTS, "sqs:SendMessage", arn, context).allowed:
            return "NO_PERMISSIONS"
        named = {k: {"DataType": "String", "StringValue": v} for k, v in (attributes or {}).items()}
        backends.queues(self._place).send_message(queue.name, body, message_attributes=named)
        return None

    def _to_function(self, rule_arn: str, arn: str, body: str) -> str | None:
        if self._runtime.find(arn) is None:
            return "NO_RESOURCE"
        if not self._runtime.permits(arn, EVENTS, rule_arn):
            return "NO_PERMISSIONS"
        self._handoff.accept(arn, body.encode())
        return None

    def _dead_letter(self, rule_arn: str, target: Mapping[str, Any], body: str, code: str) -> None:
        arn = target.get("DeadLetterConfig", {}).get("Arn")
        if arn:
            reason = {"RULE_ARN": rule_arn, "TARGET_ARN": str(target["Arn"]), "ERROR_CODE": code}
            refused = self._to_queue(rule_arn, arn, body, reason)
            self._note(rule_arn, arn, json.loads(body), refused or "ok")

    def _beat(self) -> None:
        """Fire the schedules that are due. A rate first seen now is due after its first interval."""
        now, seen = self._clock.now(), set()
        for rule in backends.rules(self._place):
            if not rule.scheduled_expression or rule.state != "ENABLED":
                continue
            key = (rule.arn, rule.scheduled_expression)
            seen.add(key)
            if key not in self._due:
                self._due[key] = _following(rule.scheduled_expression, now)
            due = self._due[key]
            if due <= now:
                self._due[key] = _following(rule.scheduled_expression, due)
                self._dispatch(rule, self._scheduled(rule))
        self._due = {key: due for key, due in self._due.items() if key in seen}

    def _scheduled(self, rule: Any) -> Event:
        return self._complete(
            {"detail-type": "Scheduled Event", "source": "aws.events", "resources": [rule.arn], "detail": {}}
        )

    def _complete(self, event: Event) -> dict[str, Any]:
        self._numbers += 1
        filled: dict[str, Any] = {
            "version": "0",
            "id": id_of(f"event/{self._numbers}"),
            "account": self._place.account,
            "region": self._place.region,
            "resources": [],
            **event,
        }
        filled["time"] = _time(event.get("time"), self._clock.now())
        filled.pop("ingestion-time", None)  # moto's, not part of what targets get
        return filled

    def _note(self, rule_arn: str, target: str, event: Event, outcome: str) -> None:
        self.delivered.append(Delivered(self._clock.now(), rule_arn, target, str(event.get("id", "")), outcome))


def _any(_event: Event) -> bool:
    return True


def _time(given: Any, now: datetime) -> str:
    if isinstance(given, str):
        return given
    return f"{now if given is None else datetime.fromtimestamp(float(given), UTC):%Y-%m-%dT%H:%M:%SZ}"


def _is_schedule(text: str) -> bool:
    try:
        parse_schedule(text)
    except Wrong:
        return False
    return True


_parsed = lru_cache(parse_schedule)


def _following(schedule: str, moment: datetime) -> datetime:
    """When it is due next; a cron whose times are all over never is."""
    parsed = _parsed(schedule)
    if isinstance(parsed, timedelta):
        return moment + parsed
    return parsed.after(moment) or datetime.max.replace(tzinfo=UTC)


def _input(target: Mapping[str, Any], event: Event) -> str:
    """What the target gets: its constant input, or the event."""
    unsupported = sorted({"InputPath", "InputTransformer"} & set(target))
    if unsupported:
        raise NotImplementedError(
            f"target {target['Arn']}: {unsupported[0]} is not evaluated in the sandbox; use Input"
        )
    constant = target.get("Input")
    return str(constant) if constant else json.dumps(event)
