"""The pack started once, and the real program's stack: as a first preview sees it, and as it stands after the first update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sluice.sandbox.engine.state import Record
from sluice.sandbox.sandbox import Sandbox
from sluice.sandbox.triage import train
from tests.compliance.analyzing import Analyzer, Previewing, started


@pytest.fixture(scope="session")
def pack() -> Iterator[Analyzer]:
    with started() as analyzer:
        yield analyzer


@dataclass(frozen=True)
class Real:
    """infra/__main__.py with one endpoint."""

    previewed: list[Record]
    standing: list[Record]


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Real:
    example = train(tmp_path_factory.mktemp("releases"))
    with Sandbox() as sandbox:
        example.upload(sandbox, "v1")
        sandbox.config["endpoints"] = example.endpoints("v1")
        sandbox.engine = engine = Previewing()
        sandbox.preview()
        previewed = engine.records
        sandbox.up()
        return Real(previewed, list(engine.state.resources.values()))


@pytest.fixture(scope="session")
def everything_on(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    """The first preview of a stack with all that is off by default."""
    example = train(tmp_path_factory.mktemp("releases"))
    with Sandbox() as sandbox:
        (endpoint,) = example.endpoints("v1").values()
        fallback = {"release": endpoint["release"], "instances": 1}
        sandbox.config["endpoints"] = {"triage": {**endpoint, "fallback": fallback}}
        sandbox.config |= {"drills": {"schedule": "rate(7 days)"}, "reach": ["other-*"]}
        sandbox.config["notifications"] = {"links": "4h", "collector": "https://collector.example.com/v1/traces"}
        sandbox.engine = engine = Previewing()
        sandbox.preview()
        return engine.records
