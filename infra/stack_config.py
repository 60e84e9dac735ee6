"""The stack's configuration as one document, keys without a reader included: a typo must not silently weaken a guard."""

from __future__ import annotations

import json

from pulumi.runtime import get_config_env
from pulumi.runtime.config import CONFIG


def stack_document(namespace: str) -> dict[str, object]:
    """Every value under the namespace, by key. `pulumi.Config` reads keys it is told; only the runtime knows them all."""
    values = {**get_config_env(), **CONFIG.get()}
    prefix = f"{namespace}:"
    return {key.removeprefix(prefix): _parsed(value) for key, value in sorted(values.items()) if key.startswith(prefix)}


def _parsed(value: str) -> object:
    """Pulumi hands over text: JSON for anything structured, the bare word otherwise."""
    try:
        return json.loads(value)
    except ValueError:
        return value
