"""What a policy requires of a release before it is tried."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.begin import begin
from sluice.core.errors import Refused
from sluice.core.head import Champion
from sluice.core.policy import Bad, Bar, Required
from sluice.core.release import Release, release_from_tags, release_tags
from sluice.core.required import required_faults
from tests.builders import NOW, head, policy, release, submission

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/triage/3"
ACCURATE = Required(model_package=False, evaluation={"accuracy": Bar(Bad.LOW, 0.9, 0.99)})
EQUAL = Required(model_package=False, evaluation={"accuracy": Bar(Bad.LOW, None, 1.0)})
LOSS = Required(model_package=False, evaluation={"loss": Bar(Bad.HIGH, 0.3, 1.1)})


def evaluated(name: str, **numbers: object) -> Release:
    return release(name, metadata={"evaluation": numbers})


def test_nothing_required_is_nothing_missing() -> None:
    assert required_faults(Required(model_package=False, evaluation={}), release("v2"), release("v1")) == ()


def test_an_entry_in_the_registry_is_missing_or_there() -> None:
    wanted = Required(model_package=True, evaluation={})
    (fault,) = required_faults(wanted, release("v2"), release("v1"))

    assert fault.endswith("set `model_package` in the release document")
    assert required_faults(wanted, release("v2", model_package=ARN), release("v1")) == ()


@pytest.mark.parametrize(
    ("required", "new", "old", "fault"),
    [
        (ACCURATE, {"accuracy": 0.89}, {"accuracy": 0.5}, "accuracy is 0.89, at least 0.9 is required"),
        (ACCURATE, {"accuracy": 0.92}, {"accuracy": 0.95}, "is 0.92, at least 0.99 times the 0.95 of v1 is required"),
        (LOSS, {"loss": 0.31}, {"loss": 0.3}, "loss is 0.31, at most 0.3 is required"),
        (LOSS, {"loss": 0.2}, {"loss": 0.1}, "loss is 0.2, at most 1.1 times the 0.1 of v1 is required"),
        (EQUAL, {"accuracy": 0.92}, {"accuracy": 0.95}, "is 0.92, at least the 0.95 of v1 is required"),
        (ACCURATE, {}, {"accuracy": 0.9}, "requires metadata.evaluation.accuracy, a number"),
        (ACCURATE, {"accuracy": "high"}, {"accuracy": 0.9}, "requires metadata.evaluation.accuracy, a number"),
        (ACCURATE, {"accuracy": True}, {"accuracy": 0.9}, "requires metadata.evaluation.accuracy, a number"),
        (ACCURATE, {"accuracy": float("nan")}, {"accuracy": 0.9}, "requires metadata.evaluation.accuracy, a number"),
        (ACCURATE, {"accuracy": 0.95}, {}, "v1, which serves, has no metadata.evaluation.accuracy above 0 to compare"),
        (
            ACCURATE,
            {"accuracy": 0.95},
            {"accuracy": 0},
            "v1, which serves, has no metadata.evaluation.accuracy above 0",
        ),
    ],
)
def test_an_evaluation_that_is_not_good_enough_says_what_is_required(
    required: Required, new: dict[str, object], old: dict[str, object], fault: str
) -> None:
    (found,) = required_faults(required, evaluated("v2", **new), evaluated("v1", **old))

    assert fault in found


@pytest.mark.parametrize(
    ("required", "new", "old"),
    [
        (ACCURATE, {"accuracy": 0.95}, {"accuracy": 0.95}),
        (LOSS, {"loss": 0.2}, {"loss": 0.2}),
        (Required(model_package=False, evaluation={"loss": Bar(Bad.HIGH, 0.3, None)}), {"loss": 0.3}, {}),
        (Required(model_package=False, evaluation={"loss": Bar(Bad.HIGH, None, 1.0)}), {"loss": 9.0}, {"loss": 9.0}),
    ],
)
def test_an_evaluation_that_is_good_enough_is_no_fault(
    required: Required, new: dict[str, object], old: dict[str, object]
) -> None:
    assert required_faults(required, evaluated("v2", **new), evaluated("v1", **old)) == ()


def test_metadata_that_is_no_evaluation_counts_as_none() -> None:
    odd = release("v2", metadata={"evaluation": "great"})

    assert len(required_faults(ACCURATE, odd, odd)) == 1


def test_a_release_that_falls_short_is_refused_and_one_that_comes_back_is_not_asked() -> None:
    wanted = submission(policy=policy(required=ACCURATE), release=evaluated("v2", accuracy=0.8))

    with pytest.raises(Refused, match=r"v2 is not tried: metadata\.evaluation\.accuracy is 0\.8, at least 0\.9"):
        begin(replace(head(), champion=Champion("blue", evaluated("v1", accuracy=0.8))), wanted, NOW)
    assert begin(head(), replace(wanted, is_emergency=True), NOW).kind == "submitted"


def test_the_bootstrap_release_is_compared_by_the_numbers_in_its_tags() -> None:
    many = {f"m{i:02}": i for i in range(30)}
    first = evaluated("v1", accuracy=0.95, by="ann", **many)
    kept = release_from_tags(release_tags(first)).metadata["evaluation"]

    assert kept["accuracy"] == 0.95
    assert len(kept) == 20
    assert "by" not in kept
    assert release_from_tags(release_tags(release("v1", metadata={"notes": "x"}))).metadata == {}
