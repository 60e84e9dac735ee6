"""Files in a program (assets and archives) as bytes, a zip that is the same for the same content, and a hash.

Decides the layout of the zip: names sorted, one fixed time, one fixed mode. Who uploads it is left to the caller.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sluice.sandbox.engine.wire import ARCHIVE, ASSET, SIGNATURE, UNKNOWN, is_file

_TIME = (1980, 1, 1, 0, 0, 0)  # the oldest a zip can say; Lambda does not look at it
_MODE = 0o644 << 16


class UnusableFile(Exception):
    """An asset or archive the sandbox cannot read; the message says which and what to do."""


def with_hashes(value: Any) -> Any:
    """The value with the content hash inside every asset and archive: that, not the path, is what is compared."""
    if is_file(value):
        return {**value, "hash": _hash(value)}
    if isinstance(value, dict):
        return {name: with_hashes(item) for name, item in value.items()}
    return [with_hashes(item) for item in value] if isinstance(value, list) else value


def _hash(value: dict[str, Any]) -> str:
    if value[SIGNATURE] == ASSET:
        return hashlib.sha256(content(value)).hexdigest()
    digest = hashlib.sha256()
    for name, data in sorted(_members(value)):
        digest.update(f"{name}\0{hashlib.sha256(data).hexdigest()}\n".encode())
    return digest.hexdigest()


def content(value: Any) -> bytes:
    """The bytes of an asset; an archive as a zip."""
    if value[SIGNATURE] == ARCHIVE:
        return zipped(value)
    if "text" in value:
        return str(value["text"]).encode()
    if "path" not in value:
        raise UnusableFile(
            f"asset from {value.get('uri')!r}: the sandbox fetches nothing. Use a FileAsset or StringAsset"
        )
    return _read(Path(value["path"]))


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise UnusableFile(f"asset {str(path)!r}: there is no such file (looked in {Path.cwd()})")
    return path.read_bytes()


def zipped(archive: dict[str, Any]) -> bytes:
    path = archive.get("path")
    if path is not None and Path(path).is_file() and str(path).endswith(".zip"):
        return Path(path).read_bytes()  # handed on as it is: its own hash may be asked for elsewhere
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in sorted(_members(archive)):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, _MODE
            bundle.writestr(entry, data)
    return buffer.getvalue()


def _members(archive: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    if "assets" in archive:
        for name, item in archive["assets"].items():
            yield from _member(name, item)
    elif "path" in archive:
        yield from _files(Path(archive["path"]))
    else:
        raise UnusableFile(f"archive from {archive.get('uri')!r}: the sandbox fetches nothing. Use a FileArchive")


def _member(name: str, item: Any) -> Iterator[tuple[str, bytes]]:
    if item == UNKNOWN:
        yield name, b"unknown until the update"
    elif not is_file(item):
        raise UnusableFile(f"archive member {name!r}: expected an asset or archive, got {type(item).__name__}")
    elif item[SIGNATURE] == ASSET:
        yield name, content(item)
    else:
        yield from ((f"{name}/{below}", data) for below, data in _members(item))


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            yield file.relative_to(path).as_posix(), file.read_bytes()
    elif path.is_file() and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as bundle:
            yield from ((i.filename, bundle.read(i)) for i in bundle.infolist() if not i.is_dir())
    else:
        raise UnusableFile(f"archive {str(path)!r}: neither a folder nor a .zip file (looked in {Path.cwd()})")
