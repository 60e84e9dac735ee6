"""The commands about a live endpoint. Each asks the command function, and nothing but that: one IAM permission is enough."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sluice.cli.explaining import explain_lines
from sluice.cli.invoke import CommandFailed, ask
from sluice.cli.outside import Outside
from sluice.cli.show import history_lines, status_lines
from sluice.cli.target import Target
from sluice.cli.text import wrapped
from sluice.command import ANSWER_SCHEMA
from sluice.core.errors import BadInput
from sluice.core.record import Document
from sluice.core.rollout import Phase
from sluice.core.weights import percent_text

GOOD, FAILED, BAD_INPUT, NOT_IN_TIME = 0, 1, 2, 3
_POLL_SECONDS = 3
"""A weight call takes seconds to half a minute."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command prints and how it ends: the document for `--json`, the lines for people."""

    document: Document
    lines: Iterable[str]
    exit_code: int = GOOD


def status(outside: Outside, targets: Sequence[Target]) -> Said:
    """Of one endpoint; of several one after another, in one document."""
    answers = [ask(outside.invoke, target, "status") for target in targets]
    if len(answers) == 1:
        return Said(answers[0], status_lines(answers[0], targets[0], outside.width))
    lines = [
        line
        for answer, target in zip(answers, targets, strict=True)
        for line in ("", *status_lines(answer, target, outside.width))
    ]
    return Said({"schema": ANSWER_SCHEMA, "endpoints": answers}, lines[1:])


def history(outside: Outside, target: Target, limit: int, before: int | None) -> Said:
    answer = ask(outside.invoke, target, "history", limit=limit, **({} if before is None else {"before": before}))
    return Said(answer, history_lines(answer, target, outside.width))


def explain(outside: Outside, target: Target) -> Said:
    answer = ask(outside.invoke, target, "explain")
    return Said(answer, explain_lines(answer, target, outside.width))


def tell(outside: Outside, target: Target, command: str, reason: str, **more: object) -> Said:
    """Any command that changes what a rollout does: asked once, under an id of its own, so that asking again by accident is harmless."""
    answer = _told(outside, target, command, reason, **more)
    return Said(answer, _sentences(answer, outside))


def back_to(outside: Outside, target: Target, reason: str, release: str, wait_seconds: float | None) -> Said:
    """`rollback --to`: a way up for an older release as often as a way down, so there is no one weight to wait for."""
    if wait_seconds is not None:
        raise BadInput((f"--wait: not together with --to; follow it with {target.line('watch')}",))
    return tell(outside, target, "rollback", reason, to=release)


def take_back(outside: Outside, target: Target, command: str, reason: str, wait_seconds: float | None) -> Said:
    """`abort` or `rollback`; with a wait, not over before no request goes to the canary any more."""
    answer = _told(outside, target, command, reason)
    if wait_seconds is None:
        return Said(answer, _sentences(answer, outside))
    asked_at = outside.now()
    sentence, code = _wait(outside, target, asked_at, wait_seconds)
    document = {**answer, "waited_seconds": round(outside.now() - asked_at), "canary_at_zero": code == GOOD}
    return Said(document, [*_sentences(answer, outside), wrapped(sentence, 0, outside.width)], code)


def _sentences(answer: Document, outside: Outside) -> list[str]:
    """One for each endpoint that was told."""
    return [wrapped(sentence, 0, outside.width) for sentence in answer["result"].splitlines()]


def _told(outside: Outside, target: Target, command: str, reason: str, **more: object) -> Document:
    if not reason.strip():
        raise BadInput(("--reason: must say why; it is kept with the decision.",))
    return ask(outside.invoke, target, command, reason=reason, request=outside.request_id(), **more)


def _wait(outside: Outside, target: Target, asked_at: float, seconds: float) -> tuple[str, int]:
    """Until the canary is at 0, or the time is up. A status that could not be had is asked for again."""
    while True:
        try:
            answer = ask(outside.invoke, target, "status")
        except CommandFailed as fault:
            last = str(fault)
        else:
            if _is_back(answer):
                return f"the canary gets no requests any more, after {outside.now() - asked_at:.0f} s", GOOD
            if _has_failed(answer):
                return f"the rollout failed: {answer['last_outcome']['because']}", FAILED
            last = _standing(answer)
        if outside.now() - asked_at >= seconds:
            return f"not back within {seconds:g} s: {last}. See {target.line('status')}", NOT_IN_TIME
        outside.sleep(_POLL_SECONDS)


def _is_back(answer: Document) -> bool:
    """Asked, desired and actual weight are all 0: a raise that SageMaker had accepted before would still be desired."""
    rollout: dict[str, Any] | None = answer["rollout"]
    if rollout is None:
        return not _has_failed(answer)
    return bool(rollout["canary_parts"] == rollout["desired_parts"] == rollout["actual_parts"] == 0)


def _has_failed(answer: Document) -> bool:
    outcome = answer["last_outcome"]
    return answer["rollout"] is None and outcome is not None and outcome["phase"] == Phase.FAILED.value


def _standing(answer: Document) -> str:
    rollout, seen = answer["rollout"], answer["seen"]
    if rollout["actual_parts"] is None:
        return f"the endpoint cannot be seen ({seen['fault']})"
    return f"the canary is at {percent_text(rollout['actual_parts'])}, endpoint {seen['status']}"
