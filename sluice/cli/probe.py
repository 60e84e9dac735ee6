"""`probe`: what will happen and what it costs, then a question to the user, then the run. What is asked is `sluice.probe`'s."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sluice.cli.outside import Outside
from sluice.core.errors import BadInput, Refused
from sluice.probe.account import Account
from sluice.probe.estimate import estimate
from sluice.probe.model import REGISTRIES, default_image
from sluice.probe.permissions import caller_policy
from sluice.probe.run import Outcome, check, clean, run
from sluice.probe.stage import Given
from sluice.probe.table import Question, chosen
from sluice.probe.things import Ledger, Names, things
from sluice.schema.facts import surprises, written_facts

_UNHURRIED = Config(retries={"mode": "standard", "max_attempts": 5})
_ALL_GONE = "Everything was removed again."
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """The command's options, as given."""

    only: tuple[str, ...]
    image: str | None
    model_data: str | None
    role: str | None
    instance_type: str
    hourly_price: float | None
    crowded: bool
    out: Path
    yes: bool


def account_of(outside: Outside, region: str | None) -> Account:
    """The account of the caller's credentials. Raises Refused where there are none, or no region."""
    session = boto3.Session()
    chosen_region = region or session.region_name
    if chosen_region is None:
        raise Refused("no region: give --region, or set AWS_DEFAULT_REGION")
    try:
        who = session.client("sts", region_name=chosen_region, config=_UNHURRIED).get_caller_identity()
    except (BotoCoreError, ClientError) as fault:
        raise Refused(f"there are no usable AWS credentials here: {fault}") from None
    clients: dict[str, object] = {}

    def client(service: str) -> object:
        if service not in clients:
            clients[service] = session.client(service, region_name=chosen_region, config=_UNHURRIED)  # type: ignore[call-overload]
        return clients[service]

    partition = who["Arn"].split(":")[1]
    return Account(client, outside.now, outside.sleep, who["Account"], chosen_region, partition)


def probe(account: Account, options: Options, ask: Callable[[str], bool], say: Say) -> tuple[int, Outcome | None]:
    """The whole command; its exit code, and what came of it where it ran."""
    questions = chosen(options.only)
    image = options.image or default_image(account.region)
    if image is None:
        raise BadInput(
            (f"--image is needed in {account.region}: the default image is known in {', '.join(sorted(REGISTRIES))}",)
        )
    names = Names(token_hex(4), account.number, account.region, account.partition)
    check(account, names, options.crowded)
    for line in _announced(account, names, options, questions, image):
        say(line)
    if not options.yes and not ask("Go on?"):
        say("Nothing was made.")
        return 2, None
    given = Given(image, options.instance_type, options.model_data, options.role)
    outcome = run(account, names, given, questions, say)
    options.out.write_text(written_facts(outcome.document))
    return _told(outcome, questions, options.out, say), outcome


def _announced(
    account: Account, names: Names, options: Options, questions: Sequence[Question], image: str
) -> Iterator[str]:
    said = estimate(questions, options.instance_type, options.hourly_price)
    yield f"Probe {names.run} in account {account.number}, {account.region}: {len(questions)} questions."
    if said.instances:
        yield f"  It makes one endpoint of up to {said.instances} {options.instance_type} on {image},"
        yield "  a role, a bucket, a model and configurations, a rule, a queue and two alarms, all named and tagged"
        yield f"  {names.base}, and removes them again, also when it fails or is interrupted (Ctrl-C)."
    dollars = (
        f"${said.dollars:.2f} at list prices"
        if said.dollars is not None
        else "instances of unknown price (--hourly-price)"
    )
    yield f"  Usually {said.minutes:.0f} minutes and {said.instance_hours:.1f} instance hours: {dollars}."
    yield "  A few custom metrics stay behind: metrics cannot be deleted, cost nothing after their last hour and fade after 15 months."
    yield f"  After a crash of this machine: sluice probe --clean {names.run} --region {account.region}"


def _told(outcome: Outcome, questions: Sequence[Question], out: Path, say: Say) -> int:
    """Say how it ended; 0 only where every question has its answer and nothing is left."""
    facts = outcome.document.facts
    answered = [q.key for q in questions if (fact := getattr(facts, q.key)) is not None and fact.answer is not None]
    say(f"{len(answered)} of {len(questions)} questions answered: {out}")
    if outcome.stopped:
        say(f"stopped early: {outcome.stopped}")
    for sentence in surprises(facts):
        say(f"note: {sentence}")
    if not outcome.left:
        say(_ALL_GONE)
    return 0 if len(answered) == len(questions) and not outcome.left else 1


def clean_up(account: Account, run_id: str, say: Say) -> int:
    """Remove whatever a run left, by its id alone."""
    if not run_id.isalnum() or run_id != run_id.lower() or len(run_id) > 20:
        raise BadInput(
            (f"--clean {run_id!r}: a run's id is up to 20 lower-case letters and digits, as the probe printed it",)
        )
    names = Names(run_id, account.number, account.region, account.partition)
    left = clean(Ledger(things(account, names)), say, everything=True)
    if not left:
        say(_ALL_GONE)
    return 1 if left else 0


def policy_text(account: Account) -> str:
    return json.dumps(caller_policy(account.number, account.region, account.partition), indent=2)


@contextmanager
def terminations() -> Iterator[None]:
    """A polite kill cleans up as Ctrl-C does."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def asked_on_terminal(question: str) -> bool:
    """False, and why, where nobody can answer."""
    if not sys.stdin.isatty():
        print("There is no terminal to ask on: say --yes.", file=sys.stderr)
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
