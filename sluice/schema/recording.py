"""Recorded metrics of past rollouts, as rows that the judge reads: what Sluice archived of a decision, or a table of your own.

Archived: `rows/<digest>.json.gz` of the audit bucket, as it is. A table is CSV or Parquet, one line per minute, slot, metric and
threshold; docs/recordings.md says what its columns mean.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sluice.core.errors import BadInput
from sluice.core.evidence import Case
from sluice.core.observation import Row
from sluice.core.policy import Policy
from sluice.core.record import decode
from sluice.schema.recorded_line import Minutes

COLUMNS = ("release", "at", "step", "slot", "metric", "trials", "events", "threshold")
"""Those of means, levels and segments (`sum`, `sumsq`, `value`, `segment`) are needed where a line has them."""
_MOST_FAULTS = 20


def read_recording(file: Path, policy: Policy) -> Mapping[str, tuple[Row, ...]]:
    """The rows of each release, in order of time. Raises BadInput with the faults found, each with its line."""
    if file.suffix in (".json", ".gz"):
        return _archived(file)
    minutes, faults = Minutes(policy), []
    for number, line in enumerate(_lines(file), 2):
        try:
            minutes.take(line)
        except (ValueError, KeyError) as fault:
            faults.append(f"{file}: line {number}: {fault.args[0] if fault.args else fault}")
    if faults:
        left = [f"{file}: and {len(faults) - _MOST_FAULTS} more"] if len(faults) > _MOST_FAULTS else []
        raise BadInput((*faults[:_MOST_FAULTS], *left))
    if not minutes.steps:
        raise BadInput((f"{file}: holds no line",))
    return minutes.rows()


def _archived(file: Path) -> Mapping[str, tuple[Row, ...]]:
    """The rows that a decision of the control plane was judged on."""
    try:
        text = file.read_bytes()
        document = json.loads(gzip.decompress(text) if file.suffix == ".gz" else text)
    except (OSError, ValueError, EOFError) as fault:
        raise BadInput((f"{file}: cannot be read: {fault}",)) from None
    case = decode(Case, document, str(file))
    if not case.rows:
        raise BadInput((f"{file}: {case.rollout} was decided before any minute was known: it holds no row",))
    return {case.rollout: case.rows}


def _lines(file: Path) -> Iterable[Mapping[str, Any]]:
    if file.suffix == ".parquet":
        if find_spec("pyarrow") is None:
            raise BadInput((f"{file}: Parquet is read with pyarrow, which is not installed: install it, or write CSV",))
        table = import_module("pyarrow.parquet").read_table(file)
        _check_columns(file, table.column_names)
        return list(table.to_pylist())
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            _check_columns(file, reader.fieldnames or ())
            return list(reader)
    except (OSError, UnicodeDecodeError) as fault:
        raise BadInput((f"{file}: cannot be read: {fault}",)) from None


def _check_columns(file: Path, found: Iterable[str]) -> None:
    missing = [column for column in COLUMNS if column not in set(found)]
    if missing:
        raise BadInput((f"{file}: columns are missing: {', '.join(missing)} (it needs {', '.join(COLUMNS)})",))
