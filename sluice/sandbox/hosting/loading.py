"""From a model.tar.gz to code that can answer, in SageMaker's script-mode convention.

Decides where inference.py is found, how it is imported beside other releases, and which handlers stand in for those it
lacks. Serving requests is left to `serving`; what the execution role may read, to the given `fetch`.
"""

import hashlib
import importlib
import importlib.util
import io
import itertools
import json
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from sluice.sandbox import environs

MOUNT = "/opt/ml/model"
"""Where SageMaker unpacks an artifact; paths under it are read as paths in our directory."""

CSV, JSON = "text/csv", "application/json"

Fetch = Callable[[str, str], bytes]
"""(S3 URL, execution role ARN) -> the object's bytes; any exception means the artifact cannot be had."""


class LoadFault(Exception):
    """A container that would not pass SageMaker's health check; the message becomes FailureReason."""


class UnsupportedContentType(ValueError):
    """A handler was given a format it does not read: HTTP 415."""


class UnsupportedAccept(ValueError):
    """A handler was asked for a format it does not write: HTTP 406."""


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """What a SageMaker model says about its container."""

    model_name: str
    image: str
    data_url: str
    environment: Mapping[str, str] = field(default_factory=dict)
    role_arn: str = ""


@dataclass(frozen=True, slots=True)
class Handlers:
    """The four functions of script mode, the release's own or SageMaker's defaults, and the loaded model."""

    model: Any
    input_fn: Callable[[Any, str], Any]
    predict_fn: Callable[[Any, Any], Any]
    output_fn: Callable[[Any, str], Any]


class Program:
    """One imported inference.py with its own directory, environment and sibling modules."""

    _imported = itertools.count(1)

    def __init__(self, spec: ContainerSpec, directory: Path) -> None:
        self.spec = spec
        self.directory = directory
        self._siblings: dict[str, ModuleType] = {}
        self._script = _script(spec, directory)
        self._environ = environs.encoded({**spec.environment, "SM_MODEL_DIR": str(directory)})
        self.handlers = self._load()

    def _load(self) -> Handlers:
        name = f"sluice_container_{next(self._imported)}"
        found = importlib.util.spec_from_file_location(name, self._script)
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        importlib.invalidate_caches()
        with self.inside():
            try:
                found.loader.exec_module(module)
                return _handlers(module, self.directory)
            except LoadFault:
                raise
            except Exception as error:  # whatever the release's own code raises keeps its container from starting
                raise LoadFault(f"model {self.spec.model_name!r}: {type(error).__name__}: {error}") from error

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Run with the container's environment, import path and modules; what it imports stays its own."""
        before_path, outside, before = list(sys.path), environs.taken(), len(sys.modules)
        sys.path.insert(0, str(self._script.parent))
        environs.put({**outside, **self._environ})
        hidden = {name: sys.modules.pop(name) for name in self._siblings if name in sys.modules}
        before -= len(hidden)
        sys.modules.update(self._siblings)
        try:
            yield
        finally:
            self._take_out(len(sys.modules) - before)
            sys.modules.update(hidden)
            sys.path[:] = before_path
            environs.put(outside)

    def _take_out(self, added: int) -> None:
        """Remove the container's own modules from the newest entries of sys.modules (a dict keeps its order)."""
        for name in list(itertools.islice(reversed(sys.modules), max(added, 0))):
            path = getattr(sys.modules[name], "__file__", None)
            if path and Path(path).is_relative_to(self.directory):
                self._siblings[name] = sys.modules.pop(name)


class Artifacts:
    """Unpacked artifacts, one directory per content; `close` removes them."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._root: Path | None = None

    def load(self, spec: ContainerSpec) -> Program:
        """Fetch, unpack and import a container afresh. LoadFault where SageMaker's health check would fail."""
        try:
            packed = self._fetch(spec.data_url, spec.role_arn)
        except Exception as error:  # a missing key, a denied read: for the endpoint it is the same fault
            raise LoadFault(f"model {spec.model_name!r}: cannot read {spec.data_url}: {error}") from error
        return Program(spec, self._unpacked(spec, packed))

    def _unpacked(self, spec: ContainerSpec, packed: bytes) -> Path:
        if self._root is None:
            self._root = Path(tempfile.mkdtemp(prefix="sluice-models-"))
        directory = self._root / hashlib.sha256(packed).hexdigest()[:24]
        if directory.exists():
            return directory
        unfinished = directory.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
                archive.extractall(unfinished, filter="data")
        except (tarfile.TarError, OSError, EOFError) as error:
            fault = f"model {spec.model_name!r}: {spec.data_url} is no readable model.tar.gz: {error}"
            raise LoadFault(fault) from error
        unfinished.rename(directory)
        return directory

    def close(self) -> None:
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)
            self._root = None


def _script(spec: ContainerSpec, directory: Path) -> Path:
    """The entry point: SAGEMAKER_PROGRAM in SAGEMAKER_SUBMIT_DIRECTORY, by default code/inference.py."""
    program = spec.environment.get("SAGEMAKER_PROGRAM", "inference.py")
    submit = spec.environment.get("SAGEMAKER_SUBMIT_DIRECTORY", f"{MOUNT}/code").removeprefix("file://")
    if submit != MOUNT and not submit.startswith(f"{MOUNT}/"):
        raise LoadFault(
            f"model {spec.model_name!r}: SAGEMAKER_SUBMIT_DIRECTORY {submit!r} is not under {MOUNT}: "
            "the sandbox serves code that is inside model.tar.gz"
        )
    script = directory / submit.removeprefix(MOUNT).lstrip("/") / program
    if not script.resolve().is_relative_to(directory.resolve()) or not script.is_file():
        raise LoadFault(f"model {spec.model_name!r}: model.tar.gz has no {script.relative_to(directory)}")
    return script


def _handlers(module: ModuleType, directory: Path) -> Handlers:
    if hasattr(module, "transform_fn"):
        raise LoadFault("inference.py defines transform_fn; the sandbox serves input_fn, predict_fn and output_fn")
    if not hasattr(module, "model_fn"):
        raise LoadFault("inference.py defines no model_fn(model_dir)")
    model = module.model_fn(str(directory))
    return Handlers(
        model,
        getattr(module, "input_fn", read_array),
        getattr(module, "predict_fn", predict),
        getattr(module, "output_fn", write_array),
    )


def read_array(body: str | bytes, content_type: str) -> Any:
    """SageMaker's default input_fn, for CSV and JSON: an array with one row per line or list."""
    text = body.decode() if isinstance(body, bytes) else body
    if content_type == CSV:
        lines = [line for line in text.splitlines() if line.strip()]
        width = lines[0].count(",")
        if any(line.count(",") != width for line in lines):
            raise ValueError("the rows of the CSV body do not have the same number of columns")
        return np.array(list(map(float, ",".join(lines).split(",")))).reshape(len(lines), width + 1)
    if content_type == JSON:
        return np.array(json.loads(text))
    raise UnsupportedContentType(f"content type {content_type!r} is not supported (use {CSV} or {JSON})")


def predict(data: Any, model: Any) -> Any:
    """SageMaker's default predict_fn."""
    return model.predict(data)


def write_array(prediction: Any, accept: str) -> str:
    """SageMaker's default output_fn, for CSV and JSON: one line or entry per row."""
    rows = np.asarray(prediction).tolist()
    if accept == CSV:
        return "\n".join(",".join(map(str, row)) if isinstance(row, list) else str(row) for row in rows)
    if accept == JSON:
        return json.dumps(rows)
    raise UnsupportedAccept(f"accept type {accept!r} is not supported (use {CSV} or {JSON})")
