"""Tells one fault from its start to its end: v1 serves, a release is submitted, the fault happens, and what came of it is checked.

What counts as safe is decided here, the same for every fault; what end a fault must come to is in the book.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sluice.core.audit import chain_faults, replay
from sluice.core.weights import WHOLE
from sluice.sandbox.faultbook.fault import Ending, Fault
from sluice.sandbox.faultbook.scene import Scene, setting
from sluice.sandbox.sandbox import Sandbox
from sluice.sandbox.timeline import Line, Timeline
from sluice.sandbox.triage import ENDPOINT, Example

_DENIALS = ("AccessDenied", "Authorization")


@dataclass(frozen=True, slots=True)
class Told:
    """How a story went. `sentence` is the one that ends it; `wrong` says what was not as it must be, and is empty when all was safe.

    `decisions` are the sentences that were recorded, among all that were said. `gone`: no endpoint is left to serve anything.
    """

    name: str
    sentence: str
    champion: str
    lines: tuple[Line, ...]
    decisions: frozenset[str]
    requests: int
    failed: int
    seconds: float
    wrong: tuple[str, ...]
    gone: bool = False

    @property
    def is_safe(self) -> bool:
        return not self.wrong


def tell(fault: Fault, example: Example, seed: int = 1, on_look: Callable[[Line], None] = lambda _: None) -> Told:
    """Run the story in a sandbox of its own."""
    with _without_the_interpreters_complaints(), _scene(fault, example, seed) as scene:
        watch = _Watch(scene, on_look)
        scene.on_look = watch.look
        began = scene.sandbox.cloud.clock.now()
        ended = _play(scene, fault)
        wrong = [*scene.wrong, *watch.wrong, *(_end_faults(scene, fault) if ended else ("the rollout never ended",))]
        account = scene.traffic.account if scene.traffic else None
        return Told(
            fault.name,
            scene.said or _outcome(scene),
            scene.head.champion.release.name,
            tuple(scene.timeline.lines),
            frozenset(event.because for event in scene.sandbox.events(ENDPOINT)),
            account.requests if account else 0,
            account.harmed if account else 0,
            (scene.sandbox.cloud.clock.now() - began).total_seconds(),
            tuple(wrong),
            fault.gone,
        )


def _play(scene: Scene, fault: Fault) -> bool:
    """Whether it came to an end."""
    if not fault.from_nothing:
        scene.up("v1")
        scene.timeline.look()
        scene.timeline.lines.clear()  # how v1 came to serve is not part of the story
        scene.send()
    if fault.at is not None:
        scene.up(fault.release)
        scene.until(fault.at)
    fault.happens(scene)
    ended = scene.until_ended()
    if ended and fault.later is not None:
        fault.later(scene)
        ended = scene.until_ended()
    if scene.traffic is not None:
        scene.traffic.catch_up()
    return ended


@contextmanager
def _without_the_interpreters_complaints() -> Iterator[None]:
    """moto logs every failed task with all it knows; here tasks fail on purpose, by the hundred."""
    logger = logging.getLogger("moto.stepfunctions")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _scene(fault: Fault, example: Example, seed: int) -> Iterator[Scene]:
    with tempfile.TemporaryDirectory(prefix="sluice-fault-") as folder, Sandbox(setting(seed)) as sandbox:
        example.upload(sandbox, "v1", "v2", "v3", "v4", "v5")
        sandbox.config.update(fault.stack)
        timeline = Timeline(sandbox, ENDPOINT)
        yield Scene(sandbox, example, Path(folder), timeline, fault.policy, fault.config)


def _end_faults(scene: Scene, fault: Fault) -> Iterator[str]:
    ends, head = fault.ends, scene.head
    yield from _ending_faults(scene, ends)
    if head.champion.release.name != ends.champion:
        yield f"{head.champion.release.name} is champion, not {ends.champion}"
    if not fault.gone and scene.share(head.champion.slot) != 1:
        yield f"{head.champion.slot} gets {100 * scene.share(head.champion.slot):g} % of traffic, not all"
    events = scene.sandbox.events(ENDPOINT)
    yield from chain_faults(events)
    if replay(events) != head:
        yield "replaying the audit events does not give the stored record"
    if not fault.gone and scene.traffic is not None and scene.traffic.account.unserved:
        yield f"{scene.traffic.account.unserved} requests found no slot to serve them"
    denied = {f"{c.function} {c.operation}" for c in scene.sandbox.cloud.gate.calls if c.outcome.startswith(_DENIALS)}
    if denied and not fault.denied:
        yield f"calls were denied: {', '.join(sorted(denied))}"


def _ending_faults(scene: Scene, ends: Ending) -> Iterator[str]:
    outcome = scene.head.outcome
    if ends.phase is None:
        sentence = scene.said or "nothing was said"
    elif outcome is None:
        yield f"no rollout ended, expected {ends.phase.value}"
        return
    else:
        sentence = scene.said or outcome.because
        if outcome.phase is not ends.phase:
            yield f"ended as {outcome.phase.value}, expected {ends.phase.value}: {outcome.because}"
    if ends.because not in sentence:
        yield f"expected a sentence with {ends.because!r}, got: {sentence}"


def _outcome(scene: Scene) -> str:
    outcome = scene.head.outcome
    return outcome.because if outcome else "no rollout ended"


class _Watch:
    """Looks after every event: somebody serves, and no canary gets more than its step, unless a person gave it more."""

    def __init__(self, scene: Scene, on_look: Callable[[Line], None]) -> None:
        self.wrong: list[str] = []
        self._scene = scene
        self._on_look = on_look

    def look(self) -> None:
        scene = self._scene
        if scene.timeline.lines:
            self._on_look(scene.timeline.lines[-1])
        routes = scene.sandbox.meters.endpoints.routes(ENDPOINT)
        live = scene.head.live
        if live is None or not routes or self.wrong or scene.person_moved:
            return
        parts = live.policy.steps[live.step].weight_parts if live.step >= 0 else 0
        share = scene.share(live.to_slot)
        if round(share * WHOLE) > parts:
            self.wrong.append(f"{live.to_slot} got {100 * share:g} % of traffic in a step of {parts / 100:g} %")
