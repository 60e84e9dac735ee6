"""The schemas of the event bus: checked in, fresh, and true of the examples that the documentation shows."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sluice.core.messages import DETAIL_TYPES
from sluice.schema.event_schema import event_schemas, example_document, examples, file_name

FOLDER = Path(__file__).parents[2] / "schemas" / "events"


@pytest.mark.golden
def test_the_schemas_are_fresh() -> None:
    if os.environ.get("SLUICE_GOLDEN") == "write":
        for name, text in event_schemas().items():
            (FOLDER / name).write_text(text)

    assert {file.name: file.read_text() for file in FOLDER.glob("*.json")} == event_schemas(), "run `make golden`"


@pytest.mark.parametrize("kind", DETAIL_TYPES, ids=lambda kind: kind.__name__)
def test_each_example_is_what_its_schema_says(kind: type) -> None:
    (example,) = [message for message in examples() if isinstance(message, kind)]
    schema = json.loads(event_schemas()[file_name(kind)])

    Draft202012Validator.check_schema(schema)
    assert list(Draft202012Validator(schema).iter_errors(example_document(example))) == []


def test_a_message_without_its_id_or_with_another_version_is_not_valid() -> None:
    (example, *_) = examples()
    schema = Draft202012Validator(json.loads(event_schemas()[file_name(type(example))]))
    whole = example_document(example)
    without = {**whole, "detail": {key: value for key, value in whole["detail"].items() if key != "id"}}
    newer = {**whole, "detail": {**whole["detail"], "schema": 2}}

    assert [error.message for error in schema.iter_errors(without)] == ["'id' is a required property"]
    assert [error.message for error in schema.iter_errors(newer)] == ["1 was expected"]


def test_names_that_others_filter_by_stay() -> None:
    assert list(DETAIL_TYPES.values()) == [
        "Sluice Rollout Phase Change",
        "Sluice Rollout Activity",
        "Sluice Endpoint Change",
        "Sluice Notice",
    ]
