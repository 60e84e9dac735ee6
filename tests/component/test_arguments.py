"""What the component makes of its arguments: the configuration of a stack, read by the same rules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

from infra import packaged
from sluice.core.errors import BadInput
from tests.schema.documents import release_document


@pytest.fixture(autouse=True)
def _on_a_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi, "get_project", lambda: "sluice")
    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")


@pytest.fixture
def _with_an_event_loop() -> Iterator[None]:
    """Outputs are made on the loop of their thread, and other tests may have closed it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


def arguments(**endpoint: Any) -> Any:
    return {"endpoints": {"shop": {"release": release_document(), "policy": "demo", **endpoint}}}


def test_a_release_may_be_its_text_and_numbers_come_as_the_wire_has_them() -> None:
    given = packaged.spec_of(arguments(release=json.dumps(release_document()), instances=2.0))

    assert given == packaged.spec_of(arguments(instances=2))
    assert given.endpoints[0].instances == 2


def test_what_is_wrong_has_the_sentences_of_a_configuration() -> None:
    with pytest.raises(BadInput, match="endpoints.shop.instances: must be at least 1, got 0"):
        packaged.spec_of(arguments(instances=0.0))
    with pytest.raises(
        BadInput, match="endpoints.shop.release: must be the release document or its text, got 'v1.json'"
    ):
        packaged.spec_of(arguments(release="v1.json"))


@pytest.mark.usefixtures("_with_an_event_loop")
def test_what_is_known_only_later_is_refused() -> None:
    with pytest.raises(BadInput, match="must be known when the program runs"):
        packaged.spec_of(arguments(policy=pulumi.Output.from_input("demo")))
