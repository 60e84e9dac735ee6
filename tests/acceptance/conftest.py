"""The example trained once, and stages of a rollout in the sandbox to start from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sluice.core.head import Head
from sluice.core.rollout import Phase, Rollout
from sluice.sandbox.hosting.traffic import Traffic
from sluice.sandbox.sandbox import Sandbox
from sluice.sandbox.triage import ENDPOINT, Example, train


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return train(tmp_path_factory.mktemp("releases"))


class Stage:
    """A sandbox with the example on it, and words for what tests do with it."""

    def __init__(self, sandbox: Sandbox, example: Example, endpoint: str = ENDPOINT) -> None:
        self.sandbox = sandbox
        self.example = example
        self.endpoint = endpoint
        self.traffic: Traffic | None = None

    def up(self, release: str, **more: object):
        self.sandbox.config["endpoints"] = self.example.endpoints(release, **more)
        return self.sandbox.up()

    def send(self, requests_per_minute: float = 3000) -> None:
        self.traffic = self.sandbox.traffic(self.endpoint, self.example.load(requests_per_minute))

    @property
    def head(self) -> Head:
        return self.sandbox.head(self.endpoint)

    @property
    def rollout(self) -> Rollout:
        assert self.head.live is not None, self.head.outcome
        return self.head.live

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.sandbox.events(self.endpoint)]

    def until_weight(self, parts: int, phase: Phase = Phase.BAKING) -> None:
        reached = self.sandbox.run_until(
            lambda: (live := self.head.live) is None or (live.phase is phase and live.canary_parts == parts), 8 * 3600
        )
        assert reached
        assert self.rollout.canary_parts == parts, self.rollout.because

    def until_ended(self) -> None:
        assert self.sandbox.run_until(lambda: self.head.live is None, 12 * 3600), self.rollout.because

    def canary_weight(self, slot: str) -> float:
        weights = {route.slot: route.weight for route in self.sandbox.meters.endpoints.routes(self.endpoint)}
        return weights.get(slot, 0.0) / sum(weights.values())

    def endpoint_calls(self) -> list[str]:
        """Every call that could move or rebuild what serves."""
        words = ("UpdateEndpoint", "UpdateEndpointWeightsAndCapacities", "DeleteEndpoint", "CreateEndpoint")
        return [call.operation for call in self.sandbox.cloud.gate.calls if call.operation in words and call.effective]


@contextmanager
def on_stage(example: Example, endpoint: str = ENDPOINT) -> Iterator[Stage]:
    with Sandbox() as sandbox:
        stage = Stage(sandbox, example, endpoint)
        example.upload(sandbox, "v1", "v2", "v3", "v4", "v5")
        yield stage


@pytest.fixture
def stage(example: Example) -> Iterator[Stage]:
    """v1 serves and clients send."""
    with on_stage(example) as made:
        made.up("v1")
        made.send()
        yield made
