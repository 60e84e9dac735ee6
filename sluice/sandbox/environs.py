"""The environment of whoever runs in the sandbox, exchanged as a whole, thousands of times.

What is exchanged is what `os.environ` holds, not the C library's own list below it: setting that one name by name took a twelfth of a
day's time. What is started sees `os.environ` all the same.
"""

from __future__ import annotations

import inspect
import os
import subprocess
from collections.abc import Mapping
from typing import Any

from sluice.sandbox.patches import Undo, replaced

Environ = dict[Any, Any]
"""Variables as `os.environ` holds them: encoded, and in CPython's `_data`."""


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
    """Make the environment what is wanted."""
    held = _held()
    if held != wanted:
        held.clear()
        held.update(wanted)


def install_started_processes() -> Undo:
    """A process that `subprocess` starts without an environment of its own gets what `os.environ` says: nobody's but that of whoever
    runs at the moment."""
    original = subprocess.Popen.__init__
    parameters = inspect.signature(original)

    def started(process: Any, *args: Any, **named: Any) -> None:
        call = parameters.bind(process, *args, **named)
        if call.arguments.get("env") is None:
            call.arguments["env"] = dict(os.environ)
        original(*call.args, **call.kwargs)

    return replaced(subprocess.Popen, "__init__", started)
