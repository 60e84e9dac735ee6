"""An AWS account in memory, in virtual seconds: one endpoint, its slots and alarms, and the small things around it.

Decides what each call comes to, and hurts where it is told to. Which function runs when is decided by `world` and `turmoil`; what a
slot's minutes show, by `traffic`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from sluice.core.actions import (
    DeregisterTarget,
    EnsureConfig,
    EnsureModel,
    Notify,
    RegisterTarget,
    SetAlarm,
    SetInstances,
    SetWeights,
    StartClock,
)
from sluice.core.adoption import FoundEndpoint
from sluice.core.audit import NOTICES
from sluice.core.conditions import Hook
from sluice.core.errors import EndpointBusy
from sluice.core.observation import (
    AlarmFacts,
    ConfiguredVariant,
    EndpointFacts,
    HookAnswer,
    ModelPackage,
    SmokeFacts,
    Variant,
)
from sluice.core.reaction import AlarmEvent
from sluice.core.record import Document, decode
from sluice.core.release import Release
from sluice.core.rollout import ScalingTarget
from sluice.ports import Metrics, Ports
from sluice.sim.memory import MemoryStore
from sluice.sim.traffic import Traffic

START = 1_800_000_000
WEIGHT_CALL_SECONDS = 15
UPDATE_SECONDS = 8 * 60


class Killed(BaseException):
    """A function that stopped existing in mid-air. Not an Exception: nothing in it may catch this."""


@dataclass(slots=True)
class Account:
    """One endpoint and everything around it."""

    endpoint: str = "shop"
    now: int = START
    traffic: Traffic = field(default_factory=Traffic)
    variants: dict[str, Variant] = field(default_factory=dict)
    models: dict[str, Release] = field(default_factory=dict)
    configs: dict[str, Mapping[str, ConfiguredVariant]] = field(default_factory=dict)
    config_name: str = "bootstrap"
    status: str = "InService"
    settles_at: int | None = None
    modified_at: int = START
    failure_reason: str | None = None
    falls_back: bool = False
    smoke_fault: str | None = None
    artifact_faults: tuple[str, ...] = ()
    package: ModelPackage = field(default_factory=lambda: ModelPackage("Approved"))
    alarm_states: dict[str, AlarmFacts] = field(default_factory=dict)
    scalable: dict[str, ScalingTarget] = field(default_factory=dict)
    store: MemoryStore = field(default_factory=MemoryStore)
    clocks_running: set[str] = field(default_factory=set)
    mirror: dict[str, Mapping[str, str | int | None]] = field(default_factory=dict)
    hook_faults: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[int, str, object]] = field(default_factory=list)
    queue: list[AlarmEvent] = field(default_factory=list)
    before_call: Callable[[str], None] = lambda _: None
    delivers_events: bool = True
    metrics: Metrics | None = None
    """Where minutes come from instead of from `traffic`: `sluice simulate` hands in a busier one."""
    _target: dict[str, Variant] | None = None

    # The endpoint

    def describe(self, endpoint: str) -> EndpointFacts:
        return EndpointFacts(self.status, self.config_name, self.modified_at, self.failure_reason, dict(self.variants))

    def configured(self, config_name: str) -> Mapping[str, ConfiguredVariant]:
        return self.configs[config_name]

    def release_of(self, config_name: str) -> Release:
        return next(self.models[variant.model_name] for variant in self.configs[config_name].values())

    def found(self, endpoint: str) -> FoundEndpoint:
        """The model's release as it is; tests change the rest."""
        config = self.configs[self.config_name]
        only = next(iter(config.values()))
        release = self.models[only.model_name]
        count = sum(variant.desired_instances for variant in self.variants.values())
        plain = (
            None,
            (),
            None,
            None,
            release.artifact.url,
            (release.image,),
            release.environment,
            only.instance_type,
            count,
        )
        return FoundEndpoint(self.status, tuple(config), *plain)

    def targets(self, endpoint: str, slots: Iterable[str]) -> tuple[ScalingTarget, ...]:
        return tuple(self.scalable[slot] for slot in slots if slot in self.scalable)

    def register(self, action: RegisterTarget) -> None:
        """Registering again keeps the scaling policies that it does not name."""
        self._call("register_target", action.target)
        slot, named = action.target.slot, {str(policy["PolicyName"]) for policy in action.target.policies}
        former = self.scalable[slot].policies if slot in self.scalable else ()
        kept = tuple(policy for policy in former if str(policy["PolicyName"]) not in named)
        self.scalable[slot] = replace(action.target, policies=(*kept, *action.target.policies))

    def deregister(self, action: DeregisterTarget) -> None:
        self._call("deregister_target", action.slot)
        self.scalable.pop(action.slot, None)

    def ensure_model(self, action: EnsureModel) -> None:
        self._call("create_model", action.name)
        self.models.setdefault(action.name, action.release)

    def ensure_config(self, action: EnsureConfig) -> None:
        self._call("create_endpoint_config", action.name)
        variants = {v.slot: ConfiguredVariant(v.model_name, v.instance_type) for v in action.variants}
        self.configs.setdefault(action.name, variants)

    def update(self, endpoint: str, config_name: str) -> None:
        self._change("update_endpoint", config_name, UPDATE_SECONDS)
        if self.falls_back:
            return
        kept = {slot: self.variants.get(slot, Variant(0, 0, 1, 1)) for slot in self.configs[config_name]}
        self._target, self.config_name = kept, config_name

    def set_weights(self, action: SetWeights) -> None:
        self._change("set_weights", dict(action.parts), WEIGHT_CALL_SECONDS)
        for slot, parts in action.parts.items():
            self.variants[slot] = replace(self.variants[slot], desired_weight=float(parts))
        self._target = {slot: replace(v, current_weight=v.desired_weight) for slot, v in self.variants.items()}

    def set_instances(self, action: SetInstances) -> None:
        self._change("set_instances", (action.slot, action.instances), UPDATE_SECONDS)
        wanted = replace(self.variants[action.slot], desired_instances=action.instances)
        self.variants[action.slot] = wanted
        self._target = {**self.variants, action.slot: replace(wanted, current_instances=action.instances)}

    def smoke(self, endpoint: str, slot: str, release: Release) -> SmokeFacts:
        return SmokeFacts(self.smoke_fault)

    def busy_for(self, seconds: int, status: str = "Updating") -> None:
        """Somebody else's update: an autoscaling activity, or maintenance."""
        self.status, self.settles_at, self._target = status, self.now + seconds, None

    def console_change(self, **parts: int) -> None:
        """A person sets weights in the console, at once."""
        for slot, part in parts.items():
            self.variants[slot] = replace(self.variants[slot], current_weight=float(part), desired_weight=float(part))

    def canary_parts(self, slot: str = "green") -> int:
        return self.describe(self.endpoint).parts.get(slot, 0)

    def _call(self, name: str, detail: object) -> None:
        self.before_call(name)
        self.calls.append((self.now, name, detail))

    def _change(self, name: str, detail: object, seconds: int) -> None:
        self.before_call(name)
        if self.status != "InService":
            raise EndpointBusy(f'Cannot update in-progress endpoint "{self.endpoint}"')
        self.calls.append((self.now, name, detail))
        self.status, self.settles_at, self.modified_at = "Updating", self.now + seconds, self.now

    # Alarms

    def states(self, names: Iterable[str]) -> Mapping[str, AlarmFacts]:
        return {name: self.alarm_states.get(name, AlarmFacts(name, None, 0)) for name in names}

    def force(self, action: SetAlarm) -> None:
        self._call("set_alarm_state", (action.name, action.state))
        self.set_alarm(action.name, action.state, action.reason, action.rehearsal_of)

    def set_alarm(
        self, name: str, state: str, reason: str = "threshold crossed", rehearsal_of: str | None = None
    ) -> None:
        """Change an alarm's state; the event goes to the queue like the rule would send it."""
        if self.alarm_states[name].state == state:
            return
        self.alarm_states[name] = AlarmFacts(name, state, self.now)
        if state == "ALARM" and self.delivers_events:
            self.queue.append(AlarmEvent(name, state, self.now, reason, rehearsal_of))

    # The rest

    def keep(self, digest: str, text: str) -> None:
        self.before_call("keep")
        self.kept[digest] = text

    def faults(self, release: Release) -> tuple[str, ...]:
        return self.artifact_faults

    def entry(self, package_arn: str) -> ModelPackage:
        self.before_call("describe_model_package")
        return self.package

    def start(self, action: StartClock) -> None:
        self._call("start_execution", action.name)
        self.clocks_running.add(action.name)

    def runs(self, name: str) -> bool:
        return name in self.clocks_running

    def write(self, endpoint: str, document: Mapping[str, str | int | None]) -> None:
        self.mirror[endpoint] = document

    def read(self, endpoint: str) -> Mapping[str, str | int | None] | None:
        return self.mirror.get(endpoint)

    def ask(self, hook: Hook, call: Document) -> HookAnswer:
        return self._hooked("ask", hook, call)

    def tell(self, hook: Hook, call: Document) -> HookAnswer:
        return self._hooked("tell", hook, call)

    def _hooked(self, how: str, hook: Hook, call: Document) -> HookAnswer:
        """`hook_faults` says by target why it does not agree."""
        self._call(how, (hook.target, call))
        fault = self.hook_faults.get(hook.target)
        return HookAnswer(fault is None, fault or "agreed")

    @property
    def ports(self) -> Ports:
        metrics = self.metrics or self.traffic
        return Ports(self.store, self, self, metrics, self, self, self, lambda: self.now, self, self, self, self)

    @property
    def notices(self) -> list[Notify]:
        """What people were told of: it stands in the events."""
        events = self.store.events(self.endpoint)
        return [decode(Notify, told) for event in events for told in event.facts.get(NOTICES, ())]

    # Time

    def pass_seconds(self, seconds: int) -> None:
        """Time goes by; what was under way arrives."""
        end = self.now + seconds
        self.traffic.move(self.now, self.describe(self.endpoint).parts)
        while self.settles_at is not None and self.settles_at <= end:
            self.now = max(self.now, self.settles_at)
            self.status, self.settles_at, self.modified_at = "InService", None, self.now
            self.variants, self._target = self._target or self.variants, None
            self.traffic.move(self.now, self.describe(self.endpoint).parts)
        self.now = end
        self.traffic.move(self.now, self.describe(self.endpoint).parts)
