"""The errors a caller sees when a call is refused: of the service's own class, with AWS's code and words.

Who is refused, and why, is decided by the gate.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from sluice.sandbox.cloud.actions import Need

# Services whose access-denied error has another code than AccessDeniedException (as their real denials show).
_DENIED_CODES = {"s3": "AccessDenied", "cloudwatch": "AccessDenied", "sqs": "AccessDenied", "sns": "AuthorizationError"}


def client_error(client: Any, operation: str, code: str, message: str, status: int) -> ClientError:
    """The exception botocore would raise for this error, of the service's own class where it has one."""
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"RequestId": "sandbox", "HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0},
    }
    kind = client.exceptions.from_code(code)
    error: ClientError = kind(answer, operation)
    return error


def denial(client: Any, operation: str, role_arn: str, session: str, need: Need, *, explicit: bool) -> ClientError:
    """What IAM answers to a role, in a session of that name, which lacks the permission; `explicit` when a statement denies it."""
    account, role = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    reason = (
        "with an explicit deny in an identity-based policy"
        if explicit
        else f"because no identity-based policy allows the {need.action} action"
    )
    message = (
        f"User: arn:aws:sts::{account}:assumed-role/{role}/{session} is not authorized to perform: {need.action} "
        f"on resource: {need.resource} {reason}"
    )
    code = _DENIED_CODES.get(client.meta.service_model.service_name, "AccessDeniedException")
    return client_error(client, operation, code, message, 403 if code == "AccessDenied" else 400)
