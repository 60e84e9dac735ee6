"""How fast virtual time passes in the embedded sandbox, with the real program, functions and models."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

from benchmarks.system.measure import Row
from sluice.core.rollout import Phase
from sluice.sandbox.faultbook.book import tell_by_name
from sluice.sandbox.sandbox import REPOSITORY, Sandbox
from sluice.sandbox.triage import ENDPOINT, Example, train

_REAL = time.perf_counter  # bound before the sandbox's clock replaces what `time` says
_REQUESTS_PER_MINUTE = 600
_DAY_GOAL_SECONDS = 15


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        example = train(Path(folder))
        tell_by_name("archive-deleted", example)  # the first one in a process also imports
        wall, cpu = _REAL(), time.process_time()
        told = tell_by_name("v2", example)
        wall, cpu = _REAL() - wall, time.process_time() - cpu
        minutes = told.seconds / 60
        yield Row(
            f"the sandbox: a rollout of {minutes:.0f} virtual minutes, both `pulumi up` included",
            f"{minutes / cpu:.1f} virtual minutes per CPU second ({minutes / wall:.1f} by the wall clock)",
            "0.017 virtual minutes per second",
            "real time",
        )
        wall, cpu, hours = _day(example, Path(folder))
        yield Row(
            f"the sandbox: a rollout of {hours:.1f} hours (24 h soak), {_REQUESTS_PER_MINUTE} requests a minute",
            f"{cpu:.1f} s CPU ({wall:.1f} s by the wall clock)",
            f"{_DAY_GOAL_SECONDS} s",
            f"the goal on an idle machine by the wall clock, {'' if wall < _DAY_GOAL_SECONDS else 'not '}reached in this run",
        )


def _day(example: Example, folder: Path) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and virtual hours of a rollout with policies/rollouts/demo.yaml and a soak of a day."""
    document = yaml.safe_load((REPOSITORY / "policies" / "rollouts" / "demo.yaml").read_text())
    policy = folder / "day.yaml"
    policy.write_text(yaml.safe_dump({**document, "soak": "24h"}, sort_keys=False))
    with Sandbox() as sandbox:
        example.upload(sandbox, "v1", "v2")
        for release in ("v1", "v2"):
            sandbox.config["endpoints"] = example.endpoints(release, policy=str(policy))
            sandbox.up()
            if release == "v1":
                sandbox.traffic(ENDPOINT, example.load(_REQUESTS_PER_MINUTE))
        began, wall, cpu = sandbox.cloud.clock.now(), _REAL(), time.process_time()
        sandbox.run_until(lambda: sandbox.head(ENDPOINT).live is None)
        wall, cpu = _REAL() - wall, time.process_time() - cpu
        outcome = sandbox.head(ENDPOINT).outcome
        if outcome is None or outcome.phase is not Phase.SETTLED:
            raise RuntimeError(f"the rollout did not settle: {outcome}")
        return wall, cpu, (sandbox.cloud.clock.now() - began).total_seconds() / 3600
