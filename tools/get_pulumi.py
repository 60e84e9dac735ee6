"""`make pulumi`: the Pulumi CLI, pinned, in the project's own tool folder, put there by Pulumi's official installer.

Does nothing where a `pulumi` is on PATH already. Exits 3 with one sentence where the installer is out of reach.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TextIO

from pulumi.automation import PulumiCommand
from semver import VersionInfo

PINNED = VersionInfo.parse("3.272.0")  # the SDK the program is tested with; an older CLI does not know all it asks
FOLDER = Path(__file__).resolve().parents[1] / ".tools" / "pulumi"
UNREACHABLE = 3


def main() -> int:
    present = shutil.which("pulumi")
    if present is not None:
        return _say(f"pulumi is on PATH: {present}. Nothing to install.")
    try:
        command = PulumiCommand.install(root=str(FOLDER), version=PINNED)
    except (OSError, subprocess.CalledProcessError) as error:
        _say(
            f"pulumi {PINNED} could not be installed, because its installer is out of reach: {_told(error)}.",
            sys.stderr,
        )
        return UNREACHABLE
    return _say(f"pulumi {command.version} is in {FOLDER}/bin; `make test-engine` finds it there.")


def _told(error: OSError | subprocess.CalledProcessError) -> str:
    """The last line: the installer's own progress is no reason."""
    text = error.output.decode(errors="replace") if isinstance(error, subprocess.CalledProcessError) else str(error)
    return (text.strip().splitlines() or ["no reason given"])[-1].rstrip(".")


def _say(sentence: str, stream: TextIO | None = None) -> int:
    (stream or sys.stdout).write(sentence + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
