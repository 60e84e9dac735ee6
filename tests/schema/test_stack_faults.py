"""Stack configuration: every bad value stops with a sentence that names its key, all of them at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given

from sluice.core.errors import BadInput
from tests.schema.documents import PROPERTY, mutated, release_document
from tests.schema.stacks import FILE, REPOSITORY, TRIAGE, endpoint, faults, stack

GROUP = "must be the ARN of a model package group"
EXAMPLE = "for example `endpoints: {shop: {release: build/v1/release.json, policy: standard}}`"
NOTHING = "sluice:endpoints: is missing: configure an endpoint, or set `reach` to serve those of other stacks"


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, NOTHING),
        ({"endpoints": {}}, NOTHING),
        ({"endpoints": []}, f"sluice:endpoints: must be a mapping of keys to values, got a list; {EXAMPLE}"),
        ({"endpoints": "shop"}, f"sluice:endpoints: must be a mapping of keys to values, got 'shop'; {EXAMPLE}"),
        ({"endpoints": {"shop": None}}, "sluice:endpoints.shop: is empty"),
        (
            {"endpoints": {"shop": "v1.json"}},
            "sluice:endpoints.shop: must be a mapping of keys to values, got 'v1.json'",
        ),
        (
            {"endpoints": {"my_shop": endpoint()}},
            "sluice:endpoints.my_shop: must be 1 to 30 letters, digits and inner dashes, got 'my_shop'",
        ),
        (
            {"endpoints": {"x" * 31: endpoint()}},
            f"sluice:endpoints.{'x' * 31}: must be 1 to 30 letters, digits and inner dashes, got '{'x' * 31}'",
        ),
    ],
)
def test_endpoints_must_be_named_mappings(document: dict[str, Any], sentence: str) -> None:
    assert faults(**document) == [sentence]


NAMES = "must be 1 to 63 letters, digits and inner dashes, got"
KMS = "kms_key_arn: must be the ARN of a KMS key, such as arn:aws:kms:eu-west-1:123456789012:key/<id>, got"
NO_ALIAS = "an alias will not do: permissions name the key itself"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"instancs": 2}, "instancs: unknown key; did you mean 'instances'?"),
        ({"release": ""}, "release: must be the path of a release document, or the document itself, got ''"),
        ({"release": 5}, "release: must be the path of a release document, or the document itself, got 5"),
        ({"release": "v9.json"}, f"release: there is no file 'v9.json'; paths are relative to {REPOSITORY}"),
        ({"release": "policies"}, f"release: there is no file 'policies'; paths are relative to {REPOSITORY}"),
        ({"release": "a\0b"}, f"release: there is no file 'a\\x00b'; paths are relative to {REPOSITORY}"),
        (
            {"policy": ""},
            "policy: must be the name of a ready-made policy, a path that ends in .yaml, or the document itself, got ''",
        ),
        (
            {"policy": 5},
            "policy: must be the name of a ready-made policy, a path that ends in .yaml, or the document itself, got 5",
        ),
        (
            {"policy": "policies/rollouts/demo"},
            "policy: must be the name of a ready-made policy, a path that ends in .yaml, or the document itself, got 'policies/rollouts/demo'",
        ),
        ({"policy": "mine.yaml"}, f"policy: there is no file 'mine.yaml'; paths are relative to {REPOSITORY}"),
        ({"endpoint_name": "x" * 64}, f"endpoint_name: {NAMES} '{'x' * 60}'... (64 characters)"),
        ({"endpoint_name": "my_shop"}, f"endpoint_name: {NAMES} 'my_shop'"),
        ({"endpoint_name": 5}, "endpoint_name: must be text, got 5; put it in quotes"),
        (
            {"adopt": True},
            "adopt: needs `endpoint_name`, the name of the running endpoint to take over; got none",
        ),
        ({"adopt": "yes", "endpoint_name": "shop"}, "adopt: must be true or false, got 'yes'"),
        ({"slots": "blue"}, "slots: must be a list, got 'blue'"),
        ({"slots": ["blue"]}, "slots: must name exactly two variants, got 1"),
        ({"slots": ["blue", "green", "red"]}, "slots: must name exactly two variants, got 3"),
        ({"slots": ["blue", "blue"]}, "slots: must name two different variants, got 'blue' twice"),
        ({"slots": ["blue", "green slot"]}, f"slots[1]: {NAMES} 'green slot'"),
        ({"slots": ["-blue", "green"]}, f"slots[0]: {NAMES} '-blue'"),
        ({"slots": ["blue", 2]}, "slots[1]: must be text, got 2; put it in quotes"),
        ({"instances": 0}, "instances: must be at least 1, got 0"),
        ({"instances": 1001}, "instances: must be at most 1000, got 1001"),
        ({"instances": "two"}, "instances: must be a whole number, got 'two'"),
        ({"instances": "2"}, "instances: must be a whole number, got '2'; leave out the quotes"),
        ({"instances": 1.5}, "instances: must be a whole number, got 1.5"),
        ({"instances": True}, "instances: must be a whole number, got true"),
        ({"nonce": "try 2"}, "nonce: must be 1 to 40 letters, digits, dots, dashes or underscores, got 'try 2'"),
        ({"nonce": ""}, "nonce: must be 1 to 40 letters, digits, dots, dashes or underscores, got ''"),
        ({"nonce": 2}, "nonce: must be text, got 2; put it in quotes"),
        ({"data_capture": 50}, "data_capture: must be a mapping of keys to values, got 50"),
        ({"data_capture": {"sampling_percent": -1}}, "data_capture.sampling_percent: must be at least 0, got -1"),
        ({"data_capture": {"sampling_percent": 101}}, "data_capture.sampling_percent: must be at most 100, got 101"),
        (
            {"data_capture": {"sampling_percent": "10%"}},
            "data_capture.sampling_percent: must be a whole number, got '10%'",
        ),
        ({"data_capture": {"percent": 5}}, "data_capture.percent: unknown key; did you mean 'sampling_percent'?"),
        ({"kms_key_arn": "alias/mine"}, f"{KMS} 'alias/mine'; {NO_ALIAS}"),
        (
            {"kms_key_arn": "arn:aws:kms:eu-west-1:123456789012:alias/mine"},
            f"{KMS} 'arn:aws:kms:eu-west-1:123456789012:alias/mine'; {NO_ALIAS}",
        ),
        ({"kms_key_arn": "arn:aws:kms:eu-west-1:1:key/a"}, f"{KMS} 'arn:aws:kms:eu-west-1:1:key/a'; {NO_ALIAS}"),
    ],
)
def test_a_bad_value_of_an_endpoint_is_named(changes: dict[str, Any], sentence: str) -> None:
    assert faults(endpoints={"shop": endpoint(**changes)}) == [f"sluice:endpoints.shop.{sentence}"]


BUCKET = "must be the name of an S3 bucket: 3 to 63 lower-case letters, digits, dots and inner dashes, got"
DAYS = "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653"


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"protct": False}, "protct: unknown key; did you mean 'protect'?"),
        ({"protect": "maybe"}, "protect: must be true or false, got 'maybe'"),
        ({"protect": 1}, "protect: must be true or false, got 1"),
        (
            {"log_retention_days": 10},
            f"log_retention_days: must be a number of days that CloudWatch Logs offers ({DAYS}), got 10",
        ),
        ({"log_retention_days": True}, "log_retention_days: must be a whole number, got true"),
        ({"log_retention_days": "a week"}, "log_retention_days: must be a whole number, got 'a week'"),
        ({"artifact_buckets": "models"}, "artifact_buckets: must be a list, got 'models'"),
        (
            {"artifact_buckets": ["s3://models"]},
            f"artifact_buckets[0]: {BUCKET} 's3://models'; without s3:// and without a key",
        ),
        (
            {"artifact_buckets": ["models", "models/old"]},
            f"artifact_buckets[1]: {BUCKET} 'models/old'; without s3:// and without a key",
        ),
        (
            {"artifact_buckets": ["arn:aws:s3:::models"]},
            f"artifact_buckets[0]: {BUCKET} 'arn:aws:s3:::models'; without s3:// and without a key",
        ),
        ({"artifact_buckets": ["*"]}, f"artifact_buckets[0]: {BUCKET} '*'; without s3:// and without a key"),
        ({"notifications": {"link": "4h"}}, "notifications.link: unknown key; did you mean 'links'?"),
        (
            {"notifications": {"collector": "http://collector/v1/traces"}},
            "notifications.collector: must be a URL that begins with https://, got 'http://collector/v1/traces'",
        ),
        (
            {"notifications": {"collector": "https://c/v1/traces", "collector_headers": "otlp"}},
            "notifications.collector_headers: must be the name of an SSM parameter, beginning with a slash, got 'otlp'",
        ),
        (
            {"notifications": {"collector_headers": "/otlp"}},
            "notifications.collector_headers: is for a collector, and none is set. Set `collector`, or leave it out",
        ),
        (
            {"notifications": {"links": "1m"}},
            "notifications.links: must be at least 5m, got '1m'; nobody could follow it",
        ),
        (
            {"notifications": {"links": "2d"}},
            "notifications.links: must be at most 1d, got '2d'; whoever holds it may use it",
        ),
        (
            {"model_package_groups": ["triage"]},
            f"model_package_groups[0]: {GROUP}, got 'triage'; such as {TRIAGE}",
        ),
        (
            {"model_package_groups": ["arn:aws:sagemaker:eu:triage/3"]},
            f"model_package_groups[0]: {GROUP}, got 'arn:aws:sagemaker:eu:triage/3'; such as {TRIAGE}",
        ),
        ({"artifact_buckets": [5]}, "artifact_buckets[0]: must be text, got 5; put it in quotes"),
    ],
)
def test_a_bad_value_of_the_stack_is_named(document: dict[str, Any], sentence: str) -> None:
    assert faults(endpoints={"shop": endpoint()}, **document) == [f"sluice:{sentence}"]


def test_a_step_that_a_link_may_approve_needs_links() -> None:
    document = yaml.safe_load((REPOSITORY / "policies" / "rollouts" / "demo.yaml").read_text())
    document["steps"][1]["approval"] = {"by": ["link"], "timeout": "2h"}
    shop = endpoint(policy=document)

    assert faults(endpoints={"shop": shop}) == [
        "sluice:endpoints.shop.policy: steps[1].approval.by says `link`, and this stack makes none. "
        "Set `sluice:notifications: {links: 4h}`"
    ]
    assert stack(endpoints={"shop": shop}, notifications={"links": "4h"}).link_seconds == 4 * 3600


def test_a_ready_made_policy_that_is_not_there_says_which_are(folder: Path) -> None:
    ready = ", ".join(sorted(file.stem for file in (folder / "policies" / "rollouts").glob("*.yaml")))

    assert faults(folder, endpoints={"shop": endpoint(policy="fast")}) == [
        f"sluice:endpoints.shop.policy: there is no ready-made policy 'fast' (there are: {ready}); "
        "name your own by its path, ending in .yaml"
    ]


def test_faults_of_a_file_are_told_under_the_key_that_names_it(folder: Path) -> None:
    (folder / "bad.yaml").write_text("version: 1\nsteps: [{weight: 0}]\n")
    (folder / "bad.json").write_text(json.dumps(release_document(image="latest")))

    found = faults(folder, endpoints={"shop": endpoint(policy="bad.yaml", release="bad.json")})

    assert found[0].startswith("sluice:endpoints.shop.release: bad.json: image: must name the image by its digest")
    assert found[1].startswith("sluice:endpoints.shop.policy: bad.yaml: steps[0].weight: must be a percentage")
    assert all(line.startswith("sluice:endpoints.shop.policy: bad.yaml: ") for line in found[1:])


def test_faults_of_a_release_in_the_configuration_have_its_path() -> None:
    assert faults(endpoints={"shop": endpoint(release=release_document(contract=1))}) == [
        "sluice:endpoints.shop.release.contract: must be text, got 1; put it in quotes"
    ]


def test_endpoints_whose_names_aws_takes_for_one_are_refused() -> None:
    same = {"a": endpoint(endpoint_name="shop"), "b": endpoint(endpoint_name="Shop")}

    assert faults(endpoints=same) == [
        "sluice:endpoints.b.endpoint_name: must differ from that of endpoints.a ('shop') by more than case, "
        "which SageMaker does not see; got 'Shop'"
    ]


def test_an_endpoint_may_not_have_the_name_another_one_gets_by_itself() -> None:
    found = faults(endpoints={"shop": endpoint(), "other": endpoint(endpoint_name="dev-shop")})

    assert len(found) == 1
    assert found[0].startswith("sluice:endpoints.other.endpoint_name: must differ from that of endpoints.shop")


def test_keys_that_differ_in_case_only_would_share_a_role() -> None:
    twins = {"shop": endpoint(endpoint_name="one"), "Shop": endpoint(endpoint_name="two")}

    assert faults(endpoints=twins) == [
        "sluice:endpoints.Shop: differs from endpoints.shop in case only, which IAM does not see"
    ]


def test_all_faults_of_all_endpoints_and_their_files_come_at_once(folder: Path) -> None:
    (folder / "bad.yaml").write_text("version: 2\n")

    found = faults(
        folder,
        protect="maybe",
        endpoints={
            "a": endpoint(instances=0, policy="bad.yaml"),
            "b": endpoint(release=release_document(image="latest"), nonce="x y"),
            "c": endpoint(release="none.json", policy="none.yaml", endpoint_name="dev-A"),
        },
    )

    beginnings = [
        "sluice:protect",
        "sluice:endpoints.a.instances",
        "sluice:endpoints.a.policy: bad.yaml: version",
        "sluice:endpoints.a.policy: bad.yaml: steps",
        "sluice:endpoints.a.policy: bad.yaml: min_samples",
        "sluice:endpoints.a.policy: bad.yaml: soak",
        "sluice:endpoints.a.policy: bad.yaml: metrics",
        "sluice:endpoints.b.nonce",
        "sluice:endpoints.b.release.image",
        "sluice:endpoints.c.release",
        "sluice:endpoints.c.policy",
        "sluice:endpoints.c.endpoint_name",
    ]
    assert len(found) == len(beginnings)
    assert all(line.startswith(f"{begun}: ") for line, begun in zip(found, beginnings, strict=True)), found


def refusals(document: dict[str, Any]) -> tuple[str, ...]:
    try:
        stack(**document)
    except BadInput as refused:
        return refused.faults
    return ()


@PROPERTY
@given(mutated({"endpoints": {"a": endpoint(), "b": endpoint(nonce="2")}, "artifact_buckets": ["models"]}))
def test_whatever_is_changed_in_a_stack_it_is_read_or_refused_in_sentences(document: dict[str, Any]) -> None:
    assert all(fault.startswith(FILE) for fault in refusals(document))
