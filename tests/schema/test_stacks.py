"""Stack configuration: what is read, and what goes with what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice.schema.stack_spec import CaptureSpec, DrillSpec
from tests.schema.documents import release_document
from tests.schema.stacks import TRIAGE, endpoint, faults, stack


def test_outcomes_are_read_where_this_stacks_applications_record_them(folder: Path) -> None:
    kinds = "  said: {kind: rate, events: Confirmed, trials: Shown, namespace: outcomes, bad: low}\n"
    (folder / "kpi.yaml").write_text((folder / "policies/rollouts/demo.yaml").read_text().replace("alarms: []", kinds))

    (shop,) = stack(folder, endpoints={"shop": endpoint(policy="kpi.yaml")}).endpoints

    assert shop.policy.metrics["said"].namespace == "Sluice/sluice/dev/outcomes"
    assert shop.policy.metrics["errors"].namespace == "AWS/SageMaker"


def test_a_policy_can_be_given_as_a_document(folder: Path) -> None:
    document = yaml.safe_load((folder / "policies/rollouts/demo.yaml").read_text())

    (named,) = stack(folder, endpoints={"shop": endpoint(policy="demo")}).endpoints
    (given,) = stack(folder, endpoints={"shop": endpoint(policy=document)}).endpoints

    assert given.policy == named.policy
    document["steps"][0]["weight"] = 0
    assert faults(endpoints={"shop": endpoint(policy=document)})[0].startswith(
        "sluice:endpoints.shop.policy: steps[0].weight"
    )


def test_a_stack_has_its_defaults() -> None:
    spec = stack(endpoints={"shop": endpoint()})

    (shop,) = spec.endpoints
    assert (shop.endpoint_name, shop.slots, shop.instances, shop.nonce) == ("dev-shop", ("blue", "green"), 1, "1")
    assert (shop.capture, shop.kms_key_arn, shop.adopt) == (CaptureSpec(100, None, False), None, False)
    assert (spec.artifact_buckets, spec.protect, spec.log_retention_days) == (("models",), True, 30)


def test_the_groups_of_the_configured_releases_are_read_and_those_named_besides() -> None:
    package = "arn:aws:sagemaker:us-east-1:123456789012:model-package/triage/3"
    spec = stack(
        endpoints={"shop": endpoint(release=release_document(model_package=package))},
        model_package_groups=[f"{TRIAGE}-old"],
    )

    assert spec.model_package_groups == (
        f"{TRIAGE}-old",
        "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/triage",
    )


def test_everything_can_be_said() -> None:
    key = "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-0123"
    spec = stack(
        endpoints={
            "shop": endpoint(
                endpoint_name="shop",
                adopt=True,
                slots=["AllTraffic", "green"],
                instances=3,
                nonce="2",
                data_capture={"sampling_percent": 10},
                kms_key_arn=key,
            )
        },
        protect=False,
        artifact_buckets=["old-models", "models"],
        log_retention_days=3653,
    )

    (shop,) = spec.endpoints
    assert (shop.endpoint_name, shop.slots, shop.instances, shop.nonce) == ("shop", ("AllTraffic", "green"), 3, "2")
    assert (shop.capture, shop.kms_key_arn, shop.adopt) == (CaptureSpec(10, None, True), key, True)
    assert (spec.artifact_buckets, spec.protect, spec.log_retention_days) == (("models", "old-models"), False, 3653)


def test_releases_and_policies_are_read_from_files_beside_the_configuration(folder: Path) -> None:
    (folder / "mine.yml").write_text((folder / "policies" / "rollouts" / "standard.yaml").read_text())

    spec = stack(folder, endpoints={"shop": endpoint(release="v1.json", policy="mine.yml")})

    assert spec.endpoints[0].release.name == "v1"
    assert len(spec.endpoints[0].policy.steps) == 5


PLATFORM = "organization/platform/prod"


@pytest.mark.parametrize(
    ("document", "sentences"),
    [
        (
            {"control_plane": "platform/prod"},
            [
                "sluice:control_plane: must be a stack's whole name, <organization>/<project>/<stack>, got 'platform/prod'; "
                "a backend without organizations says organization/<project>/<stack>"
            ],
        ),
        (
            {"control_plane": PLATFORM},
            ["sluice:endpoints: is missing: with `control_plane` a stack has endpoints only"],
        ),
        (
            {"control_plane": PLATFORM, "endpoints": {"shop": endpoint()}, "reach": ["search-*"]},
            [
                "sluice:reach: is for stacks with a control plane of their own, and `control_plane` names another's. "
                "Set it in organization/platform/prod"
            ],
        ),
        (
            {"control_plane": "organization/sluice/dev", "endpoints": {"shop": endpoint()}},
            ["sluice:control_plane: names this stack itself. Leave it out"],
        ),
        *(
            (
                {"reach": [wide]},
                [
                    "sluice:reach[0]: must be an endpoint's name, or at least three characters that names begin with, then *, "
                    f"got {wide!r}; what it matches, this control plane may move"
                ],
            )
            for wide in ("*", "ab*", "*-shop", "shop-*-eu")
        ),
    ],
)
def test_who_serves_whom_is_one_of_three(document: dict[str, Any], sentences: list[str]) -> None:
    assert faults(**document) == sentences


def test_a_stack_may_have_a_control_plane_only() -> None:
    spec = stack(reach=["shop-*", "fraud"])

    assert (spec.endpoints, spec.reach, spec.served_by) == ((), ("shop-*", "fraud"), None)
    assert spec.adopts, "another stack's endpoint may outlive both"


def test_a_stack_may_be_served_by_another() -> None:
    spec = stack(control_plane=PLATFORM, endpoints={"shop": endpoint()})

    assert spec.served_by == ("platform", "prod")


def test_of_an_adopted_endpoint_nothing_is_captured_that_nobody_asked_for() -> None:
    def captured(**more: Any) -> CaptureSpec:
        theirs = endpoint(adopt=True, endpoint_name="scoring", **more)
        return stack(endpoints={"shop": theirs}).endpoints[0].capture

    assert captured() == CaptureSpec(0, None, False)
    kept = {"sampling_percent": 20, "destination": "s3://theirs/checkout"}
    assert captured(data_capture=kept) == CaptureSpec(20, "s3://theirs/checkout", True)
    assert stack(endpoints={"shop": endpoint(data_capture={"sampling_percent": 0})}).endpoints[0].capture.percent == 0


def test_a_fallback_is_a_release_in_a_third_slot() -> None:
    warm = {"release": release_document(), "instances": 2}
    (shop,) = stack(endpoints={"shop": endpoint(fallback=warm)}).endpoints

    assert shop.fallback is not None
    assert (shop.fallback.slot, shop.fallback.instances) == ("fallback", 2)
    assert shop.releases == (shop.release, shop.fallback.release)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"fallback": 2}, "fallback: must be a mapping of keys to values, got 2"),
        ({"fallback": {"instances": 2}}, "fallback.release: missing; for example `release: build/v1/release.json`"),
        ({"fallback": {"release": "v0.json"}}, "fallback.release: there is no file 'v0.json'; paths are relative to "),
        ({"slots": ["blue", "fallback"]}, "slots: must not be called 'fallback', which is the third slot's name"),
    ],
)
def test_a_wrong_fallback_is_refused(changes: dict[str, Any], sentence: str) -> None:
    (found,) = faults(endpoints={"shop": endpoint(**changes)})

    assert found.startswith(f"sluice:endpoints.shop.{sentence}")


class TestDrills:
    def test_a_schedule_is_enough(self) -> None:
        weekly = stack(endpoints={"shop": endpoint()}, drills={"schedule": "rate(7 days)"})

        assert weekly.drills == DrillSpec("rate(7 days)", 14 * 86_400)
        assert stack(endpoints={"shop": endpoint()}).drills is None

    @pytest.mark.parametrize(
        "schedule", ["weekly", "rate(5 minutes)", "rate(2 day)", "rate(0 hours)", "cron(0 10 * * *)"]
    )
    def test_one_that_eventbridge_does_not_know_is_refused(self, schedule: str) -> None:
        (fault,) = faults(endpoints={"shop": endpoint()}, drills={"schedule": schedule})

        assert fault.startswith(
            "sluice:drills.schedule: must be rate(...) in hours or days, or cron(...) with six fields"
        )

    @pytest.mark.parametrize(
        ("schedule", "sentence"),
        [
            ("cron(0 10 * * TUE *)", "must have `?` for the day of the month (third) or of the week (fifth)"),
            ("cron(0 25 ? * TUE *)", "must be a cron of EventBridge; its hour cannot be '25'"),
            ("cron(0 10 31 FEB ? *)", "must be a cron of EventBridge that comes at some time"),
        ],
    )
    def test_a_cron_that_would_fail_the_up_or_never_fire_is_refused_before(self, schedule: str, sentence: str) -> None:
        (fault,) = faults(endpoints={"shop": endpoint()}, drills={"schedule": schedule})

        assert fault.startswith(f"sluice:drills.schedule: {sentence}")

    def test_an_age_below_a_day_and_another_key_are_refused(self) -> None:
        given = {"schedule": "rate(1 day)", "too_old": "12h", "when": "now"}

        found = faults(endpoints={"shop": endpoint()}, drills=given)

        assert [fault.partition(": ")[0] for fault in found] == ["sluice:drills.too_old", "sluice:drills.when"]

    def test_they_are_the_control_planes(self) -> None:
        given = {"schedule": "rate(1 day)"}

        found = faults(endpoints={"shop": endpoint()}, drills=given, control_plane="acme/sluice/prod")

        assert found == ["sluice:drills: is the control plane's to keep. Set it in acme/sluice/prod"]
