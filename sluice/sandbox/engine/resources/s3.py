"""S3: buckets, the settings that are resources of their own, and objects."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sluice.sandbox.engine import assets
from sluice.sandbox.engine.kinds import Aws, Call, Change, Kind, Naming, Tagging
from sluice.sandbox.engine.translate import Rules
from sluice.sandbox.engine.wire import Properties, is_file

_BUCKET = {"Bucket": "bucket"}


def _create_bucket(aws: Aws, change: Change) -> dict[str, Any]:
    """us-east-1 is the one region that must not be named."""
    region = change.facts.get("region", "us-east-1")
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    locked = {"ObjectLockEnabledForBucket": True} if change.new.get("objectLockEnabled") else {}
    return aws.call("s3", "CreateBucket", Bucket=change.new["bucket"], **where, **locked)


def _delete_bucket(aws: Aws, change: Change) -> dict[str, Any]:
    bucket = change.facts["bucket"]
    if change.facts.get("forceDestroy"):
        listed = aws.call("s3", "ListObjectVersions", Bucket=bucket)
        for entry in (*listed.get("Versions", ()), *listed.get("DeleteMarkers", ())):
            aws.call("s3", "DeleteObject", Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])
    return aws.call("s3", "DeleteBucket", Bucket=bucket)


def _tag_bucket(aws: Aws, change: Change) -> dict[str, Any]:
    tags = [{"Key": name, "Value": value} for name, value in sorted(change.new["tagsAll"].items())]
    if not tags:
        return aws.call("s3", "DeleteBucketTagging", Bucket=change.facts["id"])
    return aws.call("s3", "PutBucketTagging", Bucket=change.facts["id"], Tagging={"TagSet": tags})


BUCKET = Kind(
    type="aws:s3/bucket:Bucket",
    service="s3",
    create=_create_bucket,
    delete=_delete_bucket,
    id="{bucket}",
    formats={
        "arn": "arn:aws:s3:::{bucket}",
        "bucketDomainName": "{bucket}.s3.amazonaws.com",
        "bucketRegionalDomainName": "{bucket}.s3.{region}.amazonaws.com",
        "bucketRegion": "{region}",
    },
    naming=Naming(property="bucket", prefix="bucketPrefix", longest=63, lower=True),
    tagging=Tagging(_tag_bucket, on_create=False),
    force_new=("bucket", "bucketPrefix", "objectLockEnabled"),
    rules=Rules(accepted={"forceDestroy": "tells only the delete what to do"}),
    known=("bucket", "objectLockEnabled"),
)


_ONE_ACCOUNT = {"expectedBucketOwner": "the sandbox has one account"}


def _setting(
    type_: str, put: Call, delete: Call | None, *properties: str, accepted: Mapping[str, str] | None = None
) -> Kind:
    """A setting of a bucket: put whole on create and update. Without a delete it stays as it is."""
    return Kind(
        type=type_,
        service="s3",
        create=put,
        update=put,
        delete=delete,
        id="{bucket}",
        rules=Rules(accepted={**_ONE_ACCOUNT, **(accepted or {})}),
        force_new=("bucket", "expectedBucketOwner"),
        required=("bucket", *properties),
        documents=("policy",),
    )


VERSIONING = _setting(
    "aws:s3/bucketVersioning:BucketVersioning",
    Call("PutBucketVersioning", keys=_BUCKET),
    None,  # a bucket that has had versions never goes back to none
    "versioningConfiguration",
)
PUBLIC_ACCESS_BLOCK = _setting(
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    Call("PutPublicAccessBlock", keys=_BUCKET, inside="PublicAccessBlockConfiguration"),
    Call("DeletePublicAccessBlock", keys=_BUCKET),
)
ENCRYPTION = _setting(
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    Call("PutBucketEncryption", keys=_BUCKET, inside="ServerSideEncryptionConfiguration"),
    Call("DeleteBucketEncryption", keys=_BUCKET),
    "rules",
)
LIFECYCLE = _setting(
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    Call("PutBucketLifecycleConfiguration", keys=_BUCKET, inside="LifecycleConfiguration"),
    Call("DeleteBucketLifecycle", keys=_BUCKET),
    "rules",
    accepted={
        "transitionDefaultMinimumObjectSize": "moto does not keep it, and nothing here reads it",
        "timeouts": "nothing to wait for",
    },
)
POLICY = _setting(
    "aws:s3/bucketPolicy:BucketPolicy",
    Call("PutBucketPolicy", keys=_BUCKET),
    Call("DeleteBucketPolicy", keys=_BUCKET),
    "policy",
)


def _put_lock(aws: Aws, change: Change) -> dict[str, Any]:
    """Terraform's `rule.defaultRetention`; the word Enabled is the only one there is."""
    rule = change.new.get("rule")
    spelled = {}
    if rule:
        retention = rule["defaultRetention"]
        time = {name.title(): int(retention[name]) for name in ("days", "years") if name in retention}
        spelled = {"Rule": {"DefaultRetention": {"Mode": retention["mode"], **time}}}
    configuration = {"ObjectLockEnabled": "Enabled", **spelled}
    return aws.call(
        "s3", "PutObjectLockConfiguration", Bucket=change.new["bucket"], ObjectLockConfiguration=configuration
    )


