"""The judge: rows of metrics in, findings and a verdict out. Arithmetic and its sources: shared/judge.md and the modules here.

One finding per metric; the verdict is that of the worst one that is enforced. Nothing here knows time, AWS or the rollout: the same
policy and the same rows give the same judgement.
"""

from __future__ import annotations

from collections.abc import Iterable

from sluice.core.judge.memory import Memory
from sluice.core.judge.run import Run
from sluice.core.judge.verdict import Evidence, Finding, Judgement, Verdict, Word
from sluice.core.observation import Row
from sluice.core.policy import Policy

__all__ = ["Evidence", "Finding", "Judgement", "Run", "Verdict", "Word", "judge"]


def judge(policy: Policy, rows: Iterable[Row], step: int | None = None) -> Judgement:
    """The judgement on all rows since the first exposure, oldest first, complete minutes only.

    `step` is the one in progress, of which there may be no row yet; unsaid, it is that of the last row.
    """
    return _MEMORY.judge(policy, tuple(rows), step)


_MEMORY = Memory()
"""Only makes the answer sooner: a warm function reads what is new instead of the whole rollout."""
