"""A sandbox with the example on it, and the words faults are told in: what happens, to whom, and how much time passes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from sluice.aws.clients import client
from sluice.core.classes import PIPELINE
from sluice.core.head import Head
from sluice.core.names import AlarmName
from sluice.core.rollout import Rollout
from sluice.sandbox.cloud.faults import Effect, Fault, Moment
from sluice.sandbox.engine.program import ProgramFailed, RunResult
from sluice.sandbox.faultbook.fault import At
from sluice.sandbox.hosting.endpoints import Endpoints, EndpointTiming
from sluice.sandbox.hosting.traffic import Traffic
from sluice.sandbox.meters import MeterSettings
from sluice.sandbox.sandbox import PROJECT, REPOSITORY, STACK, Sandbox, Setting
from sluice.sandbox.timeline import Timeline
from sluice.sandbox.triage import ENDPOINT, Example

REQUESTS_PER_MINUTE = 1200
"""10 % of it are 120 a minute: enough for the alarms, and little to compute."""
LIMIT_SECONDS = 6 * 3600
"""Longer than every story of the book takes. Deadlines of a day are tests/tick's."""
_STEPS = [
    {"weight": 10, "bake": {"min": "5m", "max": "15m"}, "on_inconclusive": "advance"},
    {"weight": 50, "bake": {"min": "5m", "max": "15m"}, "on_inconclusive": "advance"},
    {"weight": 100},
]
POLICY: Mapping[str, Any] = {"steps": _STEPS, "soak": "15m", "max_hold": "30m"}
"""What differs from policies/rollouts/demo.yaml, so that each story is short."""


def setting(seed: int = 1) -> Setting:
    """Small fleets: an update takes four minutes."""
    return Setting(seed=seed, meters=MeterSettings(seed=seed, endpoints=EndpointTiming(create=120.0, update=240.0)))


