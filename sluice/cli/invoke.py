"""Asking a stack's command function, and turning whatever goes wrong on the way into one sentence that says what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own, and it is the one meant
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
)
from botocore.httpsession import URLLib3Session

from sluice.cli.target import Target
from sluice.command import ANSWER_SCHEMA
from sluice.core.classes import CLASS_OF
from sluice.core.errors import BadInput, Forbidden, Refused, SluiceError
from sluice.core.record import Document

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=40)
_URL_SECONDS = 40
"""The command function has 30 s. Asking twice is safe: the second one has the id of the first."""
_SIGN_IN = ("ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException")
_DENIED = ("AccessDenied", "AccessDeniedException")


@dataclass(frozen=True, slots=True)
class Answer:
    """What Lambda answered. `failed` says that the function raised, and then `payload` says what."""

    payload: Any
    failed: bool


Invoke = Callable[[str, str | None, Document], Answer]
"""(function name, region, request) -> answer. May raise botocore's errors."""


class CommandFailed(SluiceError):
    """The question was right and was not answered. What was asked for may or may not have happened."""


def through_urls(function: str, region: str | None, request: Document) -> Answer:
    """`Invoke` on AWS: the URL of the command's class, signed as whoever is signed in, so that AWS proves who asks."""
    session = boto3.Session(region_name=region)
    client = session.client("lambda", config=_CONFIG)
    alias = CLASS_OF[str(request["action"])].value
    url = client.get_function_url_config(FunctionName=function, Qualifier=alias)["FunctionUrl"]
    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    headers = {"Content-Type": "application/json"}
    asked = AWSRequest("POST", url, headers=headers, data=json.dumps(request).encode())
    SigV4Auth(credentials.get_frozen_credentials(), "lambda", client.meta.region_name).add_auth(asked)
    answered = URLLib3Session(timeout=_URL_SECONDS).send(asked.prepare())
    return _answered(answered.status_code, answered.content, alias)


def _answered(status: int, content: bytes, alias: str) -> Answer:
    """The function's own answers, good or bad; what AWS says before or instead of it becomes its error."""
    try:
        document = json.loads(content)
    except ValueError:
        document = {}
    if status == HTTPStatus.OK:
        return Answer(document, False)
    if isinstance(document, dict) and "error" in document:
        return Answer({"errorType": document["error"], "errorMessage": document["message"]}, True)
    if status == HTTPStatus.FORBIDDEN:
        refusal = f"not allowed to use the URL of class {alias!r}"
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": refusal}}, "InvokeFunctionUrl")
    text = str(document.get("Message") or document.get("message") or "") if isinstance(document, dict) else ""
    return Answer({"errorType": f"HTTP {status}", "errorMessage": text}, True)


def ask(invoke: Invoke, target: Target, action: str, **more: object) -> Document:
    """The command function's answer. Raises BadInput, Refused or CommandFailed, each with its sentence."""
    request = {"action": action, "endpoint": target.endpoint, **more}
    try:
        answer = invoke(target.function, target.region, request)
    except ClientError as fault:
        raise _refused_by_aws(fault, target) from None
    except (ConnectionError, HTTPClientError) as fault:
        check = "Check the network, and AWS_ENDPOINT_URL where it is set."
        raise CommandFailed(f"{target.function} did not answer: {_full(str(fault))} {check} {_look(target)}") from None
    except NoRegionError:
        raise BadInput(
            (f"no AWS region for {target.function}: give --region, or set `aws:region` in Pulumi.{target.stack}.yaml.",)
        ) from None
    except BotoCoreError as fault:
        raise BadInput(
            (f"no AWS access: {fault}. Sign in (for example `aws sso login`), or set AWS_PROFILE.",)
        ) from None
    if answer.failed:
        raise _failure(answer.payload, target)
    return _known(answer.payload, target)


def _refused_by_aws(fault: ClientError, target: Target) -> SluiceError:
    error = fault.response["Error"]
    code, message = error.get("Code", "?"), error.get("Message", "")
    if code == "ResourceNotFoundException":
        where = f" in {target.region}" if target.region else ""
        return BadInput(
            (
                f"there is no function {target.function}{where}: project {target.project!r} and stack {target.stack!r} have no "
                "control plane there. Check --project, --stack, --region and the AWS account, or run `pulumi up` first. "
                f"For an endpoint of a shared control plane call from the folder with Pulumi.{target.stack}.yaml, or name the stack "
                "whose control plane it is.",
            )
        )
    if code in _DENIED:
        whose = "Whoever runs the stack gives it: `pulumi stack output control_plane` names a policy for each class of commands."
        return BadInput((f"you may not ask {target.function}: {_full(message)} {whose}",))
    if code in _SIGN_IN:
        return BadInput((f"AWS does not take your credentials ({code}): sign in again.",))
    return CommandFailed(f"{target.function} could not be asked: {code}: {_full(message)} {_look(target)}")


def _failure(payload: Any, target: Target) -> SluiceError:
    """The function's own errors as they were raised there; the rest without its traceback, which is in the log."""
    found: Mapping[str, Any] = payload if isinstance(payload, dict) else {}
    kind, message = str(found.get("errorType", "?")), str(found.get("errorMessage", ""))
    if kind == BadInput.__name__:
        return BadInput(tuple(message.splitlines()))
    if kind in (Refused.__name__, Forbidden.__name__):
        return Refused(message)
    if "Task timed out" in message:
        return CommandFailed(f"{target.function} did not finish in its time. {_look(target)}")
    why = f"failed: {kind}: {_full(message)}" if found else "ended without an answer."
    return CommandFailed(f"{target.function} {why} Its log group is /aws/lambda/{target.function}. {_look(target)}")


def _known(payload: Any, target: Target) -> Document:
    schema = payload.get("schema") if isinstance(payload, dict) else None
    if schema != ANSWER_SCHEMA:
        raise BadInput(
            (
                f"{target.function} answers with schema {schema!r}, this command line reads {ANSWER_SCHEMA}: "
                "use the version of Sluice that the stack was deployed with, or run `pulumi up` with this one.",
            )
        )
    return dict(payload)


def _full(text: str) -> str:
    """With a full stop, because a sentence follows."""
    return f"{text.rstrip('. ')}."


def _look(target: Target) -> str:
    return f"Then see where things stand: {target.line('status')}"
