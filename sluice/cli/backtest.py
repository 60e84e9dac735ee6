"""`backtest`: what a policy would have done with releases of the past, from their recorded metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sluice.cli.operate import Said
from sluice.cli.sources import Source, recorded
from sluice.cli.text import INDENT, wrapped
from sluice.core.judge import Run, Verdict
from sluice.core.observation import Row
from sluice.core.policy import Policy
from sluice.core.record import encode
from sluice.core.weights import percent_text
from sluice.schema import read_policy

SCHEMA = 1
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Replayed:
    """One release. `back_at` is the minute of data after which it would have been taken back, `proven` by step number when it was proven.

    `held` counts the minutes in which the judge would have held, because of a shared incident or of its data.
    """

    release: str
    minutes: int
    steps: int
    back_at: int | None
    because: str
    proven: tuple[tuple[int, int], ...]
    held: int


def backtest(source: Source, policy_file: Path, now: float) -> Said:
    """Replay every release of a recording, or one that CloudWatch remembers. Changes nothing."""
    policy = read_policy(policy_file)
    return said(policy_file, policy, source.name, recorded(policy, source, now))


def said(policy_file: Path, policy: Policy, source: str, recorded: Mapping[str, tuple[Row, ...]]) -> Said:
    """The replays as a document and as lines."""
    replays = tuple(replay(policy, release, rows) for release, rows in recorded.items())
    document = {"schema": SCHEMA, "policy": str(policy_file), "source": source, "releases": encode(replays)}
    return Said(document, tuple(_lines(policy_file, policy, source, replays)))


def replay(policy: Policy, release: str, rows: tuple[Row, ...]) -> Replayed:
    """Minute by minute, as the ticks would have looked at them."""
    run, held = Run.of(policy), 0
    proven: dict[int, int] = {}
    step, began = rows[0].step, rows[0].at
    for row in rows:
        if row.step != step:
            step, began = row.step, row.at
        judgement = run.read([row]).judgement()
        minute = (row.at - rows[0].at) // _MINUTE + 1
        if judgement.verdict is Verdict.ROLL_BACK:
            return Replayed(release, len(rows), step + 1, minute, judgement.because, tuple(proven.items()), held)
        held += judgement.verdict is Verdict.HOLD
        if judgement.verdict is Verdict.ADVANCE:
            proven.setdefault(step + 1, (row.at - began) // _MINUTE + 1)
    return Replayed(release, len(rows), step + 1, None, judgement.because, tuple(proven.items()), held)


def _lines(file: Path, policy: Policy, source: str, replays: tuple[Replayed, ...]) -> Iterator[str]:
    back = sum(found.back_at is not None for found in replays)
    yield f"{file} over {source}: {len(replays)} releases, {back} would have been taken back"
    for found in replays:
        yield ""
        yield f"{INDENT}{found.release}: {found.minutes} minutes, {found.steps} of {len(policy.steps)} steps"
        if found.back_at is not None:
            lag = policy.judge.data_lag_seconds // _MINUTE
            yield f"{INDENT}{INDENT}taken back after {found.back_at} minutes of data ({found.back_at + lag} with data_lag): {found.because}"
        else:
            yield f"{INDENT}{INDENT}not taken back: {wrapped(found.because, 0, None)}"
        for step, minutes in found.proven:
            yield f"{INDENT}{INDENT}step {step} ({percent_text(policy.steps[step - 1].weight_parts)}) was proven after {minutes} minutes"
        if found.held:
            yield f"{INDENT}{INDENT}held in {found.held} minutes: a shared incident, or its data"
