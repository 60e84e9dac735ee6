"""Pulumi.dev.yaml is an example people copy, so it is valid."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec

import yaml

from infra.preflight import check
from sluice.schema import parse_stack
from tests.infra.stacks import NAMES, REPOSITORY, release_document


def test_the_example_stack_is_valid(tmp_path):
    config = yaml.safe_load((REPOSITORY / "Pulumi.dev.yaml").read_text(encoding="utf-8"))["config"]
    document = {key.removeprefix("sluice:"): value for key, value in config.items() if key.startswith("sluice:")}
    shutil.copytree(REPOSITORY / "policies", tmp_path / "policies")
    release = tmp_path / document["endpoints"]["triage"]["release"]
    release.parent.mkdir(parents=True)
    release.write_text(json.dumps(release_document()), encoding="utf-8")
    stack = parse_stack(document, tmp_path, "sluice", "dev")
    check(NAMES, stack)

    assert [endpoint.endpoint_name for endpoint in stack.endpoints] == ["dev-triage"]
    assert not stack.protect


def test_the_program_is_the_infra_folder():
    project = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text(encoding="utf-8"))

    assert (project["name"], project["main"]) == ("sluice", "infra")


def test_no_module_of_the_program_shadows_another():
    """Under `pulumi up` the folder comes first on sys.path."""
    names = [file.stem for file in (REPOSITORY / "infra").glob("*.py") if not file.stem.startswith("__")]

    assert [name for name in names if find_spec(name) is not None] == []
