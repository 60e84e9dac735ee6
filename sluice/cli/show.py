"""How answers of the control plane read: status as five answers, history as a log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sluice.cli.target import Target
from sluice.cli.text import INDENT, age, moment, row, wrapped
from sluice.core.obstacles import Kind
from sluice.core.outlook import lasting
from sluice.core.record import Document
from sluice.core.rollout import Phase
from sluice.core.weights import percent_text

_COLUMN = 11
_SENTENCE = 40
"""A reason in a narrower column than this would be read word by word."""
_OUTCOMES = {Phase.SETTLED.value: "settled", Phase.ROLLED_BACK.value: "was rolled back", Phase.FAILED.value: "failed"}
_TOLD_BY_PHASE = {Phase.PAUSED.value: Kind.PAUSED.value, Phase.AWAITING_APPROVAL.value: Kind.NEEDS.value}


def status_lines(answer: Document, target: Target, width: int | None) -> Iterator[str]:
    """What serves, what is being tried, why it waits, what is next, how to stop it; what waits behind, the last end and the last drill."""
    now, rollout = answer["now"], answer["rollout"]
    yield f"{target.endpoint} ({target.project}, stack {target.stack}) at {moment(now)} UTC"
    yield row("serves", _serves(answer), _COLUMN, width)
    for label, text, phase in _tried(answer, rollout, target) if rollout else _idle(answer, target):
        yield row(label, text, _COLUMN, width, phase)
    yield from _queued(answer, width)
    outcome = answer["last_outcome"]
    if outcome:
        yield row("before", _ended(outcome, now), _COLUMN, width, outcome["phase"])
    if answer.get("drilled_at"):
        yield row("drilled", f"the way back, {age(answer['drilled_at'], now)}", _COLUMN, width)


def history_lines(answer: Document, target: Target, width: int | None) -> Iterator[str]:
    """One line per event, oldest first, and how to see those before. On a narrow terminal the reason stands below its event."""
    events = answer["events"]
    if not events:
        yield f"{target.endpoint}: no events before that one"
        return
    rows = [_event(event) for event in events]
    cells = [("seq", "time (UTC)", "kind", "by", "because"), *rows]
    widths = [max(len(line[i]) for line in cells) for i in range(4)]
    start = sum(widths) + len(widths) * len(INDENT)
    below = width is not None and start + _SENTENCE > width
    for seq, *middle, because in cells:
        columns = [seq.rjust(widths[0]), *(cell.ljust(wide) for cell, wide in zip(middle, widths[1:], strict=True))]
        if below:
            indent = widths[0] + len(INDENT)
            yield f"{INDENT.join(columns).rstrip()}\n{' ' * indent}{wrapped(because, indent, width)}"
        else:
            yield INDENT.join([*columns, wrapped(because, start, width)])
    if answer["older"]:
        yield f"{answer['older'] - 1} older: {target.line('history', '--before', str(answer['older']))}"


def _event(event: dict[str, Any]) -> tuple[str, ...]:
    return str(event["seq"]), moment(event["at"]), event["kind"], event["by"], event["because"]


def _serves(answer: Document) -> str:
    """Where requests really go, by release; without SageMaker's word, where the last look saw them go."""
    seen = answer["seen"]
    if seen["parts"] is not None:
        return f"{_shares(answer, seen['parts'])}; endpoint {seen['status']}"
    champion, beat = f"{answer['live']['release']} (champion, slot {answer['slot']})", answer["heartbeat"]
    last = f"; {age(beat['at'], answer['now'])} it was {_shares(answer, beat['parts'])}" if beat else ""
    return f"{champion}; traffic cannot be seen now ({seen['fault']}){last}"


def _shares(answer: Document, parts: dict[str, int]) -> str:
    """The champion first, then every other slot that gets requests."""
    rollout, champion = answer["rollout"], answer["slot"]
    releases = {rollout["from_slot"]: rollout["stable"], rollout["to_slot"]: rollout["release"]} if rollout else {}
    shown = [f"{answer['live']['release']} (champion, slot {champion}) {percent_text(parts.get(champion, 0))}"]
    for slot, share in sorted(parts.items()):
        if share and slot != champion:
            shown.append(f"{releases.get(slot, 'something')} (slot {slot}) {percent_text(share)}")
    return ", ".join(shown)


