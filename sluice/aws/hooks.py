"""Other people's code: a Lambda function by its ARN, or an HTTPS URL that gets a signed POST. Whatever goes wrong is an answer."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sluice.aws.signing import key_in
from sluice.core.conditions import Hook, HookKind
from sluice.core.observation import HookAnswer
from sluice.core.record import Document, canonical

SIGNATURE_HEADER = "Sluice-Signature"
_MOST_BYTES = 64 * 1024
_SHOWN_CHARACTERS = 200
"""Of what somebody else's code says: it becomes part of a sentence and of an audit event."""


@dataclass(frozen=True, slots=True)
class CalledHooks:
    """`sluice.ports.Hooks`. `key_parameter` names the SecureString that HTTPS calls are signed with; None where none was made."""

    key_parameter: str | None

    def ask(self, hook: Hook, call: Document) -> HookAnswer:
        said, text = self._called(hook, call)
        if said is None:
            return HookAnswer(False, text)
        agreed = isinstance(said, dict) and said.get("agree") is True
        because = str(said.get("because", ""))[:_SHOWN_CHARACTERS] if isinstance(said, dict) else ""
        word = "agreed" if agreed else "does not agree"
        return HookAnswer(agreed, f"{word}: {because}" if because else word)

    def tell(self, hook: Hook, call: Document) -> HookAnswer:
        said, text = self._called(hook, call)
        return HookAnswer(said is not None, text)

    def _called(self, hook: Hook, call: Document) -> tuple[Any, str]:
        """What it answered, and that it took the call; or None and why there is no answer."""
        try:
            match hook.kind:
                case HookKind.LAMBDA:
                    return _lambda(hook, call), "took the call"
                case HookKind.HTTPS:
                    return self._https(hook, call), "took the call"
        except (ClientError, BotoCoreError, URLError, OSError, http.client.HTTPException, ValueError, _Failed) as fault:
            return None, f"gave no answer ({type(fault).__name__.lstrip('_')}: {fault})"[:_SHOWN_CHARACTERS]

    def _https(self, hook: Hook, call: Document) -> Any:
        body = canonical(call)
        headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature(self._key(), int(call["at"]), body)}
        request = Request(hook.target, data=body.encode(), headers=headers, method="POST")  # noqa: S310 - policies take https:// only
        try:
            with build_opener(_NoRedirect).open(request, timeout=hook.timeout_seconds) as answer:
                return _document(answer.read(_MOST_BYTES))
        except HTTPError as fault:
            raise _Failed(f"HTTP {fault.code}") from None

    def _key(self) -> bytes:
        if self.key_parameter is None:
            raise _Failed("this stack has no key to sign with: run `pulumi up`")
        return key_in(self.key_parameter)


def signature(key: bytes, at: int, body: str) -> str:
    """`t=<seconds>,v1=<hex>`: HMAC-SHA256 over `<seconds>.<body>`, so that an old call cannot be sent again unnoticed."""
    mac = hmac.new(key, f"{at}.{body}".encode(), hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


class _Failed(Exception):
    """It answered, and the answer is a failure."""


class _NoRedirect(HTTPRedirectHandler):
    """A signed call goes where the policy says and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        return None


def _lambda(hook: Hook, call: Document) -> Any:
    """One try: the tick comes again in a minute."""
    patience = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=hook.timeout_seconds)
    answer = boto3.client("lambda", config=patience).invoke(FunctionName=hook.target, Payload=canonical(call).encode())
    payload = answer["Payload"].read(_MOST_BYTES)
    if "FunctionError" in answer:
        raise _Failed(f"it failed: {payload.decode(errors='replace')}")
    return _document(payload)


def _document(payload: bytes) -> Any:
    """What a hook that is only told answers does not matter; a gate that is not understood does not agree."""
    try:
        return json.loads(payload) or {}
    except ValueError:
        return {"because": "its answer is no JSON"} if payload.strip() else {}
