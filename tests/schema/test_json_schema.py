"""policies/schema.json helps editors: fresh, named by the policies, and never stricter than what is read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice.schema.json_schema import policy_schema
from sluice.schema.yaml_core import CoreSchemaLoader

REPOSITORY = Path(__file__).parents[2]
FILE = REPOSITORY / "policies" / "schema.json"
READY_MADE = sorted((REPOSITORY / "policies" / "rollouts").glob("*.yaml"))
VALID = sorted((REPOSITORY / "tests" / "policies" / "valid").glob("*.yaml"))
INVALID = REPOSITORY / "tests" / "policies" / "invalid"
SEEN_BY_EDITORS = (
    "unknown_key_at_the_top",
    "unknown_key_in_a_step",
    "unknown_key_in_a_metric",
    "missing_keys",
    "version_wrong",
    "weight_zero",
    "weight_over_100",
    "weight_is_text",
    "weight_is_nothing",
    "duration_without_unit",
    "duration_negative_fraction_or_words",
    "percentage_without_sign",
    "rail_factor_of_one",
    "level_that_is_no_limit",
    "metric_of_unknown_kind",
    "min_samples_zero",
    "min_samples_fraction",
    "alarms_not_a_list",
    "too_many_steps",
    "steps_empty",
    "words_that_are_not_known",
)


@pytest.mark.golden
def test_the_file_is_what_the_models_say() -> None:
    if os.environ.get("SLUICE_GOLDEN") == "write":
        FILE.write_text(policy_schema(), encoding="utf-8")

    assert FILE.read_text(encoding="utf-8") == policy_schema(), "look at the difference, then `make golden`"


def test_it_can_be_printed() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "sluice.schema"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    assert run.stdout == policy_schema()


@pytest.mark.parametrize("file", READY_MADE, ids=lambda file: file.stem)
def test_every_ready_made_policy_names_it_for_the_editor(file: Path) -> None:
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", file.read_text(encoding="utf-8"))

    assert named, f"{file.name} does not begin with the editor's comment"
    assert (file.parent / named[1]).resolve() == FILE


@pytest.mark.parametrize("file", [*READY_MADE, *VALID], ids=lambda file: file.stem)
def test_what_is_read_is_also_valid_for_editors(file: Path) -> None:
    schema = json.loads(policy_schema())

    assert _fits(schema, _loaded(file), schema)


@pytest.mark.parametrize("name", SEEN_BY_EDITORS)
def test_an_editor_sees_what_is_wrong_with_a_single_value(name: str) -> None:
    schema = json.loads(policy_schema())

    assert not _fits(schema, _loaded(INVALID / f"{name}.yaml"), schema)


def test_every_key_is_explained() -> None:
    schema = json.loads(policy_schema())
    keys = [
        (owner, key, property_)
        for owner, part in [("policy", schema), *schema["$defs"].items()]
        for key, property_ in part["properties"].items()
    ]

    silent = [
        (owner, key) for owner, key, property_ in keys if "description" not in property_ and "$ref" not in property_
    ]

    assert [key for _, key in silent if key != "kind"] == []


def test_defaults_are_written_as_people_write_them() -> None:
    rollback = json.loads(policy_schema())["$defs"]["Rollback"]["properties"]

    assert {key: property_["default"] for key, property_ in rollback.items()} == {
        "target": "2m",
        "max_blind": "10m",
        "cooldown": "24h",
    }


def _loaded(file: Path) -> Any:
    return yaml.load(file.read_text(encoding="utf-8-sig"), Loader=CoreSchemaLoader)


KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, limit: value >= limit,
    "maximum": lambda value, limit: value <= limit,
    "exclusiveMinimum": lambda value, limit: value > limit,
    "exclusiveMaximum": lambda value, limit: value < limit,
    "minItems": lambda value, limit: len(value) >= limit,
    "maxItems": lambda value, limit: len(value) <= limit,
    "maxProperties": lambda value, limit: len(value) <= limit,
    "pattern": lambda value, limit: re.search(limit, value) is not None,
    "enum": lambda value, words: value in words,
    "const": lambda value, word: value == word,
    "required": lambda value, keys: set(keys) <= value.keys(),
}
SAY_NOTHING = {"$schema", "$defs", "title", "description", "default", "examples", "discriminator", "type"}
LEAD_ON = {"anyOf", "oneOf", "items", "properties", "patternProperties", "additionalProperties"}


def _fits(schema: Any, value: Any, root: Any) -> bool:
    """As much of JSON Schema as the file uses; an unknown word fails, so that nothing is overlooked."""
    if "$ref" in schema:
        return _fits(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root)
    assert schema.keys() <= CHECKS.keys() | SAY_NOTHING | LEAD_ON, f"{schema.keys()} are not all checked here"
    if "type" in schema and not _is_of(schema["type"], value):
        return False
    return (
        all(CHECKS[word](value, wanted) for word, wanted in schema.items() if word in CHECKS)
        and all(
            any(_fits(option, value, root) for option in schema[word]) for word in ("anyOf", "oneOf") if word in schema
        )
        and all(_fits(schema["items"], item, root) for item in (value if "items" in schema else ()))
        and all(
            _entry_fits(schema, key, item, root) for key, item in (value.items() if isinstance(value, dict) else ())
        )
    )


def _is_of(kind: str, value: Any) -> bool:
    """For Python, True is a whole number."""
    return isinstance(value, KINDS[kind]) and isinstance(value, bool) == (kind == "boolean")


def _entry_fits(schema: Any, key: str, value: Any, root: Any) -> bool:
    if key in schema.get("properties", {}):
        return _fits(schema["properties"][key], value, root)
    inner = [part for pattern, part in schema.get("patternProperties", {}).items() if re.search(pattern, key)]
    return all(_fits(part, value, root) for part in inner) and schema.get("additionalProperties", True)
