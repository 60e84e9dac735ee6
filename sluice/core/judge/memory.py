"""Remembers how far a rollout was read, so that a look at a long one costs minutes and not days. Changes no answer.

A look goes on from where the last one ended. If late data changed a recent minute, the last half hour is read anew; if an older
one, everything.
"""

from __future__ import annotations

import copy
from collections import deque
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any

from sluice.core.judge.run import Run
from sluice.core.judge.verdict import Judgement
from sluice.core.observation import Row
from sluice.core.policy import Policy

RECENT_ROWS = 30
"""CloudWatch rarely changes a minute that is older."""
_MOST_ROLLOUTS = 8
_NEVER_CHANGE = (float, int, bool, str, type(None))


@dataclass(frozen=True, slots=True)
class _Read:
    """A run and the rows it has read."""

    policy: Policy
    rows: tuple[Row, ...]
    run: Run

    def begins(self, policy: Policy, rows: tuple[Row, ...]) -> bool:
        """Whether the rows begin with exactly those that were read, under the same policy."""
        return self.policy == policy and rows[: len(self.rows)] == self.rows


@dataclass(slots=True)
class Memory:
    """The runs of a few rollouts, the one that was looked at last in front; and the last answer, which a tick asks for twice.

    `ahead` have read all that there was: a look goes on from there. `reads` have read what was settled when that was changed last.
    """

    reads: list[_Read] = field(default_factory=list)
    ahead: list[_Read] = field(default_factory=list)
    last: tuple[Policy, tuple[Row, ...], int | None, Judgement] | None = None

    def judge(self, policy: Policy, rows: tuple[Row, ...], step: int | None = None) -> Judgement:
        """What `Run.of(policy).read(rows).judgement(step)` says, sooner."""
        if self.last is None or self.last[0] is not policy or self.last[1] is not rows or self.last[2] != step:
            self.last = (policy, rows, step, self._judged(policy, rows, step))
        return self.last[3]

    def _judged(self, policy: Policy, rows: tuple[Row, ...], step: int | None) -> Judgement:
        newest = _read_on(self.ahead, policy, rows) or self._from_settled(policy, rows)
        _keep(self.ahead, _Read(policy, rows, newest))
        return newest.judgement(step)

    def _from_settled(self, policy: Policy, rows: tuple[Row, ...]) -> Run:
        """Where nothing was read yet, or a minute that was read has changed: what has settled is read once, the rest of it anew."""
        settled = rows[:-RECENT_ROWS]
        run = _read_on(self.reads, policy, settled) or Run.of(policy).read(settled)
        _keep(self.reads, _Read(policy, settled, run))
        return _branch(run).read(rows[len(settled) :])


def _read_on(reads: list[_Read], policy: Policy, rows: tuple[Row, ...]) -> Run | None:
    """Take out a run that has read the beginning of the rows, and let it read the rest; None if there is none."""
    known = next((read for read in reads if read.begins(policy, rows)), None)
    if known is None:
        return None
    reads.remove(known)
    return known.run.read(rows[len(known.rows) :])


def _keep(reads: list[_Read], read: _Read) -> None:
    if read.rows:
        reads.insert(0, read)
    del reads[_MOST_ROLLOUTS:]


def _branch(run: Run) -> Run:
    """A copy that can be read on without the run; what never changes is shared."""
    copied: Run = _copied(run, {})
    return copied


def _copied(value: Any, twins: dict[int, Any]) -> Any:
    """`copy.deepcopy` in a fifth of the time, for what a run consists of. A frozen dataclass holds nothing that changes."""
    kind = type(value)
    if kind in _NEVER_CHANGE:
        return value
    if kind is list or kind is tuple:
        return kind([_copied(each, twins) for each in value])
    if kind is deque:
        return deque([_copied(each, twins) for each in value], value.maxlen)
    if kind is dict:
        return {key: _copied(each, twins) for key, each in value.items()}
    if not is_dataclass(kind):
        return copy.deepcopy(value)
    if id(value) not in twins:  # a follower stands in two lists of its run
        twins[id(value)] = _twin(value, twins)
    return twins[id(value)]


def _twin(value: Any, twins: dict[int, Any]) -> Any:
    kind: Any = type(value)
    names = _changing(kind)
    if not names:
        return value
    twin = object.__new__(kind)
    for name in names:
        setattr(twin, name, _copied(getattr(value, name), twins))
    return twin


@cache
def _changing(kind: Any) -> tuple[str, ...]:
    """The fields of a dataclass; none if it is frozen."""
    return () if kind.__dataclass_params__.frozen else tuple(field.name for field in fields(kind))
