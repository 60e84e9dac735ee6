"""How things are measured: CPU time, because it hardly depends on who else uses the machine, and the middle of several runs."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `baseline` names what stands beside it; both are texts with their unit."""

    what: str
    measured: str
    baseline: str
    stands_at: str


def cpu_ms(run: Callable[[], object], times: int) -> float:
    """The median CPU milliseconds of a call, after one that does not count."""
    run()
    taken = []
    for _ in range(times):
        before = time.process_time()
        run()
        taken.append(time.process_time() - before)
    return 1000 * statistics.median(taken)


def fresh_cpu_ms(code: str, folder: Path, environment: Mapping[str, str], times: int = 7) -> float:
    """The median CPU milliseconds that code takes in a process of its own, from after the interpreter's start to its end."""
    timed = f"import time; began = time.process_time()\n{code}\nprint(time.process_time() - began)"
    taken = []
    for _ in range(times + 1):
        done = subprocess.run(
            [sys.executable, "-c", timed], cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
        taken.append(float(done.stdout))
    return 1000 * statistics.median(taken[1:])


def machine() -> str:
    """Where this ran, and how busy it was: the wall clock depends on that, CPU time less so."""
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"CPython {platform.python_version()}; load averages at the end of the run {load}"
    )


def commit() -> str:
    """What was measured; `-dirty` when files differ from it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown processor")
