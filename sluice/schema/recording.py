"""Recorded metrics of past rollouts, as rows that the judge reads: what Sluice archived of a decision, or a table of your own.

Archived: `rows/<digest>.json.gz` of the audit bucket, as it is. A table is CSV or Parquet, one line per minute, slot, metric and
threshold; docs/recordings.md says what its columns mean.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sluice.core.errors import BadInput
from sluice.core.evidence import Case
from sluice.core.observation import Counts, Row, SlotMinute, Tail
from sluice.core.policy import LatencyMetric, Policy, RateMetric
from sluice.core.record import decode

COLUMNS = ("release", "at", "step", "slot", "metric", "trials", "events", "threshold")
_SLOTS = ("canary", "stable")
_MINUTE = 60
_MOST_FAULTS = 20
_Key = tuple[str, int, str, str]


@dataclass(slots=True)
class _Minutes:
    """What was read so far, by (release, minute, slot, metric)."""

    policy: Policy
    steps: dict[tuple[str, int], int] = field(default_factory=dict)
    rates: dict[_Key, Counts] = field(default_factory=dict)
    tails: dict[_Key, tuple[float, dict[str, float]]] = field(default_factory=dict)


def read_recording(file: Path, policy: Policy) -> Mapping[str, tuple[Row, ...]]:
    """The rows of each release, in order of time. Raises BadInput with the faults found, each with its line."""
    if file.suffix in (".json", ".gz"):
        return _archived(file)
    minutes, faults = _Minutes(policy), []
    for number, line in enumerate(_lines(file), 2):
        try:
            _take(minutes, line)
        except (ValueError, KeyError) as fault:
            faults.append(f"{file}: line {number}: {fault.args[0] if fault.args else fault}")
    if faults:
        left = [f"{file}: and {len(faults) - _MOST_FAULTS} more"] if len(faults) > _MOST_FAULTS else []
        raise BadInput((*faults[:_MOST_FAULTS], *left))
    if not minutes.steps:
        raise BadInput((f"{file}: holds no line",))
    return {release: _rows(minutes, release) for release in dict.fromkeys(release for release, _ in minutes.steps)}


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


def _take(minutes: _Minutes, line: Mapping[str, Any]) -> None:
    release, slot, metric = str(line["release"]), str(line["slot"]), str(line["metric"])
    if slot not in _SLOTS:
        raise ValueError(f"slot: must be canary or stable, got {slot!r}")
    found = minutes.policy.metrics.get(metric)
    if not isinstance(found, RateMetric | LatencyMetric):
        raise ValueError(f"metric: the policy has no rate or latency {metric!r}")
    at, step = moment(line["at"]), _number("step", line["step"])
    if not 0 <= step < len(minutes.policy.steps) or step != int(step):
        raise ValueError(f"step: must be 0 to {len(minutes.policy.steps) - 1}, got {line['step']!r}")
    minutes.steps[release, at] = int(step)
    trials, events = _number("trials", line["trials"]), _number("events", line["events"])
    if events > trials:
        raise ValueError(f"events: {events:g} of {trials:g} trials")
    key, threshold = (release, at, slot, metric), str(line["threshold"] or "")
    if isinstance(found, RateMetric):
        minutes.rates[key] = Counts(trials, events)
        return
    if not threshold:
        raise ValueError("threshold: missing; a latency is counted over one, such as p90x1.3")
    minutes.tails.setdefault(key, (trials, {}))[1][threshold] = events


def moment(value: object) -> int:
    """The minute's start; a datetime, seconds since the epoch, or ISO 8601 (UTC where it says nothing)."""
    text = str(value)
    if text.isdigit():
        return int(text) // _MINUTE * _MINUTE
    found = datetime.fromisoformat(text)
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()) // _MINUTE * _MINUTE


def _number(what: str, value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise ValueError(f"{what}: must be a number, 0 or more, got {value!r}")
    return number


def _rows(minutes: _Minutes, release: str) -> tuple[Row, ...]:
    moments = sorted(at for of, at in minutes.steps if of == release)
    return tuple(
        Row(
            at, _side(minutes, release, at, "canary"), _side(minutes, release, at, "stable"), minutes.steps[release, at]
        )
        for at in moments
    )


def _side(minutes: _Minutes, release: str, at: int, slot: str) -> SlotMinute:
    names = minutes.policy.metrics
    rates = {
        name: minutes.rates[release, at, slot, name] for name in names if (release, at, slot, name) in minutes.rates
    }
    tails = {
        name: Tail(*minutes.tails[release, at, slot, name])
        for name in names
        if (release, at, slot, name) in minutes.tails
    }
    return SlotMinute(rates=rates, tails=tails)
