"""What can happen to a rollout in the simulated world, as values that a hunt can draw, shrink and print."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sluice.command import abort, rollback
from sluice.core.conditions import Hook, HookKind
from sluice.core.errors import SluiceError
from sluice.core.observation import AlarmFacts, ConfiguredVariant, Variant
from sluice.core.policy import IncidentThen, OnInconclusive, Rollback, SharedIncident, Step
from sluice.core.rollout import Rollout, ScalingTarget
from sluice.sim.promises import Promises
from sluice.sim.strikes import Moment, Strike, kill
from sluice.sim.turmoil import Turmoil
from sluice.submit import adopt, submit
from sluice.tell import Caller, Order, tell
from tests.builders import SETTINGS, alarms, policy, release, step, submission

QUICK = policy(
    steps=(
        step(10, 180, 600),
        replace(step(50, 180, 600), gates=(Hook(HookKind.HTTPS, "https://gate", 5, 1),)),
        Step(10_000, 0, 0, OnInconclusive.HOLD),
    ),
    on_rollback=(Hook(HookKind.HTTPS, "https://flags", 5, 1),),
    soak_seconds=900,
    evidence_for_seconds=600,
    max_hold_seconds=1200,
    shared_incident=SharedIncident(IncidentThen.ROLLBACK, 600),
    rollback=Rollback(120, 600, 600),
)
ONCALL = Caller("arn:aws:sts::1:assumed-role/oncall/ann", proven=True)
ORDERS = ("pause", "resume", "promote", "skip", "approve", "force", "stop", "lift")
"""What people tell a rollout besides taking it back."""
CALLS = (
    "store.head",
    "store.commit",
    "store.heartbeat",
    "store.beat",
    "store.unfinished",
    "endpoints.describe",
    "endpoints.configured",
    "endpoints.ensure_model",
    "endpoints.ensure_config",
    "endpoints.update",
    "endpoints.set_weights",
    "endpoints.set_instances",
    "endpoints.smoke",
    "endpoints.found",
    "scaling.targets",
    "scaling.register",
    "scaling.deregister",
    "alarms.states",
    "alarms.force",
    "metrics.rows",
    "metrics.quantiles",
    "evidence.keep",
    "artifacts.faults",
    "clocks.start",
    "clocks.runs",
    "mirrors.write",
    "mirrors.read",
    "hooks.ask",
    "hooks.tell",
)
ADOPTING = ("endpoints.found", "endpoints.describe", "store.commit", "artifacts.faults")
PHASES = ("preparing", "rehearsing", "shifting", "baking", "soaking", "paused", "rolling_back", "verifying")
SCALED = ScalingTarget("blue", 1, 8, (), ({"PolicyName": "by-load", "PolicyType": "TargetTrackingScaling"},))
_INSTANCES = 4
NAMES = tuple(name for slot in alarms().values() for name in (*slot.relative, *slot.rails))


@dataclass(frozen=True, slots=True)
class Struck:
    """A function is killed, or its call fails, at the nth call of this name."""

    call: str
    moment: Moment
    kills: bool
    nth: int
    times: int = 1

    def happen(self, world: Turmoil, promises: Promises) -> None:
        world.strikes.append(Strike(self.call, self.moment, kill if self.kills else world.fail, self.nth, self.times))


@dataclass(frozen=True, slots=True)
class Raced:
    """Between one function's read and its call, another one runs."""

    call: str
    moment: Moment
    nth: int
    by: str
    seconds: int

    def happen(self, world: Turmoil, promises: Promises) -> None:
        def run(call: str) -> None:
            if self.by == "alarm":
                world.set_alarm(_canary_alarm(world), "ALARM")
                world.pass_seconds(2)
            world.pass_seconds(self.seconds)
            _run_another(world, self.by)
            world.pass_seconds(self.seconds)

        world.strikes.append(Strike(self.call, self.moment, run, self.nth))


@dataclass(frozen=True, slots=True)
class Busy:
    seconds: int
    status: str = "Updating"

    def happen(self, world: Turmoil, promises: Promises) -> None:
        world.occupy(self.seconds, self.status)


@dataclass(frozen=True, slots=True)
class InConsole:
    """A person sets the canary's parts; None puts back what was asked for."""

    canary: int | None

    def happen(self, world: Turmoil, promises: Promises) -> None:
        rollout = live(world)
        if rollout is None or rollout.to_slot not in world.variants:
            return
        canary = rollout.canary_parts if self.canary is None else self.canary
        if world.in_console(**{rollout.from_slot: 10_000 - canary, rollout.to_slot: canary}):
            promises.person_changed()


@dataclass(frozen=True, slots=True)
class Errors:
    canary: float
    stable: float

    def happen(self, world: Turmoil, promises: Promises) -> None:
        rollout = live(world)
        if rollout is not None:
            world.traffic.error_rate = {rollout.to_slot: self.canary, rollout.from_slot: self.stable}


