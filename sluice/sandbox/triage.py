"""The example in the sandbox: its releases trained and uploaded, its traffic, its stack configuration."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluice.core.names import outcome_namespace
from sluice.sandbox.hosting.traffic import Load
from sluice.sandbox.sandbox import PROJECT, REPOSITORY, STACK, Sandbox

NAME = "triage"
ENDPOINT = f"{STACK}-{NAME}"
REQUESTS_PER_MINUTE = 3000
"""Enough that 5 % of it is something to judge: 150 requests a minute."""


@dataclass(frozen=True, slots=True)
class Example:
    """Trained releases in a folder, one folder a release."""

    folder: Path

    def document(self, release: str) -> Mapping[str, Any]:
        """The release document."""
        found: Mapping[str, Any] = json.loads((self.folder / release / "release.json").read_text())
        return found

    def endpoints(self, release: str, policy: str = "demo", **more: Any) -> dict[str, Any]:
        """The stack configuration's `endpoints` with this release desired."""
        return {NAME: {"release": str(self.folder / release / "release.json"), "policy": policy, **more}}

    def load(self, requests_per_minute: float = REQUESTS_PER_MINUTE) -> Load:
        """Requests as clients send them, one held-out row each; the truth is learnt, so the application counts what was right."""
        rows, labels = ((self.folder / name).read_text().splitlines() for name in ("traffic.csv", "labels.csv"))
        return Load(
            requests_per_minute,
            [row.encode() for row in rows],
            truth=[label.encode() for label in labels],
            outcomes=outcome_namespace(PROJECT, STACK),
        )

    def upload(self, sandbox: Sandbox, *releases: str) -> None:
        for release in releases:
            sandbox.upload(self.folder / release)


def train(folder: Path) -> Example:
    """Run the example's own training script; equal library versions give equal archives."""
    path = REPOSITORY / "examples" / NAME / "train.py"
    spec = importlib.util.spec_from_file_location("sluice_example_triage", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"{path}: the example's training script is not there; the demo needs a checkout")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.write_all(folder)
    return Example(folder)
