"""The JSON Schema of rollout policies, for editors. Says what single keys may hold; the order of steps is only in `policy`."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from sluice.schema.policy_document import Policy


class Untitled(GenerateJsonSchema):
    """Without pydantic's titles, which repeat each key in other letters."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False


def policy_schema() -> str:
    """As a text that is the same every time."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Policy.model_json_schema(schema_generator=Untitled),
    }
    return json.dumps(document, indent=2) + "\n"