@dataclass(slots=True)
class Scene:
    """`said` is the sentence that counts where it is not the outcome's. Files of the story go into `folder`."""

    sandbox: Sandbox
    example: Example
    folder: Path
    timeline: Timeline
    policy: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    traffic: Traffic | None = None
    said: str | None = None
    person_moved: bool = False
    wrong: list[str] = field(default_factory=list)
    on_look: Callable[[], None] = lambda: None

    # The program

    def up(self, release: str, **more: Any) -> RunResult:
        """`pulumi up` with a release (a name, or the path of its release.json)."""
        given = {"policy": str(self.policy_file()), **self.config, **more}
        endpoints = self.example.endpoints(release, **given)
        if "/" in release:
            endpoints["triage"]["release"] = release
        self.sandbox.config["endpoints"] = endpoints
        return self.sandbox.up()

    def up_with(self, document: Mapping[str, Any]) -> RunResult:
        """`pulumi up` with a release document of the story's own."""
        path = self.folder / "release.json"
        path.write_text(json.dumps(document))
        return self.up(str(path))

    def refused(self, run: Callable[[], object]) -> None:
        """What the run says when it stops, which it must."""
        try:
            run()
        except ProgramFailed as fault:
            self.said = sentence_of(fault)
            return
        self.wrong.append("the run was not refused")

    def policy_file(self, **changes: Any) -> Path:
        """The book's policy with this story's changes."""
        document = yaml.safe_load((REPOSITORY / "policies" / "rollouts" / "demo.yaml").read_text())
        path = self.folder / "policy.yaml"
        path.write_text(yaml.safe_dump({**document, **POLICY, **self.policy, **changes}, sort_keys=False))
        return path

    def send(self, requests_per_minute: float = REQUESTS_PER_MINUTE) -> None:
        self.traffic = self.sandbox.traffic(ENDPOINT, self.example.load(requests_per_minute))

    # Time

    def run(self, reached: Callable[[], bool], limit_seconds: float = LIMIT_SECONDS) -> bool:
        """Let time pass until something is so; every sentence on the way is noted."""

        def look() -> bool:
            self.timeline.look()
            self.on_look()
            return reached()

        return self.sandbox.run_until(look, limit_seconds)

    def wait(self, seconds: float) -> None:
        self.run(lambda: False, seconds)

    def until(self, at: At) -> None:
        """The moment must come: a story that misses it would prove nothing."""

        def there() -> bool:
            live = self.head.live
            return live is None or (live.phase is at.phase and at.parts in (None, live.canary_parts))

        self.run(there)
        if self.head.live is None:
            raise RuntimeError(f"the rollout ended before {at.phase.value} {at.parts or ''}: {self.head.outcome}")

    def until_ended(self) -> bool:
        return self.run(lambda: self.head.live is None)

    # What is so

    @property
    def endpoint(self) -> str:
        return ENDPOINT

    @property
    def endpoints(self) -> Endpoints:
        return self.sandbox.meters.endpoints

    @property
    def now(self) -> int:
        return int(self.sandbox.cloud.clock.now().timestamp())

    @property
    def head(self) -> Head:
        return self.sandbox.head(ENDPOINT)

    @property
    def rollout(self) -> Rollout:
        live = self.head.live
        if live is None:
            raise RuntimeError(f"no rollout is live: {self.head.outcome}")
        return live

    @property
    def endpoint_calls(self) -> int:
        """How often something was done that could move or rebuild what serves."""
        words = ("UpdateEndpoint", "UpdateEndpointWeightsAndCapacities", "DeleteEndpoint", "CreateEndpoint")
        return sum(call.operation in words and call.effective for call in self.sandbox.cloud.gate.calls)

    def share(self, slot: str) -> float:
        """The share of traffic a slot gets."""
        weights = {route.slot: route.weight for route in self.sandbox.meters.endpoints.routes(ENDPOINT)}
        total = sum(weights.values())
        return weights.get(slot, 0.0) / total if total else 0.0

    def alarm(self, slot: str, metric: str = "errors") -> str:
        return str(AlarmName(PROJECT, STACK, ENDPOINT, slot, metric))

    # What happens

    def note(self, sentence: str) -> None:
        """Say in the timeline what goes wrong from here on."""
        self.timeline.look()
        self.timeline.note(sentence)

    def strike(
        self,
        effect: Effect,
        function: str | None = None,
        operation: str | None = None,
        service: str | None = None,
        nth: int = 1,
        times: int | None = None,
        moment: Moment = "before",
    ) -> Fault:
        """Disturb calls of a function (by its word: `tick`); all of them from now on unless said otherwise."""
        name = f"{PROJECT}-{STACK}-{function}" if function else None
        return self.sandbox.cloud.gate.inject(
            Fault(effect, service, operation, name, nth=nth, times=times, moment=moment)
        )

    def over(self, *faults: Fault) -> None:
        """The disturbance ends."""
        for fault in faults:
            self.sandbox.cloud.gate.faults.remove(fault)

    def set_off(self, alarm: str) -> None:
        client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="set off by the story")

    def publish_alarm(self, alarm: str, since: float) -> None:
        """An alarm's event as CloudWatch sends it, made up."""
        at = datetime.fromtimestamp(since, UTC)
        state = {"value": "ALARM", "timestamp": f"{at:%Y-%m-%dT%H:%M:%S.000+0000}", "reason": "made up"}
        self.sandbox.cloud.delivery.publish(
            {
                "source": "aws.cloudwatch",
                "detail-type": "CloudWatch Alarm State Change",
                "detail": {"alarmName": alarm, "state": state, "previousState": {"value": "OK"}},
            }
        )

    def in_console(self, **weights: float) -> None:
        """A person changes weights."""
        self.person_moved = True
        self.sandbox.meters.endpoints.change_in_console(ENDPOINT, weights)

    def command(self, action: str, reason: str) -> str:
        """A person asks the control plane; the sentence it answers."""
        order = {"action": action, "endpoint": ENDPOINT, "reason": reason, "by": "operator"}
        answer = client("lambda").invoke(
            FunctionName=f"{PROJECT}-{STACK}-command", Qualifier=PIPELINE, Payload=json.dumps(order)
        )
        return str(json.loads(answer["Payload"].read()).get("result"))


def sentence_of(fault: ProgramFailed) -> str:
    """What the control plane answered, without the engine's words around it; else the run's first message."""
    answers = [line.partition("' failed: ")[2] for line in str(fault).splitlines()]
    return next((answer for answer in answers if answer), fault.messages[0])
