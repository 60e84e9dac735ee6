"""The queue's function: each audit event to the event bus, and what people are to know of it to the topic. What failed comes again."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from lambdas.reporting import report
from sluice.aws.signing import ParameterSigner
from sluice.aws.telling import LinkPost, Marks, TopicAndBus
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
    people = sum(key.startswith("people/") for key in done.sent)
    counted = {"Told": ("Count", float(people)), "NotTold": ("Count", float(len(done.faults)))}
    sentence = f"event {letter.event.seq} of {letter.endpoint}: sent {', '.join(done.sent) or 'nothing new'}"
    rollout = letter.rollout.id if letter.rollout else None
    report(sentence, counted, endpoint=letter.endpoint, rollout=rollout, faults=(*done.faults, *done.doubts))
    return not done.faults
