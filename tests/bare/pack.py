"""Writes the Lambda zip where the bare environment's tests find it: python tests/bare/pack.py PATH."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from infra.bundle import bundled_files


def main(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, file in bundled_files().items():
            archive.write(file, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
