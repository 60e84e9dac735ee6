"""Asking by weight, and when a session may stay with the variant it had."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from sluice.client import Endpoint, Pin, Serving, Sticky, read_champion, serving_from_parameter
from sluice.core.errors import BadInput
from tests.client.conftest import Watch


class Ssm:
    """A parameter store with one parameter."""

    class meta:
        region_name = "eu-west-1"

    def __init__(self, **changes: Any) -> None:
        self.looks = 0
        self.document: Any = {
            "champion_slot": "blue",
            "champion_release": "v1",
            "champion_digest": "1" * 64,
            "rollout": "dev-triage-2",
            "phase": "baking",
            "from_slot": "blue",
            "to_slot": "green",
            "first_exposure_at": 7,
            "canary_parts": 2500,
            **changes,
        }

    def get_parameter(self, Name: str) -> dict[str, Any]:
        self.looks += 1
        if isinstance(self.document, Exception):
            raise self.document
        return {"Parameter": {"Name": Name, "Value": json.dumps(self.document)}}


PIN = Pin("green", "dev-triage-2")


def sticky(serving: Serving, ssm: Ssm, watch: Watch | None = None) -> Sticky:
    return Sticky(serving, ssm, now=watch or Watch())


def test_while_both_serve_by_decision_a_session_stays(serving: Serving) -> None:
    pins = sticky(serving, Ssm())

    assert pins.pin("green") == PIN
    assert pins.target(PIN) == "green"
    assert pins.target(None) is None


@pytest.mark.parametrize(
    "now",
    [
        {"phase": "rolling_back", "canary_parts": 0},
        {"phase": "rolling_back"},
        {"phase": "verifying"},
        {"phase": "paused"},
        {"phase": "some_phase_of_a_later_version"},
        {"phase": "baking", "canary_parts": 10_000},
        {"phase": "soaking", "canary_parts": 10_000},
        {"phase": "baking", "canary_parts": 0},
        {"phase": None, "rollout": None, "from_slot": None, "to_slot": None, "canary_parts": None},
        {"rollout": "dev-triage-3"},
        {"to_slot": "next"},
    ],
)
def test_in_any_other_case_the_weights_decide(serving: Serving, now: dict[str, Any]) -> None:
    assert sticky(serving, Ssm(**now)).target(PIN) is None


def test_who_serves_cannot_be_known_so_the_weights_decide(serving: Serving) -> None:
    ssm = Ssm()
    ssm.document = OSError("no route")

    assert sticky(serving, ssm).target(PIN) is None
    assert sticky(serving, ssm).pin("green") is None


def test_a_rollback_is_seen_when_the_last_look_is_too_old(serving: Serving, watch: Watch) -> None:
    ssm = Ssm()
    pins = sticky(serving, ssm, watch)
    assert pins.target(PIN) == "green"
    ssm.document["phase"] = "rolling_back"

    watch.at += 4.9
    assert (pins.target(PIN), ssm.looks) == ("green", 1)
    watch.at += 0.1
    assert (pins.target(PIN), ssm.looks) == (None, 2)


def test_to_pin_is_warned_about(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    sticky(serving, Ssm())

    assert "pins bypass weights, and a rollback reaches them up to 5 s late" in caplog.text


class Runtime:
    """InvokeEndpoint that notes what it is asked."""

    def __init__(self, **more: Any) -> None:
        self.asked: list[dict[str, Any]] = []
        self.more = more

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        return {"Body": io.BytesIO(b"1"), "ContentType": "text/csv", **self.more}


def test_an_answer_says_which_variant_gave_it(serving: Serving) -> None:
    runtime = Runtime(InvokedProductionVariant="green")

    answer = Endpoint(serving, runtime).ask(b"1,2")

    assert (answer.body, answer.slot) == (b"1", "green")
    assert runtime.asked == [
        {"EndpointName": "dev-triage", "Body": b"1,2", "ContentType": "text/csv", "Accept": "text/csv"}
    ]
    assert Endpoint(serving, Runtime()).ask(b"1,2").slot is None


def test_a_pin_is_asked_for_by_name(serving: Serving) -> None:
    runtime = Runtime()

    Endpoint(serving, runtime).ask(b"1,2", pinned_to="green")

    assert runtime.asked[0]["TargetVariant"] == "green"


def test_without_pulumi_the_parameter_says_what_an_application_needs() -> None:
    serving = serving_from_parameter("/sluice/sluice/dev/dev-triage", Ssm(champion_slot="green"))

    assert serving == Serving(
        "dev-triage", "eu-west-1", ("blue", "green"), "/sluice/sluice/dev/dev-triage", "Sluice/sluice/dev/outcomes"
    )


def test_a_parameter_of_somebody_else_is_refused() -> None:
    ssm = Ssm()
    ssm.document = {"colour": "red"}

    with pytest.raises(BadInput, match="'/x': is not one of Sluice's, got"):
        read_champion("/x", ssm)
    with pytest.raises(BadInput, match="must be /sluice/<project>/<stack>/<endpoint>, got '/x'"):
        serving_from_parameter("/x", ssm)