def _tried(answer: Document, rollout: dict[str, Any], target: Target) -> Iterator[tuple[str, str, str | None]]:
    now = answer["now"]
    step = (
        f"step {rollout['step']} of {rollout['steps']}" if rollout["step"] else f"before step 1 of {rollout['steps']}"
    )
    lasted = lasting(now - rollout["phase_since"])
    actual = "unknown" if rollout["actual_parts"] is None else percent_text(rollout["actual_parts"])
    yield (
        "trying",
        f"{rollout['release']} in slot {rollout['to_slot']}: {rollout['phase'].replace('_', ' ')} for {lasted}, {step}, "
        f"weight asked {percent_text(rollout['canary_parts'])}, actual {actual}",
        rollout["phase"],
    )
    yield "why", f"{rollout['said']} ({age(rollout['said_at'], now)})", None
    yield from _obstacles(answer)
    yield "next", rollout["next"]["sentence"], None
    word = _word_that_goes_on(answer)
    if word:
        yield "go on", target.line(word, "--reason", "WHY"), None
    if rollout.get("forecast"):
        yield "forecast", rollout["forecast"], None
    yield "stop", _stop(rollout, target), None


def _word_that_goes_on(answer: Document) -> str | None:
    """What a person says where the rollout waits for one, and for nothing else."""
    phase, kinds = answer["rollout"]["phase"], {obstacle["kind"] for obstacle in answer.get("obstacles", ())}
    if phase == Phase.AWAITING_APPROVAL.value:
        return "approve"
    return "resume" if kinds & {Kind.PAUSED.value, Kind.HARM.value} else None


def _obstacles(answer: Document) -> Iterator[tuple[str, str, str | None]]:
    """One line for each that the phase itself does not tell; a control plane before this version tells of none."""
    told = _TOLD_BY_PHASE.get(answer["rollout"]["phase"]) if answer["rollout"] else None
    for obstacle in answer.get("obstacles", ()):
        if obstacle["kind"] != told:
            yield obstacle["kind"], obstacle["sentence"], None


def _queued(answer: Document, width: int | None) -> Iterator[str]:
    queued = answer.get("queued")
    if queued:
        when = "when this rollout has ended" if answer["rollout"] else "within a minute"
        yield row(
            "queued", f"{queued['release']}, submitted by {queued['submitted_by']}, begins {when}", _COLUMN, width
        )


def _stop(rollout: dict[str, Any], target: Target) -> str:
    if rollout["stop"] is None:
        return f"nothing to stop: {rollout['stable']} is getting all traffic back"
    return target.line(rollout["stop"], "--reason", "WHY")


def _idle(answer: Document, target: Target) -> Iterator[tuple[str, str, str | None]]:
    yield "trying", "nothing", None
    yield "why", "no rollout is live", None
    yield from _obstacles(answer)
    yield "next", answer["next"], None
    yield "stop", _back(answer.get("kept"), target), None


def _back(kept: list[dict[str, Any]] | None, target: Target) -> str:
    """How to go back with nothing live; a control plane before this version does not say to what."""
    if kept == []:
        return "nothing to stop, and no older release is kept to go back to"
    named = kept[0]["release"] if kept else "RELEASE"
    others = f"; also kept: {', '.join(release['release'] for release in kept[1:])}" if kept and kept[1:] else ""
    line = target.line("rollback", "--to", named, "--reason", "WHY")
    return f"nothing to stop; back to an older release: {line}{others}"


def _ended(outcome: dict[str, Any], now: int) -> str:
    """The sentence it ended with, which mostly names the release already."""
    release, because = outcome["release_name"], outcome["because"]
    named = because.startswith(f"{release} ")
    text = because if named else f"{release} {_OUTCOMES.get(outcome['phase'], outcome['phase'])}: {because}"
    return f"{text} ({age(outcome['ended_at'], now)})"
