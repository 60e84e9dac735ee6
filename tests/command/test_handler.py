"""What the command function refuses before it touches anything."""

from __future__ import annotations

import pytest

from lambdas.command import handler
from sluice.core.errors import BadInput


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ({"action": "status"}, "endpoint: must be an endpoint's name, got None"),
        (
            {"action": "promote", "endpoint": "shop"},
            "action: must be status, history, explain, abort, rollback or fall_back, got 'promote'",
        ),
        ({"action": "history", "endpoint": "shop", "limit": "5"}, "limit: must be a whole number, got '5'"),
        ({"action": "history", "endpoint": "shop", "before": True}, "before: must be a whole number, got True"),
    ],
)
def test_bad_input_is_named(event: dict[str, object], fault: str) -> None:
    with pytest.raises(BadInput) as caught:
        handler(event, None)

    assert caught.value.faults == (fault,)
