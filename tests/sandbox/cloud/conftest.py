"""An empty account in virtual time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sluice.sandbox.cloud.cloud import Cloud
from tests.sandbox.deploying import START


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(START) as running:
        yield running
