"""Ids that look random and are equal in equal runs: of requests, events, executions."""

from __future__ import annotations

import uuid
from hashlib import sha1

_URLS = uuid.NAMESPACE_URL.bytes
_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def id_of(name: str) -> str:
    """The name's UUID of version 5 among the sandbox's, as text: RFC 9562, section 5.5.

    Two are made every virtual minute, and most of what `uuid.uuid5` takes is its way through an object.
    """
    digest = sha1(_URLS + b"sluice/sandbox/" + name.encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{_VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}"
