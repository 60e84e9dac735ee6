"""`sluice up`: deploys, then follows every endpoint's rollout and says in the end which release serves and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sluice.cli.engine import NoEngine
from sluice.cli.invoke import CommandFailed, ask
from sluice.cli.operate import FAILED, GOOD, NOT_IN_TIME, Said
from sluice.cli.outside import Outside
from sluice.cli.target import Given, Target, find_home, find_target
from sluice.cli.text import icon, moment, phase_cell
from sluice.core.errors import BadInput
from sluice.core.record import Document
from sluice.core.rollout import Phase
from sluice.core.weights import percent_text
from sluice.schema.values import Wrong, seconds, written

SCHEMA = 1
"""Of the `--json` document."""
_POLL_SECONDS = 15
"""One invocation and one DescribeEndpoint each; a rollout decides no more often."""
_PROMOTED = (Phase.SOAKING.value,)

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Following:
    """How far and how long: `until` is promoted or settled."""

    until: str
    within_seconds: int


@dataclass(slots=True)
class Watched:
    """One endpoint on its way. `ended` is how, None while it goes on."""

    target: Target
    desired: Document
    said: tuple[str, ...] = ()
    ended: tuple[int, str] | None = field(default=None)


def read_duration(option: str, text: str) -> int:
    """Seconds; raises BadInput."""
    try:
        return seconds(text)
    except Wrong as fault:
        raise BadInput((f"{option}: {fault}, got {text!r}",)) from None


def follow(outside: Outside, stack: str, region: str | None, following: Following | None, tell: Tell) -> Said:
    """Deploy and, if asked to, wait. Exit 1 when a desired release does not serve in the end, 3 when that is not known yet."""
    try:
        outputs = outside.deploy(find_home(outside.folder), stack, tell)
    except NoEngine as fault:
        tell(str(fault))
        return Said({"schema": SCHEMA, "deployed": False, "because": str(fault)}, [], NOT_IN_TIME)
    watched = [
        Watched(
            _target(outside, entry["endpoint_name"], outputs, Given("", None, stack, region or entry["region"])),
            entry["desired"],
        )
        for _, entry in sorted(_endpoints(outputs).items())
    ]
    if following is not None:
        _wait(outside, watched, following, tell)
    return _summary(watched, following is not None)


def _endpoints(outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    found = outputs.get("endpoints")
    if not isinstance(found, dict) or "control_plane" not in outputs:
        raise BadInput(
            ("stack: it was deployed, but it exports no endpoints: is it a stack of Sluice? Nothing is waited for.",)
        )
    return found


def _target(outside: Outside, endpoint: str, outputs: Mapping[str, Any], given: Given) -> Target:
    """Who is asked about the endpoint: the stack's own control plane, or the one that serves it."""
    own = find_target(
        replace(given, name=f"{given.stack}/{endpoint}"), outside.folder, outside.environment, outside.known
    )
    _, _, project, stack, _ = outputs["control_plane"]["parameter_root"].split("/")
    return own if (project, stack) == (own.project, own.stack) else replace(own, served_by=(project, stack))


def _wait(outside: Outside, watched: list[Watched], following: Following, tell: Tell) -> None:
    deadline = outside.now() + following.within_seconds
    try:
        while True:
            for one in watched:
                if one.ended is None:
                    _look(outside, one, following.until, tell)
            open_ones = [one.target for one in watched if one.ended is None]
            if open_ones and outside.now() >= deadline:
                tell(f"not finished within {written(following.within_seconds)}: {open_ones[0].line('status')}")
            if not open_ones or outside.now() >= deadline:
                return
            outside.sleep(min(_POLL_SECONDS, max(1.0, deadline - outside.now())))
    except KeyboardInterrupt:
        tell("not waiting any longer; nothing was stopped")


def _look(outside: Outside, one: Watched, until: str, tell: Tell) -> None:
    try:
        answer = ask(outside.invoke, one.target, "status")
    except CommandFailed as fault:
        _say(one, ("", str(fault)), f"  {one.target.endpoint}: {fault}", tell)
        return
    rollout = answer["rollout"]
    if rollout is not None:
        shown = (rollout["phase"], str(rollout["canary_parts"]), rollout["because"])
        share = percent_text(rollout["canary_parts"])
        _say(one, shown, _line(answer, one, rollout["phase"], share, rollout["because"]), tell)
        if until == "promoted" and rollout["phase"] in _PROMOTED and rollout["digest"] == one.desired["digest"]:
            one.ended = (GOOD, f"{rollout['release']} is promoted and soaks")
        return
    one.ended = _end(answer, one.desired)
    outcome = answer["last_outcome"]
    phase = outcome["phase"] if outcome and outcome["release_digest"] == one.desired["digest"] else ""
    _say(one, (phase, one.ended[1]), _line(answer, one, phase, "", one.ended[1]), tell)


def _say(one: Watched, said: tuple[str, ...], line: str, tell: Tell) -> None:
    """Only what is new."""
    if one.said != said:
        one.said = said
        tell(line)


def _line(answer: Document, one: Watched, phase: str, share: str, because: str) -> str:
    at = moment(answer["now"]).partition(" ")[2]
    return f"  {at}  {one.target.endpoint}  {icon(phase) if phase else ' '} {phase_cell(phase)}  {share:>6}  {because}"


def _end(answer: Document, desired: Document) -> tuple[int, str]:
    """Good only when what is desired serves: a release that was refused or taken back must fail a pipeline."""
    if answer["live"]["digest"] == desired["digest"]:
        return GOOD, f"{desired['release']} serves"
    outcome = answer["last_outcome"]
    if outcome is not None and outcome["release_digest"] == desired["digest"]:
        return FAILED, f"{answer['live']['release']} serves: {outcome['because']}"
    return FAILED, f"{answer['live']['release']} serves and no rollout is live, but {desired['release']} is desired"


def _summary(watched: list[Watched], waited: bool) -> Said:
    ends = {one.target.endpoint: one.ended or (NOT_IN_TIME, "not finished in time") for one in watched}
    codes = [code for code, _ in ends.values()] if waited else [GOOD]
    code = FAILED if FAILED in codes else max(codes, default=GOOD)
    shown = {name: {"exit": end, "because": because} for name, (end, because) in ends.items()} if waited else {}
    return Said({"schema": SCHEMA, "deployed": True, "endpoints": shown}, [], code)
