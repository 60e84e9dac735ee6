"""Signing links with a key in Parameter Store, encrypted: made once by the stack."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from sluice.aws.clients import client


@dataclass(frozen=True, slots=True)
class ParameterSigner:
    """`sluice.link.Signer`: HMAC-SHA-256 with the text of a SecureString."""

    parameter: str

    def sign(self, text: bytes) -> bytes:
        found = client("ssm").get_parameter(Name=self.parameter, WithDecryption=True)
        return hmac.new(found["Parameter"]["Value"].encode(), text, hashlib.sha256).digest()

    def is_mine(self, text: bytes, mac: bytes) -> bool:
        return hmac.compare_digest(self.sign(text), mac)
