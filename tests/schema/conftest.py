"""A folder as a stack's configuration finds it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.schema.documents import release_document
from tests.schema.stacks import REPOSITORY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with the ready-made policies and one release."""
    shutil.copytree(REPOSITORY / "policies", tmp_path / "policies")
    (tmp_path / "v1.json").write_text(json.dumps(release_document()))
    return tmp_path
