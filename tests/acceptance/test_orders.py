"""What people tell a rollout, as signed requests to the served sandbox: obeyed with their names, or refused with a sentence,
audited where the control plane was reached, and nothing changed. The server's check of signatures is ours, not AWS's.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sluice.core.audit import Event, chain_faults
from sluice.core.head import Head
from sluice.core.rollout import Phase
from sluice.sandbox.server.server import Key, Server
from sluice.sandbox.triage import ENDPOINT, Example
from tests.acceptance.conftest import Stage, on_stage

OPERATOR, COLLEAGUE = Key("AKIAOPERATOR", "one"), Key("AKIACOLLEAGUE", "other", "colleague")
WHO = "arn:aws:iam::123456789012:user/{}"
POLICY = """
version: 1
steps:
  - {weight: 25, bake: {min: 5m, max: 15m}, on_inconclusive: advance}
  - {weight: 50, bake: {min: 5m, max: 15m}, on_inconclusive: advance, approval: {by: ["arn:aws:iam::*:user/*"], timeout: 24h}}
  - {weight: 100}
min_samples: 100
soak: 10m
metrics:
  errors: {kind: rate, events: Invocation5XXErrors, trials: Invocations, rail: {rate: 5%, versus_stable: 2.0}}
"""
REASON = "as agreed"


@dataclass
class Desk:
    """The rollout waits for an approval. What is asked goes over HTTP to the URL of a class."""

    stage: Stage
    server: Server

    @property
    def head(self) -> Head:
        return self.stage.head

    @property
    def last(self) -> Event:
        return self.stage.sandbox.events(ENDPOINT)[-1]

    def request(self, alias: str, action: str, **more: Any) -> AWSRequest:
        """Not signed yet."""
        found = boto3.client("lambda").get_function_url_config(FunctionName="sluice-dev-command", Qualifier=alias)
        url = f"{self.server.url}/lambda-url/{urlsplit(found['FunctionUrl']).netloc}/"
        body = {"action": action, "endpoint": ENDPOINT, "reason": REASON, **more}
        return AWSRequest("POST", url, headers={"Content-Type": "application/json"}, data=json.dumps(body))

    def signed(self, request: AWSRequest, by: Credentials | Key, service: str = "lambda") -> AWSRequest:
        given = Credentials(by.access_key, by.secret) if isinstance(by, Key) else by
        SigV4Auth(given, service, "us-east-1").add_auth(request)
        return request

    def send(self, request: AWSRequest) -> tuple[int, str]:
        """Status and sentence."""
        parts = urlsplit(request.url)
        line = http.client.HTTPConnection(str(parts.hostname), parts.port)
        line.request("POST", parts.path, request.data, dict(request.headers.items()))
        answer = line.getresponse()
        said = json.loads(answer.read())
        line.close()
        return answer.status, next((said[key] for key in ("result", "message", "Message") if key in said), "")

    def ask(self, by: Credentials | Key, alias: str, action: str, **more: Any) -> tuple[int, str]:
        return self.send(self.signed(self.request(alias, action, **more), by))

    def passes(self, seconds: float) -> None:
        self.stage.sandbox.run_until(lambda: False, seconds)


@pytest.fixture(scope="module")
def waiting(example: Example, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    policy: Path = tmp_path_factory.mktemp("policies") / "approved.yaml"
    policy.write_text(POLICY)
    with on_stage(example) as stage, Server(stage.sandbox, OPERATOR, speed=0, colleague=COLLEAGUE) as server:
        stage.up("v1", policy=str(policy))
        stage.send(600)
        stage.up("v2", policy=str(policy))
        stage.until_weight(2500, Phase.AWAITING_APPROVAL)
        yield Desk(stage, server)


@pytest.fixture
def desk(waiting: Desk) -> Iterator[Desk]:
    """Whatever the test did, the chain is whole and nobody else's code was called."""
    yield waiting
    assert chain_faults(waiting.stage.sandbox.events(ENDPOINT)) == ()


def unchanged(before: Head, after: Head) -> bool:
    """But for the trail, which may have grown."""
    return replace(after, version=0, chain="") == replace(before, version=0, chain="")


def session(*classes: str) -> Credentials:
    """Of a role with the exported documents of these classes."""
    name = "-".join(classes)
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
    iam = boto3.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]
    alias = "arn:aws:lambda:us-east-1:123456789012:function:sluice-dev-command:{}"
    allowed = [
        {
            "Effect": "Allow",
            "Action": ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"],
            "Resource": alias.format(c),
        }
        for c in classes
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
    given = boto3.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="eve")["Credentials"]
    return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


