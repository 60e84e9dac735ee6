"""The ward's application: it shows a nurse what the model thinks of a sample, and learns hours later what the doctor found.

Two kinds of requests: `{"row": "1.2,3.4,..."}` asks the model, `{"shown": "...", "confirmed": true, "minutes": 12}` says what
came of an answer. Which variant gave that answer travels with it, so the outcome counts for the release that was shown.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import Any

from sluice.client import CloudWatch, EmfLines, Endpoint, Outcomes, serving_from_json
from sluice.client.outcomes import Mean, Rate
from sluice.client.session import session_as

LONGEST_CASE_MINUTES = 240
"""A case that stays open over night says nothing about the model."""


@dataclass(frozen=True)
class Desk:
    """What one container keeps between requests."""

    endpoint: Endpoint
    outcomes: Outcomes
    confirmed: Rate
    minutes: Mean

    def ask(self, row: str) -> dict[str, Any]:
        answer = self.endpoint.ask(row.encode())
        shown = self.outcomes.exposed(answer)
        return {"label": answer.body.decode().strip(), "shown": str(shown)}

    def learn(self, shown: str, confirmed: bool, minutes: float) -> dict[str, Any]:
        if confirmed:
            self.confirmed.happened(shown)
        self.minutes.measured(shown, minutes)
        return {"noted": True}


@cache
def desk() -> Desk:
    serving = serving_from_json(os.environ["SERVING"])
    session = session_as(os.environ["ASK_AS"], serving.region) if "ASK_AS" in os.environ else None
    # Metrics in log lines cost no call, but they stay in the function's own account.
    sink = EmfLines() if session is None else CloudWatch.of(session)
    outcomes = Outcomes(serving, sink, interval_seconds=None)
    runtime = session.client("sagemaker-runtime") if session is not None else None
    confirmed = outcomes.rate("Confirmed", of="Shown")
    minutes = outcomes.mean("Minutes", at_most=LONGEST_CASE_MINUTES)
    return Desk(Endpoint(serving, runtime), outcomes, confirmed, minutes)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    ward = desk()
    try:
        if "row" in event:
            return ward.ask(event["row"])
        return ward.learn(event["shown"], bool(event["confirmed"]), float(event["minutes"]))
    finally:
        ward.outcomes.flush()  # the container may be frozen from here on
