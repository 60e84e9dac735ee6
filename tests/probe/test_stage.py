"""Waiting for an endpoint: a look right after a call may still show it as before the call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sluice.probe.account import Account
from sluice.probe.stage import Given, Stage
from sluice.probe.things import Ledger, Names


@dataclass
class Endpoint:
    """SageMaker as far as `settled` asks: each look shows the next state, the last one again and again."""

    states: list[tuple[str, str]]
    seconds: float = 1000.0
    looks: list[float] = field(default_factory=list)

    def describe_endpoint(self, **_: Any) -> dict[str, Any]:
        self.looks.append(self.seconds)
        status, config = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"EndpointStatus": status, "EndpointConfigName": config}

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def settled(*states: tuple[str, str]) -> tuple[dict[str, Any], float]:
    """The endpoint in the end, and the seconds it took."""
    endpoint = Endpoint(list(states))
    account = Account(lambda _: endpoint, lambda: endpoint.seconds, endpoint.sleep, "123456789012", "us-east-1")
    stage = Stage(account, Names("r1", "123456789012", "us-east-1"), Ledger({}), Given("image", "ml.t2.medium"))
    found = stage.settled(1000.0, lambda shown: shown["EndpointConfigName"] == "new")
    return found, endpoint.seconds - 1000.0


def test_a_look_that_still_shows_the_old_state_is_not_taken_for_the_end() -> None:
    found, seconds = settled(("InService", "old"), ("Updating", "old"), ("InService", "new"))

    assert found["EndpointConfigName"] == "new"
    assert seconds == 10


def test_an_endpoint_that_stays_on_its_old_configuration_has_fallen_back() -> None:
    found, seconds = settled(*[("Updating", "old")] * 20, ("InService", "old"))

    assert found["EndpointConfigName"] == "old"
    assert seconds == 100
