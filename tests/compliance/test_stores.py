"""Captures are on; buckets are private; what is stored is encrypted, with keys of one's own where that is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from sluice_compliance.resources import BUCKET, CONFIGURATION, QUEUE, TABLE, UNKNOWN, Resource, Stack
from sluice_compliance.stores import buckets_private, data_captured, stores_encrypted

BOTH = [{"captureMode": "Input"}, {"captureMode": "Output"}]
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
BLOCKED = dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True)
CAPTURES = Resource(BUCKET, "captures", {"bucket": "captures-1a2b3c4"}, "urn:captures")


def captured(customer_key: bool = False, minimum_percent: float = 1, **changes: Any) -> list[str]:
    capture = {"enableCapture": True, "initialSamplingPercentage": 20, "captureOptions": BOTH, **changes}
    configuration = Resource(CONFIGURATION, "first", {"dataCaptureConfig": capture})
    return list(data_captured(configuration, customer_key=customer_key, minimum_percent=minimum_percent))


def encryption(**default: Any) -> Resource:
    rules = [{"applyServerSideEncryptionByDefault": default}]
    return Resource(ENCRYPTION, "captures", {"bucket": "captures-1a2b3c4", "rules": rules})


def test_both_sides_of_enough_requests_are_captured() -> None:
    assert captured() == []
    assert captured(captureOptions=[{"captureMode": "InputAndOutput"}]) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"enableCapture": False}, "endpoint configuration 'first' captures nothing"),
        ({"enableCapture": None}, "endpoint configuration 'first' captures nothing"),
        (
            {"initialSamplingPercentage": 0},
            "endpoint configuration 'first' captures 0 % of the requests, 1 % are asked",
        ),
        ({"captureOptions": BOTH[:1]}, "endpoint configuration 'first' captures Input."),
        ({"captureOptions": []}, "endpoint configuration 'first' captures neither side"),
    ],
)
def test_half_a_capture_is_refused(changes: dict[str, Any], sentence: str) -> None:
    (fault,) = captured(**changes)

    assert fault.startswith(sentence)


def test_a_configuration_without_a_word_about_capture_is_refused() -> None:
    (fault,) = data_captured(Resource(CONFIGURATION, "first", {}))

    assert "captures nothing" in fault


def test_how_much_and_whose_key_are_parameters() -> None:
    percent, key = captured(minimum_percent=50, customer_key=True)

    assert "captures 20 % of the requests, 50 % are asked for" in percent
    assert "has no key of yours for its volumes" in key


def test_what_the_preview_does_not_know_passes() -> None:
    unknown = {"dataCaptureConfig": UNKNOWN, "kmsKeyArn": UNKNOWN}

    assert list(data_captured(Resource(CONFIGURATION, "first", unknown), customer_key=True)) == []
    assert captured(captureOptions=[UNKNOWN], initialSamplingPercentage=UNKNOWN) == []


def test_a_bucket_is_private_when_all_four_ways_are_blocked() -> None:
    block = Resource(BLOCK, "captures", {"bucket": "captures-1a2b3c4", **BLOCKED})
    half = Resource(BLOCK, "captures", {**block.properties, "blockPublicPolicy": False})

    assert list(buckets_private(Stack([CAPTURES, block]))) == []
    (fault,) = buckets_private(Stack([CAPTURES, half]))
    assert (fault.urn, fault.message[:44]) == ("urn:captures", "bucket 'captures': blockPublicPolicy not set")


def test_a_block_of_another_bucket_does_not_count() -> None:
    block = Resource(BLOCK, "reports", {"bucket": "reports-1a2b3c4", **BLOCKED})

    assert len([*buckets_private(Stack([CAPTURES, block]))]) == 1


def test_a_block_belongs_to_a_bucket_that_has_no_name_yet() -> None:
    unnamed = Resource(BUCKET, "captures", {"bucket": UNKNOWN}, "urn:captures")
    references = {"bucket": frozenset({"urn:captures"})}
    block = Resource(BLOCK, "captures", {"bucket": UNKNOWN, **BLOCKED}, references=references)

    assert list(buckets_private(Stack([unnamed, block]))) == []


@pytest.mark.parametrize("algorithm", ["AES256", "aws:kms"])
def test_a_bucket_says_how_it_is_encrypted(algorithm: str) -> None:
    assert list(stores_encrypted(Stack([CAPTURES, encryption(sseAlgorithm=algorithm)]))) == []
    (fault,) = stores_encrypted(Stack([CAPTURES]))
    assert "encryption is not said" in fault.message


@pytest.mark.parametrize("properties", [{"sqsManagedSseEnabled": True}, {"kmsMasterKeyId": "alias/shop"}])
def test_a_queue_is_encrypted_either_way(properties: dict[str, Any]) -> None:
    assert list(stores_encrypted(Stack([Resource(QUEUE, "alarm", properties)]))) == []


def test_a_queue_that_is_not_encrypted_is_refused() -> None:
    (fault,) = stores_encrypted(Stack([Resource(QUEUE, "alarm", {"sqsManagedSseEnabled": False})]))

    assert fault.message.startswith("queue 'alarm' is not encrypted")


def test_keys_of_ones_own_are_asked_for_by_kind() -> None:
    stack = Stack(
        [
            CAPTURES,
            encryption(sseAlgorithm="AES256"),
            Resource(QUEUE, "alarm", {"sqsManagedSseEnabled": True}),
            Resource(TABLE, "records", {}),
        ]
    )

    assert list(stores_encrypted(stack)) == []
    for kind in ("bucket", "queue", "table"):
        (fault,) = stores_encrypted(stack, customer_keys=[kind])
        assert (fault.message.split()[0], "no key of yours" in fault.message) == (kind, True)


def test_keys_of_ones_own_are_seen() -> None:
    stack = Stack(
        [
            CAPTURES,
            encryption(sseAlgorithm="aws:kms", kmsMasterKeyId="alias/shop"),
            Resource(QUEUE, "alarm", {"kmsMasterKeyId": "alias/shop"}),
            Resource(TABLE, "records", {"serverSideEncryption": {"enabled": True, "kmsKeyArn": UNKNOWN}}),
        ]
    )

    assert list(stores_encrypted(stack, customer_keys=["bucket", "queue", "table"])) == []


def test_a_kind_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValueError, match="customerKeys takes bucket, queue, table, got 'topic'"):
        list(stores_encrypted(Stack([]), customer_keys=["topic"]))
