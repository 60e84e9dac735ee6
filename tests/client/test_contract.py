"""What application teams read: typed, versioned, and without anything but boto3."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from typing import Any

import pytest

from infra.exports import ControlPlaneExport, EndpointExport
from sluice.client import Serving, contract_from, serving_from_json
from sluice.client.contract import ControlPlaneContract, EndpointContract
from sluice.core.errors import BadInput

ENDPOINT: dict[str, Any] = {
    "endpoint_name": "dev-triage",
    "endpoint_arn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/dev-triage",
    "region": "us-east-1",
    "slots": ["blue", "green"],
    "desired": {"release": "v2", "digest": "2" * 64},
    "live": {"release": "v1", "digest": "1" * 64},
    "last_outcome": {"release_name": "v2", "phase": "rolled_back", "because": "errors", "ended_at": 1, "nonce": "1"},
    "champion_parameter": "/sluice/sluice/dev/dev-triage",
    "invoke_policy_arn": "arn:aws:iam::123456789012:policy/invoke",
    "outcome_namespace": "Sluice/sluice/dev/outcomes",
    "contract": "rows",
    "event_bus_arn": "arn:aws:events:us-east-1:123456789012:event-bus/default",
    "topic_arn": "arn:aws:sns:us-east-1:123456789012:pages",
    "dashboard_url": "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#dashboards/dashboard/sluice-dev-on-call",
}
CONTROL_PLANE = {field.name: ["x"] if "tuple" in str(field.type) else "x" for field in fields(ControlPlaneContract)}
CONTROL_PLANE |= {"commands": {}, "command_policy_arns": {}}


def outputs(**changes: Any) -> dict[str, Any]:
    return {"contract_version": 1, "endpoints": {"triage": ENDPOINT}, "control_plane": CONTROL_PLANE, **changes}


def test_the_exports_of_a_stack_are_read_as_types() -> None:
    contract = contract_from(outputs())

    endpoint = contract.endpoint("triage")
    assert endpoint.slots == ("blue", "green")
    assert (endpoint.live.release, endpoint.desired.release) == ("v1", "v2")
    assert endpoint.last_outcome is not None
    assert endpoint.last_outcome.phase == "rolled_back"
    assert contract.control_plane.table == "x"


def test_what_a_later_stack_adds_within_the_version_is_passed_over() -> None:
    more = {**ENDPOINT, "colour": "green", "live": {**ENDPOINT["live"], "since": 7}}

    assert contract_from(outputs(endpoints={"triage": more}, colour="red")) == contract_from(outputs())


def test_a_null_that_got_lost_on_its_way_is_a_null() -> None:
    without = {key: value for key, value in ENDPOINT.items() if key != "last_outcome"}

    assert contract_from(outputs(endpoints={"triage": without})).endpoint("triage").last_outcome is None


def test_a_whole_number_that_became_a_fraction_on_its_way_is_whole_again() -> None:
    """As a stack reference hands it on: Pulumi's wire has one kind of number."""
    handed_on = json.loads(json.dumps(outputs(contract_version=1.0)), parse_int=float)

    assert contract_from(handed_on) == contract_from(outputs())
    part = {**ENDPOINT, "last_outcome": {**ENDPOINT["last_outcome"], "ended_at": 1.5}}
    with pytest.raises(BadInput, match=r"last_outcome\.ended_at: must be int"):
        contract_from(outputs(endpoints={"triage": part}))


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (outputs(contract_version=2), r"reads version 1, got 2\. Install the version of Sluice"),
        ({"name": "x"}, r"contract_version: the stack exports no such thing \(it exports: name\)"),
        (outputs(endpoints={"triage": {**ENDPOINT, "slots": "blue"}}), r"endpoints\.triage\.slots: must be list"),
        (outputs(endpoints={"triage": {"region": "x"}}), r"endpoints\.triage\.endpoint_arn: missing"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(document: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        contract_from(document)


def test_an_endpoint_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match=r"'triag': the stack has none of this name \(it has: triage\)"):
        contract_from(outputs()).endpoint("triag")


def test_the_document_for_roles_of_other_accounts_is_made_from_what_is_exported() -> None:
    document = json.loads(contract_from(outputs()).endpoint("triage").invoke_policy_json)

    asked = {statement["Sid"]: statement["Resource"] for statement in document["Statement"]}
    assert asked == {
        "InvokeByWeight": [ENDPOINT["endpoint_arn"]],
        "ReadChampion": ["arn:aws:ssm:us-east-1:123456789012:parameter/sluice/sluice/dev/dev-triage"],
        "RecordOutcomes": ["*"],
    }


def test_what_an_application_needs_goes_through_an_environment_variable() -> None:
    serving = contract_from(outputs()).endpoint("triage").serving

    assert serving_from_json(serving.to_json()) == serving
    with pytest.raises(BadInput, match="reads version 1, got 7"):
        serving_from_json(json.dumps({**json.loads(serving.to_json()), "contract_version": 7}))
    with pytest.raises(BadInput, match="must be the JSON of"):
        serving_from_json("dev-triage")


def test_every_promised_field_is_exported() -> None:
    def names(kind: Any) -> set[str]:
        return {field.name for field in fields(kind)}

    assert names(EndpointContract) <= names(EndpointExport)
    assert names(ControlPlaneContract) <= names(ControlPlaneExport)
    assert names(Serving) <= names(EndpointContract)


LIGHT = """
import sys
import sluice.client
heavy = {name.partition(".")[0] for name in sys.modules} & {"pulumi", "pydantic", "yaml", "numpy", "typer", "moto"}
print(sorted(heavy))
"""


def test_the_client_needs_nothing_but_boto3() -> None:
    ran = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)

    assert ran.stdout == "[]\n"