@pytest.mark.parametrize(("alias", "action"), [("approve", "approve"), ("force", "force"), ("operate", "stop")])
def test_a_request_that_nobody_signed_right_does_not_reach_the_control_plane(
    desk: Desk, alias: str, action: str
) -> None:
    before, refusals = desk.head, len(desk.server.refusals)

    unsigned = desk.send(desk.request(alias, action))
    wrong = desk.ask(replace(COLLEAGUE, secret="guessed"), alias, action)
    stranger = desk.ask(Key("AKIASTRANGER", "x"), alias, action)
    altered = desk.signed(desk.request(alias, action), COLLEAGUE)
    altered.data = str(altered.data).replace(REASON, "as ordered")
    elsewhere = desk.send(desk.signed(desk.request(alias, action), COLLEAGUE, service="s3"))

    assert (unsigned[0], unsigned[1][:29]) == (403, "Missing Authentication Token:")
    assert (wrong[0], "signature we calculated does not match" in wrong[1]) == (403, True)
    assert (stranger[0], "AKIASTRANGER is not known" in stranger[1]) == (403, True)
    assert (desk.send(altered)[0], elsewhere) == (403, (403, "Forbidden"))
    assert desk.head == before, "not even the trail has grown"
    assert len(desk.server.refusals) == refusals + 4


def test_a_caller_without_the_permission_of_the_class_is_refused_before_the_function(desk: Desk) -> None:
    before, eve = desk.head, session("observe", "operate")

    refused = [desk.ask(eve, word, word) for word in ("approve", "force")]

    assert refused == [(403, "Forbidden")] * 2
    assert desk.head == before
    assert desk.ask(eve, "observe", "history")[0] == 200, "what the role may, it may"


@pytest.mark.parametrize(
    ("by", "alias", "action", "sentence"),
    [
        (OPERATOR, "approve", "approve", "submitted v2, and nobody approves their own release"),
        (COLLEAGUE, "operate", "approve", "'approve' is not a command of alias 'operate'"),
        (COLLEAGUE, "operate", "force", "'force' is not a command of alias 'operate'"),
        (COLLEAGUE, "observe", "pause", "'pause' is not a command of alias 'observe'"),
        (COLLEAGUE, "approve", "stop", "'stop' is not a command of alias 'approve'"),
    ],
)
def test_what_one_may_not_is_refused_and_audited(desk: Desk, by: Key, alias: str, action: str, sentence: str) -> None:
    before = desk.head

    status, said = desk.ask(by, alias, action)

    assert (status, sentence in said) == (403, True), said
    assert unchanged(before, desk.head)
    assert (desk.last.kind, desk.last.by) == ("command_refused", WHO.format(by.user))
    assert (desk.last.facts["action"], desk.last.facts["reason"]) == (action, REASON)


def test_the_pipelines_alias_neither_approves_nor_forces_and_proves_nobody(desk: Desk) -> None:
    before = desk.head
    for action in ("approve", "force"):
        asked = {"action": action, "endpoint": ENDPOINT, "reason": REASON, "by": WHO.format("colleague")}
        answer = boto3.client("lambda").invoke(
            FunctionName="sluice-dev-command", Qualifier="pipeline", Payload=json.dumps(asked)
        )
        assert "is not a command of alias 'pipeline'" in json.loads(answer["Payload"].read())["errorMessage"]
        assert desk.last.by == f"unproven:{WHO.format('colleague')}"

    assert unchanged(before, desk.head)


@pytest.mark.parametrize(
    ("alias", "action"), [("approve", "approve"), ("operate", "pause"), ("force", "force"), ("operate", "stop")]
)
@pytest.mark.parametrize("reason", ["", "  "])
def test_without_a_reason_nothing_happens(desk: Desk, alias: str, action: str, reason: str) -> None:
    before = desk.head

    assert desk.ask(COLLEAGUE, alias, action, reason=reason) == (
        400,
        "reason: missing. Say why: it is kept with the decision.",
    )
    assert desk.head == before


def test_a_request_that_was_caught_and_is_sent_again_does_nothing(desk: Desk) -> None:
    """The very bytes, signature and all; and its id under another command."""
    caught = desk.signed(desk.request("operate", "pause", request="r-1"), COLLEAGUE)
    first = desk.send(caught)
    resumed = desk.ask(COLLEAGUE, "operate", "resume", request="r-2")
    before = desk.head

    again = desk.send(caught)
    other = desk.ask(COLLEAGUE, "operate", "abort", request="r-1")

    assert first == again == (200, f"{WHO.format('colleague')} pauses v2 before its next step: {REASON}")
    assert resumed[0] == 200
    assert other == (409, "request 'r-1' was used before, for another command: give each its own id.")
    assert desk.head == before


def test_under_a_stop_an_approved_step_waits_until_somebody_forces_it(desk: Desk) -> None:
    """Last, because it moves the rollout on."""
    desk.passes(120)
    assert desk.ask(OPERATOR, "operate", "stop")[0] == 200
    assert desk.head.live is not None
    assert desk.ask(COLLEAGUE, "approve", "approve")[0] == 200
    desk.passes(900)
    assert desk.head.live.canary_parts == 2500, "approved, and stopped all the same"

    status, said = desk.ask(COLLEAGUE, "force", "force")
    desk.stage.until_weight(5000)

    assert (status, said) == (200, f"{WHO.format('colleague')} forces v2 to 50 %: {REASON}")
    forced = next(event for event in desk.stage.sandbox.events(ENDPOINT) if event.kind == "forced")
    assert (forced.by, forced.facts["proven"]) == (WHO.format("colleague"), True)
    assert desk.ask(OPERATOR, "operate", "lift")[0] == 200
