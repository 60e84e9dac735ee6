"""What endpoints are asked and answer is captured, and what is stored is private and encrypted. Whose keys encrypt it is a parameter."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sluice_compliance.resources import (
    BUCKET,
    CONFIGURATION,
    QUEUE,
    TABLE,
    UNKNOWN,
    Fault,
    Resource,
    Stack,
    items,
    look,
)

KINDS = ("bucket", "queue", "table")
_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_PUBLIC_ACCESS_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"


def data_captured(configuration: Resource, *, minimum_percent: float = 1, customer_key: bool = False) -> Iterator[str]:
    """Without captures nobody can say afterwards what a bad release answered."""
    if configuration.type != CONFIGURATION:
        return
    what, capture = f"endpoint configuration {configuration.name!r}", configuration.get("dataCaptureConfig")
    if look(capture, "enableCapture") not in (True, UNKNOWN):
        yield f"{what} captures nothing. Set dataCaptureConfig with enableCapture, both captureOptions and a destinationS3Uri."
    else:
        yield from _capture_faults(what, capture, minimum_percent)
    if customer_key and configuration.get("kmsKeyArn") is None:
        yield f"{what} has no key of yours for its volumes. Set kmsKeyArn (in the stack configuration: `kms_key_arn`)."


def _capture_faults(what: str, capture: object, minimum_percent: float) -> Iterator[str]:
    percent, options = look(capture, "initialSamplingPercentage"), look(capture, "captureOptions")
    if percent is not UNKNOWN and (percent or 0) < minimum_percent:
        yield f"{what} captures {percent or 0:g} % of the requests, {minimum_percent:g} % are asked for."
    modes = {look(option, "captureMode") for option in items(options)}
    if options is not UNKNOWN and not modes & {UNKNOWN, "InputAndOutput"} and not modes >= {"Input", "Output"}:
        yield f"{what} captures {' and '.join(sorted(modes)) or 'neither side'}. Set captureOptions to Input and Output."


def buckets_private(stack: Stack) -> Iterator[Fault]:
    """Captured requests are customers' data."""
    for bucket in stack.of(BUCKET):
        blocks = stack.referring(_PUBLIC_ACCESS_BLOCK, "bucket", bucket)
        open_ = [word for word in _BLOCKS if not any(block.get(word) in (True, UNKNOWN) for block in blocks)]
        if open_:
            yield Fault(
                f"bucket {bucket.name!r}: {', '.join(open_)} not set. Add a BucketPublicAccessBlock with all four.",
                bucket.urn,
            )


def stores_encrypted(stack: Stack, *, customer_keys: Collection[str] = ()) -> Iterator[Fault]:
    """`customer_keys` are the kinds that must use a key of yours. A table or a queue of the rollback path with a key of yours
    stops rollbacks when the key is disabled: that is why none is asked for by default.
    """
    wrong = sorted(set(customer_keys) - set(KINDS))
    if wrong:
        raise ValueError(f"policy configuration: customerKeys takes {', '.join(KINDS)}, got {wrong[0]!r}")
    for bucket in stack.of(BUCKET):
        yield from _bucket_faults(stack, bucket, own="bucket" in customer_keys)
    for queue in stack.of(QUEUE):
        yield from _queue_faults(queue, own="queue" in customer_keys)
    for table in stack.of(TABLE):
        # DynamoDB always encrypts; without a word about it with the key it owns.
        if "table" in customer_keys and table.get("serverSideEncryption", "kmsKeyArn") is None:
            yield Fault(f"table {table.called!r}: no key of yours. Set serverSideEncryption with kmsKeyArn.", table.urn)


def _bucket_faults(stack: Stack, bucket: Resource, *, own: bool) -> Iterator[Fault]:
    settings = [
        look(rule, "applyServerSideEncryptionByDefault")
        for encryption in stack.referring(_ENCRYPTION, "bucket", bucket)
        for rule in items(encryption.get("rules"))
    ]
    if not any(look(setting, "sseAlgorithm") for setting in settings):
        yield Fault(
            f"bucket {bucket.name!r}: encryption is not said. Add a BucketServerSideEncryptionConfiguration.",
            bucket.urn,
        )
    elif own and not any(look(setting, "kmsMasterKeyId") for setting in settings):
        yield Fault(
            f"bucket {bucket.name!r}: no key of yours. Set sseAlgorithm aws:kms and kmsMasterKeyId.", bucket.urn
        )


def _queue_faults(queue: Resource, *, own: bool) -> Iterator[Fault]:
    managed, key = queue.get("sqsManagedSseEnabled"), queue.get("kmsMasterKeyId")
    if own and not key:
        yield Fault(f"queue {queue.called!r}: no key of yours. Set kmsMasterKeyId.", queue.urn)
    elif not managed and not key:
        yield Fault(
            f"queue {queue.called!r} is not encrypted. Set sqsManagedSseEnabled (or kmsMasterKeyId).", queue.urn
        )
