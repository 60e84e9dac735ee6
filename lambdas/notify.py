"""The queue's function: each audit event to the event bus, and what people are to know of it to the topic. What failed comes again."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from lambdas.reporting import report
from sluice.aws.collector import export
from sluice.aws.signing import ParameterSigner
from sluice.aws.telling import LinkPost, Marks, TopicAndBus
from sluice.core.messages import Letter, message_of
from sluice.core.spans import spans_of
from sluice.notify import deliver, read_letter


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers the queue's poller with the letters that must be handed over again."""
    failed = []
    for record in event["Records"]:
        try:
            done = _handle(record["body"])
        except Exception:
            Logger().exception("a letter could not be read")
            done = False
        if not done:
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _traced(letter: Letter, sent: tuple[str, ...]) -> str | None:
    """To the collector, if there is one, once and after everything else: what it does not take is counted and forgotten."""
    url, spans = os.environ.get("SLUICE_COLLECTOR"), spans_of(letter)
    if url is None or spans is None or f"bus/{message_of(letter).id}" not in sent:
        return None
    return export(url, spans, os.environ.get("SLUICE_COLLECTOR_HEADERS"))


def _links() -> LinkPost | None:
    """Where they are turned on."""
    if "SLUICE_LINK_URL" not in os.environ:
        return None
    return LinkPost(
        os.environ["SLUICE_APPROVALS_ARN"],
        os.environ["SLUICE_LINK_URL"],
        int(os.environ["SLUICE_LINK_SECONDS"]),
        ParameterSigner(os.environ["SLUICE_LINK_KEY"]),
    )


def _handle(body: str) -> bool:
    letter = read_letter(body)
    channels = TopicAndBus(os.environ["SLUICE_TOPIC_ARN"], os.environ["SLUICE_BUS"], _links())
    done = deliver(letter, channels, Marks(os.environ["SLUICE_TABLE"]))
    untraced = _traced(letter, done.sent)
    people = sum(key.startswith("people/") for key in done.sent)
    counted = {"Told": ("Count", float(people)), "NotTold": ("Count", float(len(done.faults)))}
    if untraced is not None:
        counted["NotTraced"] = ("Count", 1.0)
    sentence = f"event {letter.event.seq} of {letter.endpoint}: sent {', '.join(done.sent) or 'nothing new'}"
    rollout = letter.rollout.id if letter.rollout else None
    report(
        sentence,
        counted,
        endpoint=letter.endpoint,
        rollout=rollout,
        faults=(*done.faults, *done.doubts, *filter(None, [untraced])),
    )
    return not done.faults
