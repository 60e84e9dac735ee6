"""The program for an endpoint that somebody else made: what is not made, what outlives the stack, what may be read."""

from __future__ import annotations

import json

import pytest

from infra.permission_scope import scope_of
from infra.permissions import FUNCTION_DOCUMENTS
from sluice.core.errors import BadInput
from tests.infra.stacks import NAMES, endpoint_document, run_program, spec


@pytest.fixture(scope="module")
def adopted():
    theirs = endpoint_document(adopt=True, endpoint_name="scoring", slots=["AllTraffic", "next"])
    return run_program(endpoints={"Triage": theirs})


def test_nothing_of_it_is_made_but_alarms_and_the_role_of_later_models(adopted):
    kinds = {r.type.rpartition(":")[2] for r in adopted.resources.values()}

    assert not kinds & {"Endpoint", "EndpointConfiguration", "Model"}
    assert {"Triage/AllTraffic/errors", "Triage/next/errors"} <= adopted.of("MetricAlarm").keys()
    assert adopted.exports["endpoints"]["Triage"]["endpoint_arn"].endswith(":endpoint/scoring")


def test_what_it_goes_on_using_outlives_the_stack(adopted):
    assert adopted.only("Role", "serve-Triage").retained
    assert adopted.only("RolePolicy", "serve-Triage").retained
    assert adopted.only("Bucket", "sluice-dev-capture").retained
    settings = [made for made in adopted.resources.values() if made.parent.endswith("::sluice-dev-capture")]
    assert len(settings) == 4
    assert all(made.retained for made in settings), (
        "what was captured stays as private as it was, and goes after its days"
    )


def test_what_it_serves_is_said_by_the_configuration(adopted):
    given = json.loads(adopted.only("Invocation", "Triage-adopt").inputs["input"])

    assert given["release"]["name"] == "v1"


def test_its_configurations_and_models_may_be_read_by_whatever_name():
    made = scope_of(NAMES, spec(Triage=endpoint_document(adopt=True, endpoint_name="scoring")))
    reading = {
        word: [s for s in make(made)["Statement"] if s["Sid"] == "ReadAdopted"]
        for word, make in FUNCTION_DOCUMENTS.items()
    }

    assert {word: s[0]["Action"] for word, s in reading.items() if s} == {
        "submit": ["sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel"],
        "tick": ["sagemaker:DescribeEndpointConfig"],
        "sweep": ["sagemaker:DescribeEndpointConfig"],
    }


def test_adopting_needs_the_endpoints_name():
    with pytest.raises(BadInput, match=r"endpoints.Triage.adopt: needs `endpoint_name`"):
        spec(Triage=endpoint_document(adopt=True))
