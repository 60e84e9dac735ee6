"""first-rollout.md, followed to its end in the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice.core.rollout import Phase
from sluice.sandbox.sandbox import Sandbox
from sluice.sandbox.triage import ENDPOINT, train
from tests.docs.walking import ROOT, Walk

PAGE = (ROOT / "docs/first-rollout.md").read_text()


def test_the_page_followed_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    example = train(tmp_path / "build" / "triage")
    with Sandbox() as sandbox:
        example.upload(sandbox, "v1", "v2")
        walk = Walk(sandbox, example)
        before, after_first_up = PAGE.split("## 4. A second release")

        walk.follow(before)
        assert sandbox.head(ENDPOINT).champion.release.name == "v1"
        sandbox.traffic(ENDPOINT, example.load())
        second, last = after_first_up.split("## 5. Taking one back")

        walk.follow(second)
        assert sandbox.head(ENDPOINT).champion.release.name == "v2"
        assert "v2 in slot green" in walk.shown["sluice status dev-triage"] or sandbox.head(ENDPOINT).live is None
        taking_back, away = last.split("## 6. Away again")

        walk.follow(taking_back)
        outcome = sandbox.head(ENDPOINT).outcome
        assert outcome is not None
        assert (outcome.release_name, outcome.phase) == ("v1", Phase.ROLLED_BACK)
        assert sandbox.head(ENDPOINT).champion.release.name == "v2"

        walk.follow(away)
        assert sandbox.meters.endpoints.routes(ENDPOINT) == []
