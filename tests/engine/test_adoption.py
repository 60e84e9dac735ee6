"""A running endpoint that somebody else made is taken over by `pulumi up`: under either engine no weight moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sluice.sandbox.sandbox import Sandbox
from sluice.sandbox.triage import Example
from tests.acceptance.conftest import Stage, on_stage
from tests.acceptance.test_adoption import ADOPTED, THEIRS, make_endpoint, status


@pytest.fixture
def theirs(example: Example, put_in: Callable[[Sandbox], None]) -> Iterator[Stage]:
    """v1 serves from an endpoint made without Sluice, and clients send."""
    with on_stage(example, THEIRS) as made:
        put_in(made.sandbox)
        make_endpoint(made, "v1")
        assert made.sandbox.run_until(lambda: status() == "InService", 3600)
        made.send()
        yield made


def test_adopting_a_running_endpoint_moves_no_weight(theirs: Stage) -> None:
    before = theirs.endpoint_calls()

    result = theirs.up("v1", **ADOPTED)

    assert theirs.endpoint_calls() == before == ["CreateEndpoint"]
    assert theirs.canary_weight("AllTraffic") == 1
    assert not [step for step in result.changes if step.type.startswith("aws:sagemaker/")]
    assert (theirs.head.champion.slot, theirs.head.champion.release.name) == ("AllTraffic", "v1")
    assert theirs.up("v1", **ADOPTED).changes == ()
    assert theirs.endpoint_calls() == before
