"""One probe from beginning to end: look, ask, write down, clean up, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sluice.core.errors import Refused
from sluice.probe.account import Account, Denied, TookTooLong, denial
from sluice.probe.stage import Given, Stage
from sluice.probe.table import Question
from sluice.probe.things import PREFIX, Ledger, Left, Names, Thing, things
from sluice.schema.facts_document import FactsDocument

MOST_ENDPOINTS = 50
"""Every DescribeEndpoint and weight call of a probe takes from the rates that the region's rollouts live on."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`stopped` is why not every question was asked; `left` is what could not be removed."""

    document: FactsDocument
    stopped: str | None
    left: tuple[Left, ...]


def check(account: Account, names: Names, crowded: bool) -> None:
    """Refuse before anything is made: another probe's remains, a busy account, a permission to remove that is missing."""
    try:
        pages = account.client("sagemaker").get_paginator("list_endpoints").paginate()
        found = [endpoint["EndpointName"] for page in pages for endpoint in page["Endpoints"]]
    except ClientError as fault:
        raise denial(fault) or fault from None
    remains = sorted(name.removeprefix(PREFIX) for name in found if name.startswith(PREFIX))
    if remains:
        raise Refused(
            f"endpoint {PREFIX}{remains[0]} of another probe is here: it runs now, or was left behind. "
            f"`sluice probe --clean {remains[0]}` removes it."
        )
    if len(found) > MOST_ENDPOINTS and not crowded:
        raise Refused(
            f"{account.region} holds {len(found)} endpoints (more than {MOST_ENDPOINTS}), and a probe takes from the API rates "
            "they live on. Probe in an account for tests, or say --crowded."
        )
    # Removing what is not there yet: whoever may not clean up learns so while there is nothing to clean up.
    ledger = Ledger(things(account, names))
    for _, left in ledger.clean(everything=True):
        if left is not None:
            raise Denied(
                f"{left.what} could not be removed again if it were made: {left.why}. Nothing was made. "
                "`sluice probe --policy` prints the IAM policy a probe needs."
            )


def run(account: Account, names: Names, given: Given, questions: Sequence[Question], say: Say) -> Outcome:
    """Ask the questions, then remove everything. An interruption, or a permission that is missing, ends the asking early."""
    ledger = Ledger(things(account, names))
    stage = Stage(account, names, ledger, given)
    facts: dict[str, dict[str, Any]] = {}
    stopped = None
    left: tuple[Left, ...] = ()
    try:
        for number, question in enumerate(questions, 1):
            say(f"[{number}/{len(questions)}] {question.key}: {question.asks}")
            facts[question.key] = _fact(question, stage)
            say(f"      {_shown(facts[question.key])}")
    except KeyboardInterrupt:
        stopped = "interrupted"
    except Denied as fault:
        stopped = str(fault)
    finally:
        left = clean(ledger, say)
    document = FactsDocument.model_validate(
        {
            "schema": 1,
            "run": names.run,
            "region": account.region,
            "instance_type": given.instance_type,
            "image": given.image,
            "facts": facts,
        }
    )
    return Outcome(document, stopped, left)


def clean(ledger: Ledger, say: Say, everything: bool = False) -> tuple[Left, ...]:
    """Remove the last made first; goes on after a failure, and says what is left with the commands that remove it.

    Interrupted, it counts as left whatever it had not come to.
    """
    waiting = [thing for key, thing in reversed(list(ledger.known.items())) if everything or key in ledger.noted]
    left: list[Left] = []
    if waiting:
        say("cleaning up")
    try:
        for thing, failure in ledger.clean(everything):
            waiting.remove(thing)
            if failure is not None:
                left.append(failure)
    except KeyboardInterrupt:
        left += [_unreached(thing) for thing in waiting]
    if left:
        say("LEFT BEHIND. Remove it by hand, in this order:")
    for each in left:
        say(f"  {each.what}: {each.why}")
        say(f"    {each.command}")
    return tuple(left)


def _unreached(thing: Thing) -> Left:
    return Left(thing.what, "interrupted while cleaning up", thing.command)


def _fact(question: Question, stage: Stage) -> dict[str, Any]:
    """What came of a question. A missing permission ends the run; any other failure is this question's own."""
    at = datetime.fromtimestamp(stage.account.now(), UTC).isoformat(timespec="seconds")
    said: dict[str, Any] = {"question": question.asks, "how": question.how, "at": at}
    try:
        return {**said, "answer": question.answer(stage).model_dump()}
    except ClientError as fault:
        if (refused := denial(fault)) is not None:
            raise refused from None
        return {**said, "unknown": str(fault)}
    except (BotoCoreError, TookTooLong) as fault:
        return {**said, "unknown": str(fault)}


def _shown(fact: dict[str, Any]) -> str:
    if "unknown" in fact:
        return f"no answer: {fact['unknown']}"
    return ", ".join(f"{key} {_short(value)}" for key, value in fact["answer"].items() if value not in (None, ""))


def _short(value: object) -> str:
    if isinstance(value, tuple | list):
        return " ".join(_short(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
