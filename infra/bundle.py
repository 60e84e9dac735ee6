"""The code of the Lambda functions as an explicit, sorted list of `.py` files. No build: what is tested is what ships.

boto3 and jmespath come from the Lambda runtime; Powertools and the one module it imports beyond them are vendored.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pulumi

ROOT = Path(__file__).resolve().parent.parent
_OWN = ("sluice/*.py", "sluice/core/**/*.py", "sluice/aws/**/*.py", "lambdas/**/*.py")
_POWERTOOLS = (
    "*.py",
    "exceptions/**/*.py",
    "logging/**/*.py",
    "metrics/**/*.py",
    "shared/**/*.py",
    "tracing/**/*.py",  # imported by the package itself
    "utilities/__init__.py",
    "utilities/jmespath_utils/**/*.py",  # imported by logging
    "utilities/typing/**/*.py",
    "warnings/**/*.py",
)


def bundled_files() -> dict[str, Path]:
    """Path in the zip -> file, sorted by path."""
    return dict(sorted({**dict(_own_files()), **dict(_vendored_files())}.items()))


def archive() -> pulumi.AssetArchive:
    """The zip. Pulumi compares its content, not where the files lie."""
    return pulumi.AssetArchive({path: pulumi.FileAsset(str(file)) for path, file in bundled_files().items()})


def _own_files() -> Iterator[tuple[str, Path]]:
    for pattern in _OWN:
        for file in ROOT.glob(pattern):
            yield file.relative_to(ROOT).as_posix(), file


def _vendored_files() -> Iterator[tuple[str, Path]]:
    """Found without importing: the package changes boto3's user agent when it is imported."""
    package = find_spec("aws_lambda_powertools")
    extensions = find_spec("typing_extensions")
    if package is None or package.origin is None or extensions is None or extensions.origin is None:
        raise ModuleNotFoundError("aws_lambda_powertools is not installed: run `make setup`")
    home = Path(package.origin).parent
    for pattern in _POWERTOOLS:
        for file in home.glob(pattern):
            yield f"aws_lambda_powertools/{file.relative_to(home).as_posix()}", file
    yield "typing_extensions.py", Path(extensions.origin)
