"""Names at the limits of what AWS takes, and names that differ only where they are cut."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.endpoint_names import bootstrap_name
from infra.place import Place
from infra.preflight import check
from infra.resource_names import Names
from sluice.core.errors import BadInput
from sluice.core.names import created_prefix, name_root, rollout_id
from tests.infra.stacks import NAMES, Recording, endpoint, endpoint_document, run_program, spec

LIMITS = {
    "aws:iam/role:Role": 64,
    "aws:iam/policy:Policy": 128,
    "aws:lambda/function:Function": 64,
    "aws:lambda/alias:Alias": 128,
    "aws:sqs/queue:Queue": 80,
    "aws:sns/topic:Topic": 256,
    "aws:cloudwatch/eventRule:EventRule": 64,
    "aws:cloudwatch/eventBus:EventBus": 256,
    "aws:cloudwatch/metricAlarm:MetricAlarm": 255,
    "aws:cloudwatch/dashboard:Dashboard": 255,
    "aws:cloudwatch/logGroup:LogGroup": 512,
    "aws:dynamodb/table:Table": 255,
    "aws:sfn/stateMachine:StateMachine": 80,
    "aws:sagemaker/endpoint:Endpoint": 63,
    "aws:sagemaker/model:Model": 63,
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": 63,
    "aws:s3/bucket:Bucket": 63,
    "aws:ssm/parameter:Parameter": 1011,
}
"""Characters, as AWS's API references have them."""
DRAWN = ("Model", "EndpointConfiguration", "Bucket")
"""Named by Pulumi after their logical name: a dash and seven digits more."""
UNNAMED = (
    *("sluice:", "aws:iam/rolePolicy", "aws:s3/bucketPublic", "aws:s3/bucketServer", "aws:s3/bucketLifecycle"),
    *("aws:s3/bucketObjectLock", "aws:s3/bucketPolicy", "aws:lambda/eventSource", "aws:lambda/invocation"),
    *("aws:lambda/permission", "aws:lambda/functionUrl", "aws:cloudwatch/eventTarget", "aws:sqs/queuePolicy"),
    "aws:iam/rolePolicyAttachment",
)
BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
PROJECT = "p" * 20
STACK = "s" * 34  # of both together 54 and the dash between them: what leaves the longest function 64


def physical(recorded: Recording) -> list[tuple[str, str]]:
    """Everything that has a name of its own in AWS, by type."""
    found = []
    for made in recorded.resources.values():
        kind = made.type.rpartition(":")[2]
        if kind in DRAWN:
            found.append((made.type, f"{made.name}-1a2b3c4"))
        elif not made.type.startswith(UNNAMED):
            found.append((made.type, made.inputs.get("name") or made.inputs["dashboardName"]))
    return found


@pytest.fixture(scope="module")
def at_the_limit() -> Recording:
    """The longest names that pass, and two endpoints that differ in their last letter only."""
    long = {f"e{letter}": endpoint_document(endpoint_name="e" * 62 + letter) for letter in "ab"}
    return run_program(project=PROJECT, stack=STACK, endpoints=long)


def test_what_passes_the_checks_has_names_that_aws_takes(at_the_limit: Recording) -> None:
    for kind, name in physical(at_the_limit):
        assert len(name) <= LIMITS[kind], f"{kind} {name}"
        if kind.endswith(":Bucket"):
            assert BUCKET.fullmatch(name)


def test_no_two_things_of_a_kind_have_one_name(at_the_limit: Recording) -> None:
    named = [(kind, name.casefold()) for kind, name in physical(at_the_limit)]

    assert sorted(named) == sorted(set(named))
    assert len(at_the_limit.of("Model")) == len(at_the_limit.of("Endpoint")) == 2


def test_one_letter_more_is_refused() -> None:
    names = replace(NAMES, project=PROJECT, stack=STACK)
    longer = replace(names, stack=STACK + "s")

    check(names, spec(names, e=endpoint_document(endpoint_name="e")))
    with pytest.raises(BadInput, match="AWS allows 64"):
        check(longer, spec(longer, e=endpoint_document(endpoint_name="e")))


def test_an_alarm_whose_name_cloudwatch_would_not_take_is_refused() -> None:
    names = replace(NAMES, project=PROJECT, stack=STACK)
    slots = ["b" * 63, "g" * 63]
    stack = spec(names, e=endpoint_document(endpoint_name="e" * 63, slots=slots))
    (one,) = stack.endpoints
    metrics = {"m" * 60: one.policy.metrics["errors"]}
    stack = replace(stack, endpoints=(replace(one, policy=replace(one.policy, metrics=metrics)),))

    with pytest.raises(BadInput, match="would have 256 characters in its name, CloudWatch allows 255"):
        check(names, stack)


ALIKE = "x" * 40
"""Long names of a team begin alike."""
ENDPOINTS = st.from_regex(r"[a-z0-9]{1,63}", fullmatch=True) | st.from_regex(r"[a-z0-9]{1,23}", fullmatch=True).map(
    lambda end: ALIKE + end
)
PREFIXES = st.from_regex(r"[A-Za-z0-9_-]{1,54}", fullmatch=True)


@given(ENDPOINTS, ENDPOINTS)
def test_two_endpoints_share_no_name_that_is_cut(one: str, other: str) -> None:
    root = name_root("p", "s")
    made = [{bootstrap_name(name), created_prefix(root, name)} for name in (one, other)]

    assert all(len(name) <= 63 - 8 for name in made[0] if name.endswith("-bootstrap"))
    assert len(created_prefix(root, one)) + 12 <= 63
    assert len(rollout_id(one, endpoint().release, 10**9)) + len("-g9999") <= 80, "names an execution"
    assert one == other or not made[0] & made[1]


@given(PREFIXES, PREFIXES)
def test_bucket_names_are_bucket_names_and_each_stacks_own(one: str, other: str) -> None:
    names = [Names("p" + prefix, "s", Place("aws", "r", "1")) for prefix in (one, other)]

    for made in names:
        assert BUCKET.fullmatch(f"{made.archive_bucket}-1a2b3c4")
    seen_alike = one.lower().replace("_", "-").strip("-") == other.lower().replace("_", "-").strip("-")
    assert seen_alike or names[0].archive_bucket_arn != names[1].archive_bucket_arn
