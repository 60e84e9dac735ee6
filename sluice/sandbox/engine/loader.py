"""Loads a Pulumi program from its folder the way Pulumi's Python language host does.

Decides what `import` finds: the folder comes first, and its modules are read anew for every run.
"""

from __future__ import annotations

import importlib
import os
import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType


def from_folder(folder: Path) -> Callable[[], None]:
    """A program that runs `folder/__main__.py` with the folder as working directory and first on sys.path."""
    main = folder / "__main__.py" if folder.is_dir() else folder
    if not main.is_file():
        raise FileNotFoundError(f"{main}: there is no Pulumi program here (expected __main__.py)")

    def program() -> None:
        os.chdir(main.parent)
        with _own_modules(main.parent.resolve()):
            runpy.run_path(str(main), run_name="__main__")

    return program


@contextmanager
def _own_modules(folder: Path) -> Iterator[None]:
    """The folder's modules belong to one run: a module changed between runs is read again, and none is left behind."""
    names = {entry.stem for entry in folder.iterdir() if entry.suffix == ".py" or (entry / "__init__.py").is_file()}
    hidden = _taken(names)
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # a cached copy may be as old as the edit is young
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = writes
        _taken(names)
        sys.modules.update(hidden)


def _taken(names: set[str]) -> dict[str, ModuleType]:
    """Take every module with one of these top-level names out of sys.modules. `__main__` stays: runpy needs it."""
    mine = [name for name in sys.modules if name.partition(".")[0] in names - {"__main__", "__init__"}]
    return {name: sys.modules.pop(name) for name in mine}
