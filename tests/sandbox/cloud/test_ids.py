from __future__ import annotations

import uuid

import pytest

from sluice.sandbox.cloud.ids import id_of


@pytest.mark.parametrize("name", [f"event/{number}" for number in range(8)])
def test_an_id_is_the_uuid_of_its_name(name: str) -> None:
    assert id_of(name) == str(uuid.uuid5(uuid.NAMESPACE_URL, f"sluice/sandbox/{name}"))
