"""The demo as a newcomer runs it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def demo(seed: int, hash_seed: str) -> str:
    command = [sys.executable, "-c", "from sluice.cli import main; main()", "demo", "--seed", str(seed)]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_equal_seeds_give_equal_output_byte_for_byte_and_other_seeds_other_output() -> None:
    first = demo(1, "3")

    assert demo(1, "7") == first
    assert demo(2, "7") != first
