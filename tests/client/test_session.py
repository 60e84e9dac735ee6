"""Calls as another role, with credentials that are asked for again before they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sluice.client import session_as

ROLE = "arn:aws:iam::210987654321:role/ward-asks"


class Sts:
    """Hands out numbered keys that are about to end."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def assume_role(self, RoleArn: str, RoleSessionName: str) -> dict[str, Any]:
        self.asked.append(RoleArn)
        ends = datetime.now(UTC) + timedelta(minutes=1)
        key = f"key-{len(self.asked)}"
        return {"Credentials": {"AccessKeyId": key, "SecretAccessKey": "s", "SessionToken": "t", "Expiration": ends}}


def test_credentials_are_the_roles_and_stay_fresh() -> None:
    sts = Sts()
    session = session_as(ROLE, "eu-west-1", sts)

    keys = [session.get_credentials().get_frozen_credentials().access_key for _ in range(2)]

    assert session.region_name == "eu-west-1"
    assert set(sts.asked) == {ROLE}
    assert keys == ["key-2", "key-3"], "with a minute left new ones are asked for"