OBJECT_LOCK = Kind(
    type="aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
    service="s3",
    create=_put_lock,
    update=_put_lock,
    delete=None,  # a bucket that locks never stops locking
    id="{bucket}",
    rules=Rules(accepted=_ONE_ACCOUNT),
    force_new=("bucket", "expectedBucketOwner", "objectLockEnabled"),
    required=("bucket",),
    defaults={"objectLockEnabled": "Enabled"},
    known=("bucket", "objectLockEnabled", "rule"),
)

_OBJECT = {"Bucket": "bucket", "Key": "key"}
_BODIES = ("source", "content", "contentBase64")
_SENT = (
    "bucketKeyEnabled", "cacheControl", "checksumAlgorithm", "contentDisposition", "contentEncoding",
    "contentLanguage", "contentType", "kmsKeyId", "metadata", "objectLockLegalHoldStatus", "objectLockMode",
    "objectLockRetainUntilDate", "serverSideEncryption", "storageClass", "websiteRedirect", "acl",
)  # fmt: skip


def _as_put(properties: Properties) -> Properties:
    """The three ways to give content as one body; tags as the query string PutObject wants."""
    rest = {n: v for n, v in properties.items() if n not in (*_BODIES, "tags", "tagsAll")}
    tags = properties.get("tags") or properties.get("tagsAll")
    if tags:
        rest["tagging"] = urlencode(sorted(tags.items()))
    return {**rest, "body": _body(properties)}


def _body(properties: Properties) -> Any:
    source = properties.get("source")
    if source is not None:
        return assets.content(source) if is_file(source) else source
    if "contentBase64" in properties:
        return base64.b64decode(properties["contentBase64"])
    return str(properties.get("content", "")).encode()


def _tag_object(aws: Aws, change: Change) -> dict[str, Any]:
    tags = [{"Key": name, "Value": value} for name, value in sorted(change.new["tagsAll"].items())]
    where = {"Bucket": change.facts["bucket"], "Key": change.facts["key"]}
    return aws.call("s3", "PutObjectTagging", **where, Tagging={"TagSet": tags})


_CHECKSUMS = {f"checksum{name.title()}": f"Checksum{name}" for name in ("SHA256", "SHA1", "CRC32")}


def _object(type_: str, checksums: Mapping[str, str]) -> Kind:
    return Kind(
        type=type_,
        service="s3",
        create=Call("PutObject", keys=_OBJECT),
        read=Call("HeadObject", keys=_OBJECT, constants={"ChecksumMode": "ENABLED"}),
        update=Call("PutObject", keys=_OBJECT, sends=(*_BODIES, *_SENT, "tagsAll")),
        delete=Call("DeleteObject", keys=_OBJECT),
        id="{bucket}/{key}",
        computed={
            "etag": "ETag",
            "versionId": "VersionId",
            **checksums,
        },
        formats={"arn": "arn:aws:s3:::{bucket}/{key}"},
        volatile=("etag", "versionId", *checksums),
        naming=Naming(property="key", prefix="", longest=1024, random=False),
        tagging=Tagging(_tag_object),
        rules=Rules(
            renames={"kmsKeyId": "SSEKMSKeyId", "websiteRedirect": "WebsiteRedirectLocation"},
            accepted={
                "etag": "only makes a difference visible: files have their own hash here",
                "sourceHash": "only makes a difference visible: files have their own hash here",
                "forceDestroy": "tells only the delete what to do",
            },
        ),
        force_new=("bucket", "key"),
        required=("bucket",),
        reshape=_as_put,
    )


KINDS = (
    BUCKET,
    VERSIONING,
    PUBLIC_ACCESS_BLOCK,
    OBJECT_LOCK,
    ENCRYPTION,
    LIFECYCLE,
    POLICY,
    _object("aws:s3/bucketObject:BucketObject", {}),
    _object("aws:s3/bucketObjectv2:BucketObjectv2", _CHECKSUMS),
)
