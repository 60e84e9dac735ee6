"""Values as the rules see them: known, not there, not known yet."""

from __future__ import annotations

import pytest
from sluice_compliance.resources import BUCKET, QUEUE, UNKNOWN, Resource, items, refers
from sluice_compliance.rule import ResourceRule, arguments, names, reasons

ALARM_QUEUE = Resource(QUEUE, "alarm", {"arn": "arn:aws:sqs:eu-west-1:1:shop-alarm", "name": "shop-alarm"}, "urn:queue")


def test_a_path_leads_to_a_value_to_nothing_or_to_the_unknown() -> None:
    resource = Resource(BUCKET, "captures", {"rules": {"days": 3, "prefix": UNKNOWN}})

    assert resource.get("rules", "days") == 3
    assert resource.get("rules", "weeks", "days") is None
    assert resource.get("rules", "prefix", "length") is UNKNOWN


def test_what_was_made_from_something_is_unknown_rather_than_absent() -> None:
    """A provider that leaves unknown values out of a preview."""
    target = Resource("target", "alarm", references={"deadLetterConfig": frozenset({"urn:queue"})})

    assert target.get("deadLetterConfig", "arn") is UNKNOWN
    assert target.get("arn") is None


@pytest.mark.parametrize(
    "value",
    [
        "arn:aws:sqs:eu-west-1:1:shop-alarm",
        "shop-alarm",
        {"arn": "shop-alarm"},
        '{"deadLetterTargetArn": "shop-alarm"}',
    ],
)
def test_one_resource_names_another(value: object) -> None:
    assert refers(Resource("mapping", "alarm", {"to": value}), "to", ALARM_QUEUE)


@pytest.mark.parametrize("value", ["shop-alarms", "arn:aws:sqs:eu-west-1:1:shop-alarm-dead", None, UNKNOWN])
def test_one_resource_does_not_name_another_by_half(value: object) -> None:
    assert not refers(Resource("mapping", "alarm", {"to": value}), "to", ALARM_QUEUE)


def test_two_resources_without_urns_and_names_do_not_refer_to_each_other() -> None:
    assert not refers(Resource("a", "x", references={"to": frozenset({""})}), "to", Resource("b", "y"))


def test_single_things_are_lists_of_one() -> None:
    assert [*items("one"), *items(["two"]), *items(None), *items(UNKNOWN)] == ["one", "two"]


def test_components_around_a_resource_are_in_its_urn() -> None:
    nested = Resource(
        QUEUE, "alarm", urn="urn:pulumi:prod::shop::acme:Platform$sluice:infra:ControlPlane$aws:sqs::alarm"
    )

    assert nested.within == ["acme:Platform", "sluice:infra:ControlPlane"]
    assert Resource(QUEUE, "alarm").within == ()


def test_configuration_becomes_arguments_with_defaults() -> None:
    rule = ResourceRule("some-rule", "Do it.", lambda: iter(()), (names("notThese", "..."), reasons("because", "...")))

    assert arguments(rule, {"notThese": ["a"]}) == {"not_these": ["a"], "because": {}}
    with pytest.raises(ValueError, match="some-rule has no parameter 'notThose' .it has: notThese, because"):
        arguments(rule, {"notThose": []})
