"""An AWS account with metrics, alarms and endpoints of ours installed; the clock stands at 12:10 and nothing has happened."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from sluice.sandbox.cloud.clock import Clock
from sluice.sandbox.meters import Meters
from tests.sandbox.releases import NOON, Account


@pytest.fixture
def clock() -> Iterator[Clock]:
    with Clock(NOON) as running, mock_aws():
        yield running


@pytest.fixture
def account(clock: Clock) -> Iterator[Account]:
    clock.run_for(600)
    meters = Meters(clock, lambda event: None)
    yield Account()
    meters.close()
