"""Stack configurations to read, and the faults of those that are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sluice.core.errors import BadInput
from sluice.schema import StackSpec, parse_stack
from tests.schema.documents import release_document

REPOSITORY = Path(__file__).parents[2]
FILE = "Pulumi.dev.yaml: "
TRIAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/triage"


def endpoint(**changes: Any) -> dict[str, Any]:
    return {"release": release_document(), "policy": "demo", **changes}


def stack(root: Path = REPOSITORY, **document: Any) -> StackSpec:
    return parse_stack(document, root, "sluice", "dev")


def faults(root: Path = REPOSITORY, **document: Any) -> list[str]:
    with pytest.raises(BadInput) as refused:
        stack(root, **document)
    assert all(fault.startswith(FILE) for fault in refused.value.faults), refused.value.faults
    return [fault.removeprefix(FILE) for fault in refused.value.faults]
