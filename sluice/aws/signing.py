"""Keys in Parameter Store, encrypted, made once by the stack; and signing links with one."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from sluice.aws.clients import client


def key_in(parameter: str) -> bytes:
    """The text of a SecureString, as a key."""
    found = client("ssm").get_parameter(Name=parameter, WithDecryption=True)
    return str(found["Parameter"]["Value"]).encode()


@dataclass(frozen=True, slots=True)
class ParameterSigner:
    """`sluice.link.Signer`: HMAC-SHA-256 with the text of a SecureString."""

    parameter: str

    def sign(self, text: bytes) -> bytes:
        return hmac.new(key_in(self.parameter), text, hashlib.sha256).digest()

    def is_mine(self, text: bytes, mac: bytes) -> bool:
        return hmac.compare_digest(self.sign(text), mac)
