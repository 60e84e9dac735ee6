"""A probe on the sandbox: an account in virtual time, whose parameters are what the probe should find."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sluice.cli import probe as command
from sluice.cli.outside import here
from sluice.probe.account import Account
from sluice.probe.run import Outcome
from sluice.sandbox.hosting.endpoints import EndpointTiming
from sluice.sandbox.meters import MeterSettings
from sluice.sandbox.sandbox import Sandbox, Setting
from sluice.sandbox.watch.alarms import AlarmTiming
from sluice.sandbox.watch.arithmetic import Reading

UNUSUAL = Setting(
    meters=MeterSettings(
        metric_delay_seconds=25.0,
        endpoints=EndpointTiming(create=200.0, update=410.0, weights=23.0, counts=290.0, delete=35.0),
        alarms=AlarmTiming(after_minute=37.0, reading=Reading.BOTH_SIDES),
    ),
    event_seconds=2.5,
)
"""No parameter has its default: a probe that answered from anything but measurement would be found out."""


@dataclass
class Probing:
    """One sandbox, and what a probe said and did in it."""

    sandbox: Sandbox
    account: Account
    folder: Path
    said: list[str] = field(default_factory=list)

    def probe(self, *only: str, yes: bool = True, answer: bool = False, **more: object) -> tuple[int, Outcome | None]:
        usual = {"image": None, "model_data": None, "role": None, "instance_type": "ml.t2.medium"}
        rest = {"hourly_price": None, "crowded": False, "out": self.folder / "facts.json"}
        given = command.Options(**{"only": only, "yes": yes, **usual, **rest, **more})
        return command.probe(self.account, given, lambda question: answer, self.said.append)

    def outcome(self, *only: str) -> Outcome:
        _, outcome = self.probe(*only)
        assert outcome is not None
        return outcome

    def made_and_left(self) -> list[str]:
        """What is in the account, by asking each service for everything of the probe's."""
        client = self.account.client
        return [
            *(each["EndpointName"] for each in client("sagemaker").list_endpoints()["Endpoints"]),
            *(each["EndpointConfigName"] for each in client("sagemaker").list_endpoint_configs()["EndpointConfigs"]),
            *(each["ModelName"] for each in client("sagemaker").list_models()["Models"]),
            *(each["RoleName"] for each in client("iam").list_roles()["Roles"]),
            *(each["Name"] for each in client("s3").list_buckets()["Buckets"]),
            *(each["Name"] for each in client("events").list_rules()["Rules"]),
            *client("sqs").list_queues().get("QueueUrls", []),
            *(each["AlarmName"] for each in client("cloudwatch").describe_alarms()["MetricAlarms"]),
        ]


@contextmanager
def probing(folder: Path, setting: Setting = UNUSUAL) -> Iterator[Probing]:
    with Sandbox(setting) as sandbox:
        yield Probing(sandbox, command.account_of(here(), None), folder)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Probing]:
    with probing(tmp_path) as made:
        yield made
