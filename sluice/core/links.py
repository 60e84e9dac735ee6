"""What a signed link says: one action on one rollout, until a time. What it is signed with, and who may follow it, is decided elsewhere.

A link proves no person: whoever has it may use it. So a step is approved by one only if its policy says `link`.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Literal

from sluice.core.errors import BadInput
from sluice.core.record import canonical, decode, encode

BY_LINK = "link"
"""In a policy's `approval.by`: whoever holds a link may approve. As a caller: a person nobody proved."""


@dataclass(frozen=True, slots=True)
class Link:
    """`step` is the step (its index) that an approval is for, None for an abort. `expires` is in seconds since the epoch."""

    action: Literal["approve", "abort"]
    endpoint: str
    rollout: str
    step: int | None
    expires: int

    @property
    def request(self) -> str:
        """Its id as a command: the same link is the same command, and goes through once."""
        return f"link:{self.action}:{self.rollout}:{'-' if self.step is None else self.step}:{self.expires}"


def token_of(link: Link, mac: bytes) -> str:
    """The link's text: what it says, and the signature over that."""
    return f"{_text(signed_text(link))}.{_text(mac)}"


def signed_text(link: Link) -> bytes:
    """What the signature is over."""
    return canonical(encode(link)).encode()


def parse_token(token: str) -> tuple[Link, bytes]:
    """A link and its signature, which the caller has to check. Raises BadInput for anything that was never a link."""
    said, _, mac = token.partition(".")
    try:
        document = json.loads(_bytes(said))
        link, signature = decode(Link, document, "link"), _bytes(mac)
    except (BadInput, ValueError, binascii.Error, RecursionError):
        raise BadInput(("link: cannot be read. Copy it whole, as it was sent.",)) from None
    if token_of(link, signature) != token:
        raise BadInput(("link: cannot be read. Copy it whole, as it was sent.",))
    return link, signature


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
