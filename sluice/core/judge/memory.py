"""Remembers how far a rollout was read, so that a look at a long one costs minutes and not days. Changes no answer.

The last minutes are read anew each time, because late data change them; if an older minute changed, everything is.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from sluice.core.judge.run import Run
from sluice.core.judge.verdict import Judgement
from sluice.core.observation import Row
from sluice.core.policy import Policy

RECENT_ROWS = 30
"""CloudWatch rarely changes a minute that is older."""
_MOST_ROLLOUTS = 8


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
    """The runs of a few rollouts, the one that was looked at last in front; and the last answer, which a tick asks for twice."""

    reads: list[_Read] = field(default_factory=list)
    last: tuple[Policy, tuple[Row, ...], int | None, Judgement] | None = None

    def judge(self, policy: Policy, rows: tuple[Row, ...], step: int | None = None) -> Judgement:
        """What `Run.of(policy).read(rows).judgement(step)` says, sooner."""
        if self.last is None or self.last[0] is not policy or self.last[1] is not rows or self.last[2] != step:
            self.last = (policy, rows, step, self._judged(policy, rows, step))
        return self.last[3]

    def _judged(self, policy: Policy, rows: tuple[Row, ...], step: int | None) -> Judgement:
        settled = rows[:-RECENT_ROWS]
        known = next((read for read in self.reads if read.rows and read.begins(policy, settled)), None)
        if known is not None:
            self.reads.remove(known)
        run, count = (known.run, len(known.rows)) if known else (Run.of(policy), 0)
        run.read(settled[count:])
        self.reads = [_Read(policy, settled, run), *self.reads][:_MOST_ROLLOUTS]
        return _branch(run).read(rows[len(settled) :]).judgement(step)


def _branch(run: Run) -> Run:
    """A copy that can be read on without the run; what never changes is shared."""
    fixed = [run.policy, *run.policy.metrics.values(), *run.waiting, *run.doubts.recent]
    return copy.deepcopy(run, {id(value): value for value in fixed})
