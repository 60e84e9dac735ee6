"""What IAM takes of a role's permissions, and how a document that outgrows one policy is spread over several. Pure.

Endpoints come and go while rollouts are live, so a resource keeps its policy: which one is decided by a hash of its ARN and the
number of policies, which doubles. Filling policies up one after the other would move resources with every change.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from infra.iam_documents import Document, Statement, document, text

INLINE_LIMIT = 10_240
"""Of a role's inline policies in all, white space not counted."""
MANAGED_LIMIT = 6_144
"""Of one managed policy, white space not counted."""
_MOST_MANAGED = 8
"""AWS attaches up to 10 to a role before a quota is raised; two are left to the account's own."""
_LONG_LIST = 8
"""Statements about more resources than this are spread; the others stay in the inline policy."""


class PolicyTooLong(Exception):
    """The document fits into no number of policies that a role may have."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The same permissions in policies that IAM takes; `managed` is empty where the inline policy holds everything."""

    inline: Document
    managed: tuple[Document, ...]


def pack(whole: Document) -> Packed:
    """Together they allow what `whole` allows. Raises PolicyTooLong."""
    if length(whole) <= INLINE_LIMIT:
        return Packed(whole, ())
    long = [statement for statement in whole["Statement"] if _is_long(statement)]
    inline = document(*(statement for statement in whole["Statement"] if not _is_long(statement)))
    count = 1
    while count <= _MOST_MANAGED:
        managed = tuple(document(*_share(long, number, count)) for number in range(count))
        if length(inline) <= INLINE_LIMIT and all(length(each) <= MANAGED_LIMIT for each in managed):
            return Packed(inline, managed)
        count *= 2
    raise PolicyTooLong(
        f"they have {length(whole)} characters, IAM takes {INLINE_LIMIT} in a role and {_MOST_MANAGED} policies of {MANAGED_LIMIT}"
    )


def length(content: Document) -> int:
    """In characters as IAM counts them."""
    return len("".join(text(content).split()))


def _is_long(statement: Statement) -> bool:
    return len(statement.get("Resource", ())) > _LONG_LIST


def _share(statements: list[Statement], number: int, count: int) -> list[Statement]:
    """The part of policy `number` of `count`; a statement without any resource there is left out."""
    shares = []
    for statement in statements:
        mine = [arn for arn in statement["Resource"] if zlib.crc32(arn.encode()) % count == number]
        if mine:
            shares.append(Statement({**statement, "Resource": mine}))
    return shares
