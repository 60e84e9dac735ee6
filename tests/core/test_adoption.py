"""What is refused before an endpoint that somebody else made is taken over, and that the sentence says what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sluice.core.adoption import FoundEndpoint, adoption_faults
from tests.builders import SETTINGS, release

SAID = release("v1")
FOUND = FoundEndpoint(
    status="InService",
    variants=("AllTraffic",),
    kind=None,
    extras=(),
    kms_key_arn=None,
    captures=None,
    artifact_url=SAID.artifact.url,
    images=("repo:1.2", SAID.image),
    environment={},
    instance_type="ml.m5.large",
    instances=1,
)


def faults(**changes: Any) -> tuple[str, ...]:
    return adoption_faults("shop", replace(FOUND, **changes), ("AllTraffic", "next"), SETTINGS, 1, SAID)


def test_what_it_captures_is_not_ended_without_a_word():
    captures = (20, "s3://theirs/checkout")
    found = replace(FOUND, captures=captures)
    asked = ("shop", found, ("AllTraffic", "next"), SETTINGS, 1, SAID)

    assert adoption_faults(*asked, capture_said=True) == ()
    assert adoption_faults(*asked, capture_said=False) == (
        "endpoint 'shop' cannot be adopted: it captures 20 % of its requests to s3://theirs/checkout, and the configuration does not "
        "say what comes of that. Set `data_capture: {sampling_percent: 20, destination: s3://theirs/checkout}` to keep it, or "
        "`data_capture: {sampling_percent: 0}` to end it with the next release",
    )


def test_what_serves_what_is_said_is_adopted():
    assert faults() == ()
    assert faults(images=(SAID.image,)) == ()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "serverless"}, "it is serverless; Sluice shifts weights between variants on instances of their own"),
        ({"variants": ()}, "it has 0 variants (none); move all traffic to one and remove the others first"),
        ({"variants": ("a", "b")}, "it has 2 variants (a, b); move all traffic to one and remove the others first"),
        (
            {"variants": ("main",)},
            "it serves from variant 'main', which is not one of its slots (AllTraffic, next). Set `slots: [main, next]`",
        ),
        ({"status": "Updating"}, "it is Updating; wait until it is InService"),
        (
            {"extras": ("VpcConfig", "RoutingConfig")},
            "it uses VpcConfig, RoutingConfig, which the configurations that Sluice makes would not have",
        ),
        (
            {"kms_key_arn": "key"},
            "its volumes are encrypted with key, but `kms_key_arn` says no key. Make them agree",
        ),
        (
            {"instances": 3},
            "it runs 3 instances and the next release would get 1; set `instances: 3` or more",
        ),
        ({"artifact_url": "s3://b/other.tar.gz"}, "it serves artifact s3://b/other.tar.gz, but release v1 has s3://models/v1.tar.gz."),
        ({"images": ("repo:1.2", "repo@sha256:b")}, "it serves image repo@sha256:b, but release v1 has repo@sha256:aaa"),
        ({"images": ()}, "it serves image None, but release v1 has"),
        ({"environment": {"A": "1"}}, "it serves environment {'A': '1'}, but release v1 has {}."),
        ({"instance_type": "ml.c5.large"}, "it serves instance type ml.c5.large, but release v1 has ml.m5.large."),
    ],
)  # fmt: skip
def test_a_reason_to_refuse(changes: dict[str, Any], sentence: str):
    (fault,) = faults(**changes)

    assert fault.startswith(f"endpoint 'shop' cannot be adopted: {sentence}")


def test_every_reason_is_told_at_once():
    assert len(faults(instances=2, extras=("VpcConfig",), images=())) == 3
