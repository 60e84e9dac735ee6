"""A stack whose programs run on moto."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.sandbox.stacks import Stack


@pytest.fixture
def stack() -> Iterator[Stack]:
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield Stack()
