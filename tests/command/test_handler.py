"""The command function's door: which alias, which caller, which body. What lies behind is the simulated world."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import pytest

from lambdas import command
from lambdas.command import handler
from sluice.core.errors import BadInput, Forbidden
from sluice.core.rollout import Phase
from sluice.sim.world import World

ANN = "arn:aws:sts::123456789012:assumed-role/oncall/ann"


@dataclass
class Context:
    invoked_function_arn: str


def through(alias: str) -> Context:
    return Context(f"arn:aws:lambda:eu-west-1:123456789012:function:sluice-dev-command:{alias}")


def request(body: object, caller: str | None = ANN, method: str = "POST", **more: Any) -> dict[str, Any]:
    """As Lambda hands a function URL's request over."""
    authorizer = {"authorizer": {"iam": {"userArn": caller}}} if caller else {}
    text = body if isinstance(body, str) else json.dumps(body)
    context = {"http": {"method": method}, **authorizer}
    return {"version": "2.0", "requestContext": context, "body": text, "isBase64Encoded": False, **more}


@pytest.fixture(autouse=True)
def wired(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "ports", lambda: world.ports)
    monkeypatch.setattr(command, "report", lambda *_args, **_named: None)


def answered(alias: str, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = handler(event, through(alias))
    return answer["statusCode"], json.loads(answer["body"])


def asked(action: str, **more: Any) -> dict[str, Any]:
    return {"action": action, "endpoint": "shop", "reason": "because", **more}


def test_a_command_comes_by_the_alias_of_its_class(world: World, until) -> None:
    until(Phase.BAKING)

    code, said = answered("operate", request(asked("pause")))

    assert (code, said["endpoint"]) == (200, "shop")
    assert said["result"] == f"{ANN} pauses v2 before its next step: because"
    event = list(world.store.events("shop"))[-1]
    assert (event.kind, event.by, event.facts["proven"]) == ("pause_asked", ANN, True)


@pytest.mark.parametrize(
    ("alias", "action"),
    [("observe", "abort"), ("operate", "approve"), ("operate", "force"), ("approve", "pause"), ("force", "status")],
)
def test_a_command_of_another_class_is_refused_and_recorded(world: World, until, alias: str, action: str) -> None:
    until(Phase.BAKING)
    before = world.store.head("shop").live

    code, said = answered(alias, request(asked(action)))

    assert (code, said["error"]) == (403, "Forbidden")
    assert said["message"] == f"{action!r} is not a command of alias {alias!r}"
    assert world.store.head("shop").live == before
    assert list(world.store.events("shop"))[-1].kind == "command_refused"


@pytest.mark.parametrize("caller", [None, ""])
def test_a_request_without_a_caller_is_refused(world: World, caller: str | None) -> None:
    before = world.store.head("shop")

    code, said = answered("operate", request(asked("stop"), caller=caller))

    assert (code, said["message"][:29]) == (403, "the request names no caller: ")
    assert world.store.head("shop") == before


def test_the_caller_is_not_what_the_body_says(world: World) -> None:
    answered("operate", request({**asked("stop"), "by": "root", "requestContext": {"authorizer": {}}}))

    assert world.store.head("shop").stop.by == ANN


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (request(asked("status"), method="GET"), "method: commands are sent by POST, got GET"),
        (request("{"), "body: must be a JSON document"),
        (request("[1]"), "body: must be a JSON document with keys, got list"),
        (request("%%%", isBase64Encoded=True), "body: must be a JSON document"),
        (request({"action": "pause", "endpoint": "shop"}), "reason: missing. Say why: it is kept with the decision."),
        (request({"action": "pause"}), "endpoint: must be text, got None"),
        (request(asked("pause", reason="x" * 1001)), "reason: must have at most 1000 characters, got 1001"),
        (request(asked("pause", endpoint="nowhere")), "endpoint 'nowhere' is not known here (known: shop)"),
        (request(asked("rollback", to=7)), "to: must be text, got 7"),
        (request(asked("submit", release={}, nonce="1")), "release.name: missing"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(world: World, event: dict[str, Any], sentence: str) -> None:
    before = world.store.head("shop")

    code, said = answered("operate", event)

    assert (code, said["error"]) == (400, "BadInput")
    assert sentence in said["message"].splitlines()[0] or sentence in said["message"]
    assert world.store.head("shop") == before


def test_what_must_not_happen_now_is_a_conflict(world: World) -> None:
    code, said = answered("operate", request(asked("pause")))

    assert (code, said["error"]) == (409, "Refused")
    assert said["message"] == "endpoint 'shop': no rollout is live, v1 serves."


def test_a_body_may_come_encoded(world: World) -> None:
    body = base64.b64encode(json.dumps(asked("stop")).encode()).decode()

    assert answered("operate", request(body, isBase64Encoded=True))[0] == 200


def test_looking_needs_no_reason(world: World) -> None:
    assert answered("observe", request({"action": "status", "endpoint": "shop"}))[1]["live"]["release"] == "v1"
    assert len(answered("observe", request({"action": "history", "endpoint": "shop", "limit": 1}))[1]["events"]) == 1


class TestPipeline:
    def test_who_asks_is_what_the_program_says(self, world: World) -> None:
        answer = handler(
            {**asked("stop"), "by": "ci", "requestContext": {"authorizer": {"iam": {"userArn": ANN}}}},
            through("pipeline"),
        )

        assert answer["result"] == "every step up is stopped by unproven:ci: because"

    @pytest.mark.parametrize("action", ["approve", "force"])
    def test_it_neither_approves_nor_forces(self, world: World, action: str) -> None:
        with pytest.raises(Forbidden, match=f"{action!r} is not a command of alias 'pipeline'"):
            handler(asked(action), through("pipeline"))

    @pytest.mark.parametrize(
        ("event", "fault"),
        [
            ({"action": "history", "endpoint": "shop", "limit": "5"}, "limit: must be a whole number, got '5'"),
            ({"action": "history", "endpoint": "shop", "before": True}, "before: must be a whole number, got True"),
            ({"endpoint": "shop"}, "action: must be text, got None"),
        ],
    )
    def test_bad_input_is_raised(self, event: dict[str, object], fault: str) -> None:
        with pytest.raises(BadInput) as caught:
            handler(event, through("pipeline"))

        assert caught.value.faults == (fault,)


@pytest.mark.parametrize(
    "arn", ["arn:aws:lambda:eu-west-1:123456789012:function:sluice-dev-command", "function:x:root"]
)
def test_without_an_alias_nobody_is_answered(arn: str) -> None:
    with pytest.raises(Forbidden, match="is called by one of its aliases"):
        handler(asked("status"), Context(arn))
