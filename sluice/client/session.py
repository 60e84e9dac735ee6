"""A boto3 session as another role, for endpoints in another account. Fresh credentials as long as the process lives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import botocore.session
from botocore.credentials import RefreshableCredentials

_NAME = "sluice-client"


def session_as(role_arn: str, region: str, sts: Any = None) -> boto3.Session:
    """Calls of this session are the role's. `sts` is a boto3 client of whoever may take the role on."""
    asked = sts if sts is not None else boto3.client("sts", region_name=region)
    refresh = _asking(asked, role_arn)
    inner = botocore.session.get_session()
    # boto3 offers no public way to hand refreshable credentials to a session; botocore's own credential providers do this.
    inner._credentials = RefreshableCredentials.create_from_metadata(refresh(), refresh, "assume-role")  # type: ignore[attr-defined]
    return boto3.Session(botocore_session=inner, region_name=region)


def _asking(sts: Any, role_arn: str) -> Callable[[], dict[str, str]]:
    def ask() -> dict[str, str]:
        given = sts.assume_role(RoleArn=role_arn, RoleSessionName=_NAME)["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    return ask
