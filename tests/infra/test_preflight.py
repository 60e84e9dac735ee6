"""What a well-formed configuration can still get wrong for AWS."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.endpoint_names import bootstrap_name
from infra.preflight import check
from infra.resource_names import Names
from sluice.core.errors import BadInput
from sluice.schema import StackSpec
from tests.infra.stacks import NAMES, endpoint_document, spec


def faults(names: Names, stack: StackSpec) -> tuple[str, ...]:
    with pytest.raises(BadInput) as found:
        check(names, stack)
    return found.value.faults


def with_metrics(*metric_names: str) -> StackSpec:
    stack = spec()
    (endpoint,) = stack.endpoints
    errors = endpoint.policy.metrics["errors"]
    policy = replace(endpoint.policy, metrics=dict.fromkeys(metric_names, errors))
    return replace(stack, endpoints=(replace(endpoint, policy=policy),))


def test_an_ordinary_stack_passes():
    check(NAMES, spec())


def test_a_name_that_would_be_too_long_is_shown():
    names = replace(NAMES, project="p" * 50)

    assert faults(names, spec(names)) == (
        f"project '{'p' * 50}' and stack 'dev': the name '{'p' * 50}-dev-serve-Triage' has 67 characters, AWS allows 64. "
        "Choose shorter names",
    )


def test_a_stack_name_that_queues_cannot_carry_is_refused():
    names = replace(NAMES, stack="dev.eu")
    found = faults(names, spec(names, a=endpoint_document(endpoint_name="shop")))

    assert len(found) == 1
    assert found[0].startswith("project 'sluice' and stack 'dev.eu': functions, roles and queues are named after them")


def test_an_endpoint_name_made_of_the_stack_name_is_checked_too():
    names = replace(NAMES, stack="my_stack")

    assert faults(names, spec(names)) == (
        "Pulumi.my_stack.yaml: sluice:endpoints.Triage.endpoint_name: SageMaker takes up to 63 letters, digits and inner "
        "dashes, got 'my_stack-Triage'",
    )


def test_metric_names_must_lead_back_from_alarm_names():
    assert faults(NAMES, with_metrics("a/b")) == (
        "Pulumi.dev.yaml: sluice:endpoints.Triage.policy: metrics.a/b: its alarms are named after it, so only letters, "
        "digits, -, _ and . are possible",
    )


def test_two_alarms_of_one_name_are_refused():
    found = faults(NAMES, with_metrics("errors", "errors-rail"))

    assert found[0].endswith("'sluice/sluice/dev/dev-Triage/blue/errors-rail'. Rename the metric that ends in -rail")
    assert len(found) == 2


def test_all_faults_come_at_once():
    names = replace(NAMES, stack="my stack")

    assert len(faults(names, spec(names))) == 2


def test_a_long_endpoint_name_leaves_room_for_what_pulumi_adds():
    assert len(bootstrap_name("e" * 63) + "-1a2b3c4") == 63


def test_a_hundred_endpoints_with_the_longest_names_fit():
    (endpoint,) = spec().endpoints
    many = tuple(replace(endpoint, name=f"e{i}", endpoint_name=f"{i:03}".ljust(63, "x")) for i in range(100))

    check(NAMES, replace(spec(), endpoints=many))


def test_more_endpoints_than_a_roles_policies_hold_are_refused():
    (endpoint,) = spec().endpoints
    many = tuple(replace(endpoint, name=f"e{i}", endpoint_name=f"dev-e{i}") for i in range(1000))

    found = faults(NAMES, replace(spec(), endpoints=many))

    assert any(
        "with 1000 endpoints the role sluice-dev-tick cannot be given its permissions: they have" in fault
        and fault.endswith("8 policies of 6144. Put some endpoints into another stack")
        for fault in found
    ), found
