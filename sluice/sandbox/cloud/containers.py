"""Lambda execution environments: code from the deployed zip, with modules, environment and logging of its own.

Decides what a handler finds around it; leaves when it runs and what its answer means to `functions`.
"""

from __future__ import annotations

import atexit
import compileall
import importlib
import io
import logging
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from sluice.sandbox import environs

# What the python runtime brings besides the standard library: boto3 and what it needs.
_RUNTIME_PACKAGES = frozenset({"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six", "certifi"})
_LOG_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(message)s"


class HandlerNotFound(Exception):
    """The module has no attribute of the handler's name."""


@dataclass(frozen=True, slots=True)
class Code:
    """An unpacked zip: its folder and the names of its top-level packages and modules."""

    root: Path
    names: frozenset[str]


@lru_cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="sluice-functions-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@lru_cache
def unpack(digest: str, zipped: bytes) -> Code:
    """Unpack once per process and content, and compile, also where PYTHONDONTWRITEBYTECODE is set: cold starts are many."""
    root = _folder() / digest
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        archive.extractall(root)
        parts = {Path(name).parts[0] for name in archive.namelist()}
    compileall.compile_dir(root, quiet=2)  # what does not compile says so when it is imported
    return Code(root, frozenset(name for part in parts if (name := part.removesuffix(".py")).isidentifier()))


class _Output(io.TextIOBase):
    """stdout and stderr of a container: whole lines go to `written`."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self._open = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._open = (self._open + text).split("\n")
        self.written.extend(lines)
        return len(text)

    def take(self) -> list[str]:
        """What was written since the last take, an unfinished line included."""
        lines, self.written = self.written + ([self._open] if self._open else []), []
        self._open = ""
        return lines


@dataclass(slots=True)
class _Surroundings:
    """The process-wide state that an active container replaces."""

    modules: dict[str, ModuleType]
    path: list[str]
    finders: list[Any]
    environ: environs.Environ
    stdout: TextIO
    stderr: TextIO
    log_root: logging.RootLogger
    log_manager: logging.Manager


class Container:
    """One execution environment. `load` is its cold start; active only between `enter` and `leave`."""

    def __init__(self, code: Code, handler: str, environment: Mapping[str, str]) -> None:
        self._code = code
        self._handler_name = handler
        self._environ = environs.encoded(environment)
        self._modules: dict[str, ModuleType] = {}
        self._outside: _Surroundings | None = None
        self._handler: Callable[[Any, Any], Any] | None = None
        self.output = _Output()
        self._log_root = logging.RootLogger(logging.WARNING)
        self._log_manager = logging.Manager(self._log_root)
        self._add_log_handler()

    def load(self) -> None:
        """Import the handler as Lambda would: nothing but the zip, the standard library and boto3 can be imported."""
        module_name, _, function = self._handler_name.rpartition(".")
        with self._only_what_ships():
            module = importlib.import_module(module_name)
        self._handler = getattr(module, function, None)
        if self._handler is None:
            raise HandlerNotFound(f"Handler '{function}' missing on module '{module_name}'")

    @property
    def loaded(self) -> bool:
        return self._handler is not None

    def call(self, event: Any, context: Any) -> Any:
        if self._handler is None:
            raise RuntimeError(f"{self._handler_name} was called before its container was loaded")
        return self._handler(event, context)

    def enter(self) -> None:
        """Take over modules, path, environment, output and loggers of the process."""
        self._outside = _Surroundings(
            modules=_take_modules(self._code.names),
            path=sys.path[:],
            finders=sys.meta_path[:],
            environ=environs.taken(),
            stdout=sys.stdout,
            stderr=sys.stderr,
            log_root=logging.root,
            log_manager=logging.Logger.manager,
        )
        _put_modules(self._code.names, self._modules)
        sys.path.insert(0, str(self._code.root))
        # An editable install would answer for modules that the zip left out.
        sys.meta_path[:] = [f for f in sys.meta_path if "Editable" not in getattr(f, "__name__", type(f).__name__)]
        environs.put(self._environ)
        sys.stdout = sys.stderr = self.output
        _set_loggers(self._log_root, self._log_manager)

    def leave(self) -> None:
        """Give the process back what `enter` took, and keep what the handler changed for the next invocation."""
        outside, self._outside = self._outside, None
        if outside is None:
            raise RuntimeError(f"the container of {self._handler_name} is not active")
        self._environ = environs.taken()
        self._modules = _take_modules(self._code.names)
        _put_modules(self._code.names, outside.modules)
        sys.path[:], sys.meta_path[:] = outside.path, outside.finders
        environs.put(outside.environ)
        sys.stdout, sys.stderr = outside.stdout, outside.stderr
        _set_loggers(outside.log_root, outside.log_manager)

    @contextmanager
    def _only_what_ships(self) -> Iterator[None]:
        allowed = sys.stdlib_module_names | self._code.names | _RUNTIME_PACKAGES
        hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] not in allowed}
        finder = _OnlyThese(allowed)
        sys.meta_path.insert(0, finder)
        try:
            yield
        finally:
            sys.meta_path.remove(finder)
            sys.modules.update(hidden)

    def _add_log_handler(self) -> None:
        handler = logging.StreamHandler(self.output)
        handler.setFormatter(logging.Formatter(_LOG_FORMAT, "%Y-%m-%dT%H:%M:%S"))
        self._log_root.addHandler(handler)


class _OnlyThese:
    """An import finder that refuses every other top-level name, as an environment without it would."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> None:
        if name.partition(".")[0] not in self._allowed:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