@dataclass(frozen=True, slots=True)
class Events:
    """What becomes of alarm events from now on."""

    copies: int
    late_seconds: int

    def happen(self, world: Turmoil, promises: Promises) -> None:
        world.copies, world.late_seconds = self.copies, self.late_seconds


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm goes off, back, cannot be evaluated or is deleted."""

    number: int
    becomes: str

    def happen(self, world: Turmoil, promises: Promises) -> None:
        name = NAMES[self.number]
        if self.becomes in ("ALARM", "OK"):
            world.set_alarm(name, self.becomes)
            return
        facts = world.alarm_states[name]
        changed = replace(facts, state=None) if self.becomes == "deleted" else facts
        broken = "EVALUATION_FAILURE" if self.becomes == "broken" else facts.evaluation_state
        world.alarm_states[name] = replace(changed, evaluation_state=broken, since=world.now)


@dataclass(frozen=True, slots=True)
class ClockLost:
    def happen(self, world: Turmoil, promises: Promises) -> None:
        world.executions.clear()


@dataclass(frozen=True, slots=True)
class Outage:
    """Something is away, for a time or until the world heals."""

    what: str
    seconds: int

    def happen(self, world: Turmoil, promises: Promises) -> None:
        match self.what:
            case "table":
                world.table_down_until = world.now + self.seconds
            case "writes":
                world.writes_down_until = world.now + self.seconds
            case "clocks":
                world.clocks_start = False
                world.executions.clear()
            case "fresh reads":
                world.stale_until, world.stale_seconds = world.now + self.seconds, 8
            case "capacity":
                world.lose_instances("green")
            case "update":
                world.falls_back = True
            case "model":
                world.smoke_fault = "sample input 0: HTTP 500"
            case "all of it":
                world.heal()


@dataclass(frozen=True, slots=True)
class Asked:
    """A person takes it back, or the next release is submitted."""

    what: str

    def happen(self, world: Turmoil, promises: Promises) -> None:
        _run_another(world, self.what)


Incident = Struck | Raced | Busy | InConsole | Errors | Events | Alarm | ClockLost | Outage | Asked


@dataclass(frozen=True, slots=True)
class Beginning:
    """How v1 came to serve: on instances that autoscaling chose, or from an endpoint that somebody else made; struck meanwhile."""

    scaled: bool = False
    found: bool = False
    struck: Struck | None = None


def made(beginning: Beginning = Beginning()) -> tuple[Turmoil, Promises]:
    """v1 serves from blue, nothing is tried."""
    world = Turmoil()
    count = 4 if beginning.scaled else 1
    world.variants = {"blue": Variant(1, 1, count, count)}
    world.scalable = {"blue": SCALED} if beginning.scaled else {}
    world.models = {"model-v1": release("v1")}
    world.configs = {"bootstrap": {"blue": ConfiguredVariant("model-v1", "ml.m5.large")}}
    world.alarm_states = {name: AlarmFacts(name, "OK", 0) for name in NAMES}
    world.pass_seconds(1)
    _adopted(world, beginning)
    return world, Promises(world)


def _adopted(world: Turmoil, beginning: Beginning) -> None:
    """Whoever runs `pulumi up` runs it again until it succeeds."""
    if beginning.struck is not None:
        beginning.struck.happen(world, Promises(world))
    said = release("v1") if beginning.found else None
    ended = False
    while not ended:
        ended, _ = world.invoke(
            "submit", lambda: adopt(world.ports, "shop", ("blue", "green"), SETTINGS, _INSTANCES, said)
        )
        world.pass_seconds(5)
    world.strikes.clear()


def let_live(world: Turmoil, promises: Promises, wait: int | str) -> None:
    """For so many seconds, or until the rollout is in a phase; the promises are looked at after every step."""
    if isinstance(wait, int):
        world.live(wait, promises.looked)
    elif wait:
        world.live(3 * 3600, lambda: promises.looked() or (rollout := live(world)) is None or rollout.phase == wait)


def live(world: Turmoil) -> Rollout | None:
    world.store.refuses_reads = False
    head = world.store.head("shop")
    assert head is not None
    return head.live


def owed(world: Turmoil) -> bool:
    """Whether autoscaling is still to be put back."""
    head = world.store.head("shop")
    return head is not None and bool(head.scaling)


def _canary_alarm(world: Turmoil) -> str:
    rollout = live(world)
    return rollout.alarms[rollout.to_slot].relative[0] if rollout else NAMES[0]


def _run_another(world: Turmoil, who: str) -> None:
    calls: dict[str, Callable[[], object]] = {
        "alarm": world.run_messages,
        "tick": world.run_clocks,
        "sweep": world.sweep,
        "abort": lambda: _asked(world, lambda: abort(world.ports, "shop", "me", "hunt")),
        "rollback": lambda: _asked(world, lambda: rollback(world.ports, "shop", "me", "hunt")),
        "submit": lambda: _asked(world, lambda: submit(world.ports, next_submission(world))),
    }
    if who in ORDERS:
        _asked(world, lambda: tell(world.ports, Order(who, "shop", ONCALL, "hunt", None)))
        return
    calls[who]()


def _asked(world: Turmoil, call: Callable[[], object]) -> None:
    """Refusals are answers; what the person reads is not the hunt's business."""

    def ask() -> object:
        try:
            return call()
        except SluiceError as fault:
            return str(fault)

    world.invoke("command", ask)


def next_submission(world: Turmoil):
    number = len(world.store.log["shop"])
    return submission(release=release(f"v{number + 1}"), policy=QUICK, nonce=str(number))
