"""The judge: rows of metrics in, findings and a verdict out. Here the rails; the sequential tests of docs/judge stand beside them."""

from sluice.core.judge.rails import judge
from sluice.core.judge.verdict import Finding, Judgement, Verdict, Word

__all__ = ["Finding", "Judgement", "Verdict", "Word", "judge"]
