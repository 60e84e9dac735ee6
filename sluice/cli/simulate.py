"""`simulate`: one rollout in a scenario. The real tick decides; endpoint, metrics and time are simulated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sluice.cli.forecast import Asked, read_rates
from sluice.cli.needs import numpy_there
from sluice.cli.operate import Said
from sluice.cli.text import INDENT
from sluice.core.errors import BadInput
from sluice.core.head import Head, Submission
from sluice.core.observation import AlarmFacts, ConfiguredVariant, Variant
from sluice.core.policy import Policy
from sluice.core.release import Artifact, Release, Smoke
from sluice.core.rollout import SCHEMA as RECORD_SCHEMA
from sluice.core.rollout import EndpointSettings, Phase
from sluice.core.weights import WHOLE, percent_text
from sluice.schema import read_policy
from sluice.sim.alarms import slot_alarms
from sluice.sim.traffic import Traffic
from sluice.sim.world import World
from sluice.submit import adopt, submit

SCHEMA = 1
_ENDPOINT, _SLOTS = "simulated", ("blue", "green")
_SETTINGS = EndpointSettings("sluice-simulated", "arn:aws:iam::123456789012:role/simulated", None, None, {})
_INSTANCE = "ml.m5.large"
_MOST_SECONDS = 14 * 86400
_SOAK_SECONDS = 3600
"""A soak is cut to an hour: nothing new begins in it, and a day of it is a day of rows."""
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Line:
    """One recorded decision."""

    at: int
    kind: str
    canary_parts: int
    because: str


def simulate(scenario: str, asked: Asked) -> Said:
    """Play the scenario until the rollout has ended. Exit code 1 when it was taken back, as with `up --wait`."""
    numpy_there("simulate")
    from sluice.forecast.scenarios import SCENARIOS

    written = read_policy(asked.file)
    policy = replace(written, soak_seconds=min(written.soak_seconds, _SOAK_SECONDS))
    if scenario not in SCENARIOS:
        raise BadInput((f"no scenario {scenario!r}: choose one of {', '.join(SCENARIOS)}",))
    _check(asked.file, policy)
    world = _world(scenario, asked, policy)
    submit(world.ports, _submission(policy))
    world.run(lambda: _head(world).live is None, _MOST_SECONDS)
    head = _head(world)
    lines = tuple(_recorded(world))
    outcome = head.outcome
    ended = outcome.phase if outcome else None
    about = SCENARIOS[scenario].about
    document = {
        "schema": SCHEMA,
        "scenario": scenario,
        "about": about,
        "policy": str(asked.file),
        "ended": ended.value if ended else None,
        "because": outcome.because if outcome else "it had not ended after two weeks",
        "events": [{"at": e.at, "kind": e.kind, "canary_parts": e.canary_parts, "because": e.because} for e in lines],
    }
    return Said(document, tuple(_lines(scenario, about, asked, document, lines)), 0 if ended is Phase.SETTLED else 1)


def _check(file: Path, policy: Policy) -> None:
    if any(step.approval is not None for step in policy.steps):
        raise BadInput((f"{file}: cannot be simulated: a step waits for a person's approval",))


def _world(scenario: str, asked: Asked, policy: Policy) -> World:
    """An endpoint that serves v1 from blue, with minutes from the scenario's world."""
    import numpy as np

    from sluice.forecast import world as minutes
    from sluice.forecast.forecast import base_of
    from sluice.forecast.scenarios import SCENARIOS
    from sluice.forecast.stage import Stage

    chosen = SCENARIOS[scenario]
    world = World(endpoint=_ENDPOINT, traffic=Traffic(round(asked.rps * _MINUTE)))
    alarms = slot_alarms(_ENDPOINT, _SLOTS)
    names = [name for slot in alarms.values() for name in (*slot.relative, *slot.rails)]
    world.alarm_states = {name: AlarmFacts(name, "OK", 0) for name in (*names, *policy.alarms)}
    world.variants = {"blue": Variant(1, 1, 1, 1)}
    world.models = {"v1": _release("v1")}
    world.configs = {"bootstrap": {"blue": ConfiguredVariant("v1", _INSTANCE)}}
    base = base_of(policy, asked.rps, read_rates(policy, asked.rates))
    chance = np.random.default_rng(asked.seed)
    shown = minutes.World(base, minutes.Nature(), 1, chance, chosen.effect_on(policy), chosen.trouble())
    world.metrics = Stage(policy, shown, asked.seed, lambda at: _share(world, at))
    world.pass_seconds(1)
    adopt(world.ports, _ENDPOINT, _SLOTS, _SETTINGS)
    return world


def _share(world: World, at: int) -> tuple[float, int]:
    """The canary's share at a moment, and for how many whole minutes it has had it."""
    since, parts = world.traffic.stand_at(at)
    return parts.get("green", 0) / WHOLE, (at - since) // _MINUTE


def _submission(policy: Policy) -> Submission:
    alarms = slot_alarms(_ENDPOINT, _SLOTS)
    return Submission(RECORD_SCHEMA, _ENDPOINT, _release("v2"), "1", policy, _SLOTS, alarms, _SETTINGS, 1)


def _release(name: str) -> Release:
    archive = Artifact(f"s3://simulated/{name}.tar.gz", name.encode().hex().ljust(64, "0"))
    return Release(
        name, archive, "repo@sha256:" + "a" * 64, {}, "1", _INSTANCE, Smoke("text/csv", "text/csv", ("1",)), {}
    )


def _head(world: World) -> Head:
    head = world.store.head(_ENDPOINT)
    assert head is not None
    return head


def _recorded(world: World) -> Iterator[Line]:
    """Every recorded decision, with the canary's weight by then."""
    for event in world.store.events(_ENDPOINT):
        yield Line(event.at, event.kind, world.traffic.parts_at(event.at).get("green", 0), event.because)


def _lines(
    scenario: str, about: str, asked: Asked, document: dict[str, object], recorded: tuple[Line, ...]
) -> Iterator[str]:
    yield f"{scenario}: {about}; {asked.file} at {asked.rps:g} requests/s, seed {asked.seed}"
    yield "CloudWatch's alarms stay silent here, so what is seen is the judge alone; a soak lasts an hour at most"
    yield ""
    for line in recorded:
        clock = datetime.fromtimestamp(line.at, UTC)
        yield f"{INDENT}{clock:%d %H:%M:%S}  {line.kind:<13} {percent_text(line.canary_parts):>6}  {line.because}"
    yield ""
    yield f"{document['ended']}: {document['because']}"
