"""A stack served by another's control plane: what must agree, what is named after whom, and what the control plane may do for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pulumi
import pytest

from infra.endpoint_names import champion_parameter, endpoint_arn, execution_role_arn, name_root
from infra.iam_documents import text
from infra.permission_scope import scope_of
from infra.permissions import FUNCTION_DOCUMENTS
from infra.preflight import guarded
from infra.resource_names import Names
from infra.shared_control_plane import checked
from sluice.sandbox.cloud.iam import evaluate, parse
from sluice.schema import StackSpec, parse_stack
from tests.infra.stacks import NAMES, REPOSITORY, endpoint_document

PLATFORM = "organization/platform/prod"
SHOP = Names("shop", "eu", NAMES.place, ("platform", "prod"))
EXPORTED = {
    "machine_arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:platform-prod-clock",
    "reach": ["eu-*", "fraud"],
    "artifact_buckets": ["models"],
    "model_package_groups": [],
    "capture_bucket": "captures",
}


def shop(**more: Any) -> StackSpec:
    document = {"control_plane": PLATFORM, "endpoints": {"triage": endpoint_document(**more)}}
    return parse_stack(document, REPOSITORY, "shop", "eu")


def faults(spec: StackSpec, exported: object) -> list[str]:
    with pytest.raises(pulumi.RunError) as found:
        checked(SHOP, spec, exported)
    return str(found.value).splitlines()


def test_what_the_control_plane_reaches_is_served() -> None:
    assert checked(SHOP, shop(), EXPORTED) == EXPORTED
    assert checked(SHOP, shop(endpoint_name="Fraud"), EXPORTED) == EXPORTED, "SageMaker sees no case"


@pytest.mark.parametrize("exported", [None, "captures", {"machine_arn": EXPORTED["machine_arn"]}])
def test_a_stack_without_a_control_plane_for_others_is_refused(exported: object) -> None:
    assert faults(shop(), exported) == [
        "Pulumi.eu.yaml: shop:control_plane: organization/platform/prod exports no control plane that others can use. "
        "Run `pulumi up` there with this version first"
    ]


def test_everything_that_does_not_agree_is_said_at_once() -> None:
    elsewhere = EXPORTED["machine_arn"].replace("eu-west-1", "us-east-1")
    found = faults(
        shop(endpoint_name="triage"),
        {**EXPORTED, "machine_arn": elsewhere, "artifact_buckets": []},
    )

    assert found == [
        "Pulumi.eu.yaml: shop:control_plane: a control plane serves its own account and region: "
        f"organization/platform/prod's is {elsewhere}, and this stack looks for {EXPORTED['machine_arn']}",
        "Pulumi.eu.yaml: shop:endpoints.triage: the control plane of organization/platform/prod may not act on 'triage' "
        "(it reaches eu-*, fraud). Add it to `reach` there and run `pulumi up` for organization/platform/prod first",
        "Pulumi.eu.yaml: shop:endpoints: the control plane of organization/platform/prod may not read releases from bucket "
        "'models'. Add it to `artifact_buckets` there and run `pulumi up` for organization/platform/prod first",
    ]


def test_what_the_control_plane_must_recognize_is_named_after_it() -> None:
    (endpoint,) = shop().endpoints
    platform = Names("platform", "prod", NAMES.place)
    seen = guarded(SHOP, endpoint)

    assert (seen.project, seen.stack, seen.endpoint) == ("platform", "prod", "eu-triage"), "its rule hears this prefix"
    assert name_root(SHOP) == name_root(platform)
    assert SHOP.function("submit") == "platform-prod-submit"
    assert champion_parameter(SHOP, "eu-triage") == "/sluice/platform/prod/eu-triage"
    assert execution_role_arn(SHOP, "triage").endswith(":role/sluice/platform-prod/shop-eu-serve-triage")
    assert SHOP.outcome_namespace == "Sluice/shop/eu/outcomes", "outcomes are the stack's own"


def test_the_control_plane_may_act_on_what_it_reaches_and_nothing_beside_it() -> None:
    platform = Names("platform", "prod", NAMES.place)
    spec = parse_stack({"reach": ["eu-*", "fraud"]}, REPOSITORY, "platform", "prod")
    statements = parse("tick", text(FUNCTION_DOCUMENTS["tick"](scope_of(platform, spec))))

    def allowed(action: str, endpoint: str, **context: str) -> bool:
        return evaluate(statements, action, endpoint_arn(platform, endpoint), context).allowed

    for action in ("DescribeEndpoint", "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities"):
        assert [
            name
            for name in ("eu-triage", "fraud", "eu", "us-triage", "fraud-2")
            if allowed(f"sagemaker:{action}", name)
        ] == [
            "eu-triage",
            "fraud",
        ]
    assert allowed("sagemaker:InvokeEndpoint", "eu-triage", **{"sagemaker:TargetVariant": "any"})
    assert not allowed("sagemaker:InvokeEndpoint", "eu-triage"), "by weight it would be the application's traffic"
    assert evaluate(
        statements,
        "iam:PassRole",
        execution_role_arn(SHOP, "triage"),
        {"iam:PassedToService": "sagemaker.amazonaws.com"},
    ).allowed
    foreign = execution_role_arn(replace(SHOP, served_by=None), "triage")
    assert not evaluate(statements, "iam:PassRole", foreign, {"iam:PassedToService": "sagemaker.amazonaws.com"}).allowed
