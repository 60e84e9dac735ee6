"""The Lambda zip: what is in it, in which order, and that it imports where only the runtime's own packages are."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.bundle import archive, bundled_files

IMPORT_EVERYTHING = """
import importlib, json, pathlib, sys
bundle, given = pathlib.Path(sys.argv[1]), set(json.loads(sys.argv[2]))

class OnlyWhatLambdaHas:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        inside = (bundle / top).exists() or (bundle / f"{top}.py").exists()
        if not inside and top not in given and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"{name} is neither in the zip nor in the Lambda runtime", name=name)

sys.meta_path.insert(0, OnlyWhatLambdaHas())
sys.path.insert(0, str(bundle))
for file in sorted([*bundle.glob("lambdas/*.py"), *bundle.glob("sluice/**/*.py")]):
    path = file.relative_to(bundle).with_suffix("")
    module = importlib.import_module(".".join(part for part in path.parts if part != "__init__"))
    assert module.__file__.startswith(str(bundle)), module.__file__
"""
RUNTIME = ["boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3", "_distutils_hack"]
"""What comes with Lambda's python3.13; the last one is this machine's own start-up hook."""


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    for path, file in bundled_files().items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return tmp_path


def test_the_bundle_is_a_sorted_list_of_python_files():
    paths = list(bundled_files())

    assert paths == sorted(paths)
    assert all(path.endswith(".py") and "__pycache__" not in path for path in paths)


def test_the_bundle_has_the_handlers_the_use_cases_the_core_and_powertools():
    assert {
        "lambdas/submit.py",
        "lambdas/tick.py",
        "lambdas/alarm.py",
        "lambdas/sweep.py",
        "lambdas/command.py",
        "sluice/__init__.py",
        "sluice/tick.py",
        "sluice/core/decide.py",
        "sluice/core/judge/rails.py",
        "sluice/aws/store.py",
        "aws_lambda_powertools/logging/logger.py",
        "typing_extensions.py",
    } <= bundled_files().keys()


def test_what_only_the_edges_need_is_left_out():
    left_out = ("sluice/schema", "sluice/cli", "sluice/sim", "sluice/sandbox", "infra", "pydantic", "boto3")

    assert not [path for path in bundled_files() if path.startswith(left_out)]


def test_every_module_imports_where_only_the_lambda_runtime_is(unpacked):
    command = [sys.executable, "-B", "-c", IMPORT_EVERYTHING, str(unpacked), json.dumps(RUNTIME)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=unpacked, check=False)

    assert run.returncode == 0, run.stderr


def test_the_archive_holds_the_files_of_the_list():
    assert list(archive().assets) == list(bundled_files())


def test_the_zip_stays_small():
    assert sum(file.stat().st_size for file in bundled_files().values()) < 2_000_000
