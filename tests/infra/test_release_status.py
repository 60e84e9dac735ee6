"""What the person who runs `pulumi up` is told about each endpoint."""

from __future__ import annotations

import json
from typing import Any

from infra.release_status import Weight, read_status, remark
from tests.infra.stacks import STATUS, endpoint

DESIRED = endpoint().release
OTHER = "0" * 64


def told(**status: Any) -> tuple[str, str] | None:
    said = remark("shop", DESIRED, "1", read_status(json.dumps({**STATUS, **status})))
    return (said.weight.value, said.sentence) if said else None


def rollout(digest: str, release: str = "v1") -> dict[str, Any]:
    return {
        "id": "shop-1",
        "release": release,
        "digest": digest,
        "phase": "baking",
        "step": 1,
        "steps": 5,
        "canary_parts": 500,
        "because": "v1 serves 5 %",
    }


def outcome(phase: str) -> dict[str, Any]:
    return {
        "rollout_id": "shop-1",
        "release_name": "v1",
        "release_digest": DESIRED.digest,
        "nonce": "1",
        "phase": phase,
        "because": "errors went up",
        "ended_at": 1000,
    }


def test_nothing_is_said_when_the_desired_release_serves():
    assert told() is None
    assert told(last_outcome=outcome("settled")) is None


def test_a_rollout_on_its_way_is_good_news():
    assert told(live={"release": "v0", "digest": OTHER}, rollout=rollout(DESIRED.digest)) == (
        Weight.INFO,
        "shop: v1 is being rolled out (baking, 5 %): v1 serves 5 %",
    )


def test_a_rollout_of_something_else_is_a_warning():
    level, sentence = told(rollout=rollout(OTHER, "v2")) or ("", "")

    assert level == Weight.WARNING
    assert sentence.startswith("shop: v2 is being rolled out (baking) but the configuration asks for v1.")


def test_a_rolled_back_release_is_named_with_its_cause_and_what_to_do():
    assert told(live={"release": "v0", "digest": OTHER}, last_outcome=outcome("rolled_back")) == (
        Weight.WARNING,
        "shop: v0 serves, because v1 ended as rolled_back: errors went up. Set `release` to a fixed one or back to v0; "
        "to try v1 again on purpose, change `nonce` (now '1').",
    )


def test_a_difference_without_a_rollout_is_a_warning():
    level, sentence = told(live={"release": "v0", "digest": OTHER}) or ("", "")

    assert level == Weight.WARNING
    assert sentence.startswith("shop: v0 serves but the configuration asks for v1, and no rollout is live.")
