"""The process's environment taken and put back as a whole, thousands of times: whoever runs in the sandbox has one of its own.

`os.environ` decodes and encodes every variable it is asked for; here they stay as it holds them (CPython's `_data`, on POSIX bytes).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

Environ = dict[Any, Any]
"""Variables as `os.environ` holds them."""


def _held() -> Environ:
    held: Environ = os.environ._data  # type: ignore[attr-defined]
    return held


def taken() -> Environ:
    """A copy of the environment as it is."""
    return _held().copy()


def encoded(variables: Mapping[str, str]) -> Environ:
    """What `put` takes, of plain variables."""
    encode_name, encode_value = os.environ.encodekey, os.environ.encodevalue
    return {encode_name(name): encode_value(value) for name, value in variables.items()}


def put(wanted: Environ) -> None:
    """Make the environment what is wanted, also for what the process starts; touches only what differs."""
    held = _held()
    for name in held.keys() - wanted.keys():
        del held[name]
        os.unsetenv(name)
    for name, value in wanted.items():
        if held.get(name) != value:
            held[name] = value
            os.putenv(name, value)
