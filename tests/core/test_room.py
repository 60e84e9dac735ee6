"""What the record has no room for is refused before anything begins, not found out when it is to be taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.core.begin import begin
from sluice.core.conditions import OnNewRelease
from sluice.core.errors import Refused
from sluice.core.record import canonical, encode
from sluice.core.release import Smoke
from sluice.core.room import RESERVE_BYTES, TABLE_BYTES
from sluice.core.soak import promote
from tests.builders import NOW, head, policy, release, started, submission


def large(name: str, kilobytes: int):
    return release(name, smoke=Smoke("text/csv", "text/csv", ("x" * 1024 * kilobytes,)))


def test_a_release_that_would_not_fit_once_promoted_is_refused() -> None:
    with pytest.raises(
        Refused, match=r"v2 is too large to be tried: .* and the table takes 400\. Make its smoke inputs"
    ):
        begin(head(), submission(release=large("v2", 110)), NOW)


def test_what_is_queued_has_to_fit_too() -> None:
    live = started(policy=policy(on_new_release=OnNewRelease.QUEUE))

    with pytest.raises(Refused, match="v3 is too large to be tried"):
        begin(live, submission(release=large("v3", 170), nonce="2"), NOW)


def test_a_way_back_is_not_measured() -> None:
    back = replace(submission(release=large("v2", 170)), is_emergency=True)

    assert begin(head(), back, NOW).kind == "submitted"


def test_what_is_taken_still_fits_when_it_is_promoted_and_settled() -> None:
    old = replace(head(), champion=replace(head().champion, release=large("v1", 40)), previous=(large("v0", 40),))
    begun = begin(old, submission(release=large("v2", 40)), NOW).next
    promoted = promote(replace(begun, live=replace(begun.live, step=2, canary_parts=10_000)), NOW).next

    assert len(canonical(encode(promoted))) < TABLE_BYTES - RESERVE_BYTES
