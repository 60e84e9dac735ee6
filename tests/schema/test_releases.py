"""Release documents: what they may say, and how much."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core.audit import record
from sluice.core.errors import BadInput
from sluice.core.record import canonical, encode
from sluice.core.release import Release, release_from_tags, release_tags
from sluice.core.rollout import SlotAlarms
from sluice.core.soak import KEPT_RELEASES
from sluice.schema import parse_policy, parse_release
from sluice.schema.release import MOST_BYTES, MOST_TAGS
from tests.builders import NOW, head, started, submission
from tests.schema.documents import JSON, KEYS, PROPERTY, mutated, policy_document, release_document

ITEM_BYTES = 400_000
"""What one item of a DynamoDB table takes, with room to spare for its keys."""
INVOCATION_BYTES = 6 * 1024 * 1024
"""What a Lambda function takes as its input."""


def faults(**changes: Any) -> list[str]:
    with pytest.raises(BadInput) as refused:
        parse_release(release_document(**changes), "r.json")
    assert all(fault.startswith("r.json: ") for fault in refused.value.faults)
    return [fault.removeprefix("r.json: ") for fault in refused.value.faults]


def artifact(url: object, sha256: object = "a" * 64) -> dict[str, object]:
    return {"url": url, "sha256": sha256}


def smoke(*inputs: object, **changes: object) -> dict[str, object]:
    return {"content_type": "text/csv", "inputs": list(inputs), **changes}


def test_a_release_arrives_complete() -> None:
    release = parse_release(release_document(), "r.json")

    assert encode(release) == {key: value for key, value in release_document().items() if key != "schema"}


def test_every_missing_key_is_named_with_an_example() -> None:
    with pytest.raises(BadInput) as refused:
        parse_release({}, "r.json")

    assert refused.value.faults == (
        "r.json: schema: missing; for example `schema: 1`",
        "r.json: name: missing; for example `name: v1`",
        "r.json: artifact: missing; for example `artifact: {url: 's3://bucket/path/model.tar.gz', sha256: <64 hex digits>}`",
        "r.json: image: missing; for example `image: <repository>@sha256:<64 hex digits>`",
        "r.json: contract: missing; for example `contract: '1'`",
        "r.json: instance_type: missing; for example `instance_type: ml.m5.large`",
        "r.json: smoke: missing; for example `smoke: {content_type: text/csv, inputs: ['1,2,3']}`",
    )


URL = "artifact.url: must be the S3 URL of a model archive, such as s3://bucket/path/model.tar.gz, got"
KEY = "artifact.url: must have a key that does not begin with a slash and holds no ?, # or control character, got"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("https://models.s3.amazonaws.com/m.tar.gz", f"{URL} 'https://models.s3.amazonaws.com/m.tar.gz'"),
        ("http://models/m.tar.gz", f"{URL} 'http://models/m.tar.gz'"),
        ("model.tar.gz", f"{URL} 'model.tar.gz'"),
        ("S3://models/m.tar.gz", f"{URL} 'S3://models/m.tar.gz'"),
        ("s3://models", f"{URL} 's3://models'"),
        ("s3:///m.tar.gz", f"{URL} 's3:///m.tar.gz'"),
        ("s3://Models/m.tar.gz", f"{URL} 's3://Models/m.tar.gz'"),
        ("s3://mo..dels/m.tar.gz", f"{URL} 's3://mo..dels/m.tar.gz'"),
        ("s3://me@models/m.tar.gz", f"{URL} 's3://me@models/m.tar.gz'"),
        ("s3://models:443/m.tar.gz", f"{URL} 's3://models:443/m.tar.gz'"),
        (f"s3://models/{'x' * 1100}.tar.gz", f"{URL} 's3://models/{'x' * 48}'... (1119 characters)"),
        ("s3://models/", f"{KEY} 's3://models/'"),
        ("s3://models//m.tar.gz", f"{KEY} 's3://models//m.tar.gz'"),
        ("s3://models/m.tar.gz?versionId=1", f"{KEY} 's3://models/m.tar.gz?versionId=1'"),
        ("s3://models/m#1.tar.gz", f"{KEY} 's3://models/m#1.tar.gz'"),
        ("s3://models/m\n.tar.gz", f"{KEY} 's3://models/m\\n.tar.gz'"),
        (
            "s3://models/m.zip",
            "artifact.url: must end in .tar.gz, got 's3://models/m.zip'; SageMaker unpacks nothing else",
        ),
        (5, "artifact.url: must be text, got 5; put it in quotes"),
    ],
)
def test_an_artifact_must_be_one_archive_in_s3(url: object, sentence: str) -> None:
    assert faults(artifact=artifact(url)) == [sentence]


@pytest.mark.parametrize(
    "key", ["m.tar.gz", "a/b/m.tar.gz", "100 %/m.tar.gz", "ü/m.tar.gz", "a//m.tar.gz", "m=1&x+y.tar.gz"]
)
def test_ordinary_and_odd_keys_are_taken_whole(key: str) -> None:
    release = parse_release(release_document(artifact=artifact(f"s3://my.models-1/{key}")), "r.json")

    assert release.artifact.url == f"s3://my.models-1/{key}"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"artifact": artifact("s3://models/m.tar.gz", "A" * 64)},
            f"artifact.sha256: must be 64 lower-case hex digits, got '{'A' * 60}'... (64 characters); "
            "`sha256sum model.tar.gz` prints them",
        ),
        (
            {"artifact": artifact("s3://models/m.tar.gz", "abc")},
            "artifact.sha256: must be 64 lower-case hex digits, got 'abc'; `sha256sum model.tar.gz` prints them",
        ),
        (
            {"artifact": "s3://models/m.tar.gz"},
            "artifact: must be a mapping of keys to values, got 's3://models/m.tar.gz'; for example "
            "`artifact: {url: 's3://bucket/path/model.tar.gz', sha256: <64 hex digits>}`",
        ),
        (
            {"image": "repo:latest"},
            "image: must name the image by its digest (<repository>@sha256:<64 hex digits>), got 'repo:latest'; "
            "a tag can be moved to another image",
        ),
        ({"image": None}, "image: must be text, got nothing"),
        (
            {"instance_type": "m5.large"},
            "instance_type: must be a SageMaker instance type, such as ml.m5.large, got 'm5.large'",
        ),
        ({"contract": 1}, "contract: must be text, got 1; put it in quotes"),
        ({"schema": 2}, "schema: must be 1, got 2; this Sluice reads no other version"),
        ({"schema": True}, "schema: must be a whole number, got true"),
        ({"name": ""}, "name: must be 1 to 60 printable ASCII characters without spaces at its ends, got ''"),
        ({"name": "a\nb"}, "name: must be 1 to 60 printable ASCII characters without spaces at its ends, got 'a\\nb'"),
        ({"nmae": "v1"}, "nmae: unknown key; did you mean 'name'?"),
        ({"smoke": smoke()}, "smoke.inputs: must have at least 1 entry, got none"),
        ({"smoke": {"content_type": "text/csv"}}, "smoke.inputs: missing; for example `inputs: ['1,2,3']`"),
        ({"smoke": smoke(*["1"] * 21)}, "smoke.inputs: must have at most 20 entries, got 21"),
        ({"smoke": smoke("")}, "smoke.inputs[0]: must not be empty, got ''"),
        ({"smoke": smoke([1, 2, 3])}, "smoke.inputs[0]: must be text, got a list"),
        (
            {"smoke": smoke("1", content_type="csv")},
            "smoke.content_type: must be a content type, such as text/csv, got 'csv'",
        ),
        ({"environment": {"WORKERS": 4}}, "environment.WORKERS: must be text, got 4; put it in quotes"),
        ({"environment": {"DEBUG": True}}, "environment.DEBUG: must be text, got true; put it in quotes"),
        ({"environment": {"EMPTY": None}}, "environment.EMPTY: must be text, got nothing"),
        (
            {"environment": {"A-B": "x"}},
            "environment.A-B: must be letters, digits and underscores, not beginning with a digit, got 'A-B'",
        ),
        (
            {"environment": {"K": "v" * 1025}},
            f"environment.K: must have at most 1024 characters, got '{'v' * 60}'... (1025 characters)",
        ),
        ({"environment": {f"K{i}": "" for i in range(101)}}, "environment: must have at most 100 entries, got 101"),
        ({"metadata": ["a"]}, "metadata: must be a mapping of keys to values, got a list"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(changes: dict[str, Any], sentence: str) -> None:
    assert faults(**changes) == [sentence]


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ({"auc": float("nan")}, "metadata.auc: must be a finite number, got nan"),
        ({"a": [1, {"b": float("inf")}]}, "metadata.a[1].b: must be a finite number, got inf"),
        (
            {"at": date(2026, 11, 21)},
            "metadata.at: must be text, a number, true, false, null, a list or a mapping, got date",
        ),
        (
            {"raw": b"x"},
            "metadata.raw: must be text, a number, true, false, null, a list or a mapping, got bytes",
        ),
        ({7: "x"}, "metadata.7: the key 7 is not text; put it in quotes"),
        ({"a\tb": 1}, "metadata.a\tb: the key holds a control character or half a surrogate pair"),
        ({"x": "\ud800"}, "metadata.x: holds half a surrogate pair, which is no character"),
    ],
)
def test_metadata_that_a_record_could_not_keep_is_refused(metadata: dict[Any, Any], sentence: str) -> None:
    assert sentence in faults(metadata=metadata)


def test_metadata_nested_without_end_is_refused() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless

    assert faults(metadata=endless) == ["is nested deeper than 40 levels"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"metadata": {"notes": "x" * 40_000}},
            "metadata: has 40,012 of the release document's 40,548 bytes, at most 32,768 are possible; "
            "keep what is large in S3 and name it here",
        ),
        (
            {"smoke": smoke("1" * 7_000_000)},
            "smoke.inputs: has 7,000,004 of the release document's 7,000,555 bytes, at most 32,768 are possible; "
            "keep what is large in S3 and name it here",
        ),
        (
            {"smoke": smoke("ü" * 20_000)},
            "smoke.inputs: has 40,004 of the release document's 40,555 bytes, at most 32,768 are possible; "
            "keep what is large in S3 and name it here",
        ),
    ],
)
def test_a_release_that_is_too_large_names_its_largest_part(changes: dict[str, Any], sentence: str) -> None:
    assert faults(**changes) == [sentence]


def _noise(characters: int) -> str:
    """Text that does not compress."""
    pieces = (hashlib.sha256(str(i).encode()).hexdigest() for i in range(characters // 64 + 1))
    return "".join(pieces)[:characters]


def test_an_environment_that_does_not_fit_into_tags_is_refused() -> None:
    noise = _noise(30_000)
    environment = {f"K{i}": noise[i * 1000 : (i + 1) * 1000] for i in range(20)}

    (sentence,) = faults(environment=environment)

    assert re.fullmatch(
        r"environment: takes \d\d tags on the endpoint configuration, at most 40 are possible; shorten it", sentence
    )


def largest_release(name: str) -> Release:
    """As large as a document may be, and different from every other."""
    empty = release_document(name=name, metadata={"notes": ""})
    room = MOST_BYTES - len(canonical(encode(parse_release(empty, "r.json"))))
    release = parse_release({**empty, "metadata": {"notes": "x" * room}}, "r.json")
    assert len(canonical(encode(release))) == MOST_BYTES
    return release


def largest_policy() -> dict[str, Any]:
    bake = {"min": "365d", "max": "365d"}
    long = "x" * 255
    rate = {
        "kind": "rate",
        "events": long,
        "trials": "y" * 255,
        "namespace": long,
        "rail": {"rate": "99.99%", "versus_stable": 999.99},
    }
    return policy_document(
        steps=[{"weight": 1 + i, "bake": bake, "on_inconclusive": "rollback"} for i in range(49)] + [{"weight": 100}],
        metrics={f"{i:060}": rate for i in range(20)},
        alarms=[f"{i:02}{'ü' * 253}" for i in range(20)],
    )


def test_the_largest_releases_and_policy_that_are_accepted_fit_into_the_record_and_the_invocation() -> None:
    policy = parse_policy(largest_policy(), "p.yaml")
    releases = [largest_release(f"v{i}") for i in range(KEPT_RELEASES + 2)]
    names = tuple(f"sluice/{'p' * 20}/{'s' * 20}/{'e' * 63}/{'v' * 63}/{name}-rail" for name in policy.metrics)
    alarms = {slot: SlotAlarms(names, names) for slot in ("blue", "green")}
    before = replace(head(), champion=replace(head().champion, release=releases[0]), previous=tuple(releases[2:]))
    rollout = started(release=releases[1], stable=releases[0], policy=policy, alarms=alarms).live
    assert rollout is not None

    change = record(before, replace(before, live=rollout), "submitted", "pulumi", "x" * 1000, NOW, {})
    handed_over = encode(submission(release=releases[1], policy=policy, alarms=alarms))

    assert len(canonical(encode(change.head)).encode()) < ITEM_BYTES
    assert len(canonical(encode(change.event)).encode()) < ITEM_BYTES
    assert len(json.dumps({"action": "submit", "submission": handed_over})) < INVOCATION_BYTES


def test_the_fullest_tags_that_are_accepted_can_be_read_back() -> None:
    noise = _noise(30_000)
    environment = {f"K{i}": noise[i * 1000 : (i + 1) * 1000] for i in range(11)}

    release = parse_release(release_document(environment=environment), "r.json")

    assert MOST_TAGS - 5 <= len(release_tags(release)) <= MOST_TAGS
    assert release_from_tags(release_tags(release)).digest == release.digest


@PROPERTY
@given(st.dictionaries(KEYS, JSON, max_size=5))
def test_any_json_is_fine_as_metadata_and_stays_what_it_is(metadata: dict[str, Any]) -> None:
    release = parse_release(release_document(metadata=metadata), "r.json")

    assert json.loads(canonical(encode(release)))["metadata"] == metadata


def refusals(document: object) -> tuple[str, ...]:
    try:
        parse_release(document, "r.json")
    except BadInput as refused:
        return refused.faults
    return ()


@PROPERTY
@given(mutated(release_document()))
def test_whatever_is_changed_in_a_release_it_is_read_or_refused_in_sentences(document: object) -> None:
    assert all(fault.startswith("r.json: ") for fault in refusals(document))
