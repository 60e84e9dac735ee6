"""The component's schema is inferred from its types, and what is checked in is what is inferred."""

from __future__ import annotations

import json
import os
import tomllib
from typing import Any

import pytest
from pulumi.provider.experimental.component import ComponentProvider

from infra.packaged import NAME, VERSION, Endpoint, Sluice, SluiceArgs
from sluice.sandbox.sandbox import REPOSITORY
from sluice.schema import stack_document

FILE = REPOSITORY / "component" / "schema.json"


def inferred() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(ComponentProvider([Sluice], NAME, None, VERSION).schema)
    return schema


@pytest.mark.golden
def test_the_schema_is_what_the_types_say() -> None:
    text = json.dumps(inferred(), indent=2) + "\n"
    if os.environ.get("SLUICE_GOLDEN") == "write":
        FILE.write_text(text, encoding="utf-8")

    assert FILE.read_text(encoding="utf-8") == text, "look at the difference, then `make golden`"


def test_the_component_takes_what_a_stacks_configuration_takes() -> None:
    assert set(SluiceArgs.__annotations__) == set(stack_document.Stack.model_fields)
    assert set(Endpoint.__annotations__) == set(stack_document.Endpoint.model_fields)


def test_its_version_is_the_projects() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]

    assert (project["name"], project["version"]) == (NAME, VERSION)


def test_every_property_says_what_it_means() -> None:
    schema = inferred()
    resource = schema["resources"]["sluice:index:Sluice"]
    described = [*resource["inputProperties"].values(), *resource["properties"].values()]
    described += [entry for made in schema["types"].values() for entry in made["properties"].values()]

    assert all(entry.get("description") for entry in described)
    assert "requiredInputs" not in resource or resource["requiredInputs"] == []
