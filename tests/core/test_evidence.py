"""What a decision was judged on can be judged again."""

from __future__ import annotations

import json

from sluice.core.evidence import case_of, read_case
from sluice.core.record import digest
from sluice.core.rollout import Phase
from tests.builders import started
from tests.core.facts import minutes, row


def test_a_kept_case_gives_the_same_judgement_again() -> None:
    rollout = started(phase=Phase.BAKING, step=0, quantiles={"latency": {"p50": 1.0, "p90": 2.0, "p99": 3.0}}).live
    assert rollout is not None
    rows = minutes(*[row((500, 200), (500, 0), (0.2, 0.1))] * 3)

    kept = case_of(rollout, rows, "rolling back")

    case = read_case(json.loads(kept.text))
    assert kept.digest == digest(json.loads(kept.text)), "the key says what the content is"
    assert case.rows == rows
    assert case.judged_again().verdict == "roll_back"
    assert case.because == "rolling back"
