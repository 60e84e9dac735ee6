"""Whether an endpoint's record has room for a rollout, to its very end: what does not fit could not be promoted, nor taken back."""

from __future__ import annotations

from sluice.core.errors import Refused
from sluice.core.head import Head, Submission
from sluice.core.record import canonical, encode

TABLE_BYTES = 400 * 1024
"""DynamoDB takes no larger item."""
RESERVE_BYTES = 64 * 1024
"""For what is only written later: causes, the quarantine, what people say; and for the findings beside the longest event."""


def need_room(after: Head, submission: Submission) -> None:
    """Raises Refused for a release with which the record could grow beyond what the table takes.

    A promotion keeps the old champion among the releases that served, and settling keeps it as standby. A way back is not measured:
    what served before was in the record already.
    """
    if submission.is_emergency:
        return
    champion = after.champion.release
    most = _bytes(after) + _bytes(submission.release) + 2 * _bytes(champion) + RESERVE_BYTES
    if most > TABLE_BYTES:
        raise Refused(
            f"endpoint {after.endpoint!r}: {submission.release.name} is too large to be tried: the endpoint's record could have "
            f"{most // 1024} KB with it, and the table takes {TABLE_BYTES // 1024}. Make its smoke inputs, metadata or environment "
            f"smaller (it has {_bytes(submission.release) // 1024} KB)."
        )


def _bytes(value: object) -> int:
    return len(canonical(encode(value)).encode())
