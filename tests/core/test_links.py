"""What a link says comes back as it was made, and nothing else is a link."""

from __future__ import annotations

import pytest

from sluice.core.errors import BadInput
from sluice.core.links import Link, parse_token, signed_text, token_of

APPROVE = Link("approve", "shop", "shop-1", 2, 1_800_000_000)
MAC = b"\x00signature\xff"


def test_a_link_comes_back_with_its_signature() -> None:
    assert parse_token(token_of(APPROVE, MAC)) == (APPROVE, MAC)


def test_the_signature_is_over_everything_the_link_says() -> None:
    others = (
        Link("abort", "shop", "shop-1", 2, 1_800_000_000),
        Link("approve", "ward", "shop-1", 2, 1_800_000_000),
        Link("approve", "shop", "shop-2", 2, 1_800_000_000),
        Link("approve", "shop", "shop-1", 3, 1_800_000_000),
        Link("approve", "shop", "shop-1", 2, 1_800_000_001),
    )

    assert len({signed_text(link) for link in (APPROVE, *others)}) == 6


def test_the_same_link_is_the_same_command() -> None:
    assert APPROVE.request == "link:approve:shop-1:2:1800000000"
    assert Link("abort", "shop", "shop-1", None, 5).request == "link:abort:shop-1:-:5"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "!!.!!",
        token_of(APPROVE, MAC)[:-9] + "....",
        token_of(APPROVE, MAC).partition(".")[0],
        token_of(APPROVE, MAC) + "=",
        "e30.e30",
        "bnVsbA.eA",
    ],
)
def test_what_was_never_a_link_is_refused_with_a_sentence(token: str) -> None:
    with pytest.raises(BadInput, match="link: cannot be read. Copy it whole, as it was sent."):
        parse_token(token)
