"""The other pages, followed in the sandbox as far as it goes; and every Python block is run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from sluice.client.access import invoke_document
from sluice.core.rollout import Phase
from sluice.sandbox.engine.program import ProgramFailed
from sluice.sandbox.sandbox import Sandbox
from sluice.sandbox.triage import ENDPOINT, Example, train
from tests.acceptance.conftest import on_stage
from tests.acceptance.test_adoption import THEIRS, make_endpoint
from tests.docs.walking import ROOT, Walk, blocks

DOCS = ROOT / "docs"
BASE = """
```yaml
config:
  aws:region: us-east-1
  sluice:endpoints:
    triage:
      release: build/triage/v1/release.json
      policy: demo
```
"""


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return train(tmp_path_factory.mktemp("releases") / "build" / "triage")


@pytest.fixture
def walk(example: Example, monkeypatch: pytest.MonkeyPatch) -> Iterator[Walk]:
    """A protected stack that serves v1."""
    monkeypatch.chdir(ROOT)
    with Sandbox() as sandbox:
        example.upload(sandbox, "v1", "v2")
        walk = Walk(sandbox, example)
        walk.follow(BASE + "```console\n$ pulumi up\n```\n")
        yield walk


def test_install_names_commands_that_are_there(example: Example) -> None:
    with Sandbox() as sandbox:
        Walk(sandbox, example).follow((DOCS / "install.md").read_text())


def test_upgrading_in_mid_rollout_as_the_page_says_moves_no_weight(walk: Walk) -> None:
    walk.sandbox.traffic(ENDPOINT, walk.example.load())
    walk.follow("release: build/triage/v2/release.json\n```console\n$ pulumi up\n# 14 minutes later\n```\n")
    rollout = walk.sandbox.head(ENDPOINT).live
    assert rollout is not None
    assert rollout.phase is Phase.BAKING
    calls = len(walk.sandbox.cloud.gate.made("UpdateEndpointWeightsAndCapacities"))

    walk.follow((DOCS / "upgrade.md").read_text())

    assert walk.ups[-1].changes == ()
    assert len(walk.sandbox.cloud.gate.made("UpdateEndpointWeightsAndCapacities")) == calls


def test_uninstalling_as_the_page_says_leaves_the_bootstrap_pair_and_nothing_that_serves(walk: Walk) -> None:
    with pytest.raises(ProgramFailed, match="protect"):
        walk.sandbox.destroy()

    walk.follow((DOCS / "uninstall.md").read_text())

    sagemaker = boto3.client("sagemaker")
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert len(sagemaker.list_models()["Models"]) == 1
    assert len(sagemaker.list_endpoint_configs()["EndpointConfigs"]) == 1
    assert boto3.client("lambda").list_functions()["Functions"] == []


def test_adopting_with_the_pages_configuration_moves_nothing(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with on_stage(example, THEIRS) as stage:
        make_endpoint(stage, "v1")
        stage.sandbox.run_until(lambda: False, 600)
        walk = Walk(stage.sandbox, example)
        walk.follow((DOCS / "adopting.md").read_text() + "\n```console\n$ pulumi up\n$ sluice status scoring\n```\n")

        assert stage.endpoint_calls() == ["CreateEndpoint"]
        assert "v1 (champion, slot AllTraffic) 100 %" in walk.shown["sluice status scoring"]


@pytest.mark.parametrize(
    "page", [page for page in sorted(DOCS.glob("*.md")) if "```python" in page.read_text()], ids=lambda page: page.name
)
def test_python_blocks_run(page: Path, walk: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [block.text for block in blocks(page.read_text()) if block.language == "python"]
    outputs = json.loads(json.dumps(walk.ups[-1].outputs, default=str))
    (tmp_path / "outputs.json").write_text(json.dumps(outputs))
    monkeypatch.chdir(tmp_path)
    for text in found:
        exec(compile(text, page.name, "exec"), {})


def test_the_invoke_policy_on_the_page_is_the_one_that_is_made() -> None:
    (shown,) = [block.text for block in blocks((DOCS / "exports.md").read_text()) if block.language == "json"]
    filled = {"endpoint_arn": "arn:aws:sagemaker:r:1:endpoint/e", "region": "r", "account": "1"}
    filled |= {"champion_parameter": "/p", "outcome_namespace": "n"}

    for word, value in filled.items():
        shown = shown.replace(f"<{word}>", value)
    assert json.loads(shown) == invoke_document("arn:aws:sagemaker:r:1:endpoint/e", "/p", "n")
