"""Patches of moto's S3, each with a contract test in tests/sandbox/cloud/test_hooks.py."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from sluice.sandbox.cloud.iam import Decision
from sluice.sandbox.patches import Undo, replaced


def install_locked_copies() -> Undo:
    """CopyObject into a bucket that locks by default: S3 takes it as it is, moto asks for the checksum header of an upload."""
    from moto.s3.responses import S3Response
    from werkzeug.datastructures import Headers

    original = S3Response._key_response_put

    @wraps(original)
    def put(response: Any, query: Any, key_name: str) -> Any:
        if "x-amz-copy-source" in response.headers and "x-amz-sdk-checksum-algorithm" not in response.headers:
            response.headers = Headers([*response.headers.items(), ("x-amz-sdk-checksum-algorithm", "SHA256")])
        return original(response, query, key_name)

    return replaced(S3Response, "_key_response_put", put)


def install_bucket_policies(decide: Callable[[str, str, str], Decision]) -> Undo:
    """What a bucket's policy says is decide(document, action, resource): moto reads none of its conditions."""
    from moto.iam.access_control import PermissionResult
    from moto.s3.models import FakeBucket

    def permission(bucket: Any, action: str, resource: str) -> Any:
        if bucket.policy is None:
            return PermissionResult.NEUTRAL
        decision = decide(bucket.policy.decode(), action, resource)
        if decision.denied:
            return PermissionResult.DENIED
        return PermissionResult.PERMITTED if decision.allowed else PermissionResult.NEUTRAL

    return replaced(FakeBucket, "get_permission", permission)
