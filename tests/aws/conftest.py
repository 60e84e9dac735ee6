"""moto around every test of the adapters: request shapes are proven against botocore's models and moto's answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from sluice.aws.clients import client, once


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client.cache_clear()
        once.cache_clear()
        yield
    client.cache_clear()
    once.cache_clear()
