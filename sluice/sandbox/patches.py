"""Putting something else in a place of moto's or botocore's, and back. What is put where, the modules named `..._hooks` say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Undo = Callable[[], None]


def replaced(owner: Any, name: str, value: Any) -> Undo:
    """Set an attribute. It is read from `__dict__`, so that what was inherited is not written down as the class's own."""
    present, original = name in vars(owner), vars(owner).get(name)
    setattr(owner, name, value)

    def undo() -> None:
        if present:
            setattr(owner, name, original)
        else:
            delattr(owner, name)

    return undo


def told_after(owner: Any, name: str, told: Callable[[Any], None]) -> Undo:
    """told(object) after every call of a method that takes nothing else, also one that fails."""
    original = getattr(owner, name)

    def telling(of: Any) -> Any:
        try:
            return original(of)
        finally:
            told(of)

    return replaced(owner, name, telling)


def all_of(*undos: Undo) -> Undo:
    """One undo for several, the last one first."""

    def undo() -> None:
        for one in reversed(undos):
            one()

    return undo