class Stage:
    """Which containers are active, innermost last. A guard of the clock: whoever parks leaves its containers."""

    def __init__(self) -> None:
        self._active: list[Container] = []

    @contextmanager
    def entered(self, container: Container) -> Iterator[None]:
        container.enter()
        self._active.append(container)
        try:
            yield
        finally:
            self._active.pop()
            container.leave()

    def suspend(self) -> Callable[[], None]:
        left, self._active = self._active, []
        for container in reversed(left):
            container.leave()

        def resume() -> None:
            for container in left:
                container.enter()
            self._active = left

        return resume


@dataclass(slots=True)
class _Known:
    """What is known of sys.modules and the packages of a zip: all names looked at so far, in order those that are theirs,
    what sys.modules was like when theirs were last put in, and which those were."""

    seen: set[str] = field(default_factory=set)
    theirs: dict[str, None] = field(default_factory=dict)
    left_as: tuple[int, str] | None = None
    put: tuple[str, ...] = ()


_known: dict[frozenset[str], _Known] = {}
"""By the packages of a zip."""


def _look() -> tuple[int, str]:
    """What changes with every import: how many modules there are, and the newest (a dict keeps its order)."""
    return len(sys.modules), next(reversed(sys.modules))


def _take_modules(names: frozenset[str]) -> dict[str, ModuleType]:
    """Take the modules of these packages out of sys.modules; its thousands are looked at only after an import."""
    known = _known.setdefault(names, _Known())
    there: Iterable[str] = known.put
    if _look() != known.left_as:
        fresh = sys.modules.keys() - known.seen
        known.seen |= fresh
        known.theirs.update(dict.fromkeys(sorted(name for name in fresh if name.partition(".")[0] in names)))
        there = [name for name in known.theirs if name in sys.modules]
    return dict(zip(there, map(sys.modules.pop, there), strict=True))


def _put_modules(names: frozenset[str], modules: Mapping[str, ModuleType]) -> None:
    sys.modules.update(modules)
    _known[names].left_as, _known[names].put = _look(), tuple(modules)


def _set_loggers(root: logging.RootLogger, manager: logging.Manager) -> None:
    logging.root = logging.Logger.root = root
    logging.Logger.manager = manager
