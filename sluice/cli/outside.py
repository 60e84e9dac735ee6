"""What commands need from where they run, in one value: tests hand in their own instead."""

from __future__ import annotations

import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sluice.cli.engine import Deploy, through_pulumi
from sluice.cli.invoke import Invoke, through_urls
from sluice.cli.searching import Known, in_parameter_store


@dataclass(frozen=True, slots=True)
class Outside:
    """`width` is the terminal's, None where the output is no terminal: what is piped is not wrapped."""

    invoke: Invoke
    folder: Path
    environment: Mapping[str, str]
    request_id: Callable[[], str]
    now: Callable[[], float]
    sleep: Callable[[float], None]
    width: int | None
    deploy: Deploy = through_pulumi
    known: Known = in_parameter_store


def here() -> Outside:
    """The process's own surroundings."""
    return Outside(
        invoke=through_urls,
        folder=Path.cwd(),
        environment=os.environ,
        request_id=lambda: str(uuid.uuid4()),
        now=time.time,
        sleep=time.sleep,
        width=shutil.get_terminal_size().columns if sys.stdout.isatty() else None,
    )
