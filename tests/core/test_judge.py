"""Rails: when a canary is blamed by its metrics, and when it is not."""

from __future__ import annotations

import pytest

from sluice.core.judge import Verdict, Word, judge
from sluice.core.judge.verdict import Judgement
from sluice.core.observation import Row
from tests.builders import policy
from tests.core.facts import row

HEALTHY = row((500, 1), (500, 1), (20_000, 20_000))
FAILING = row((500, 100), (500, 1), (20_000, 20_000))


@pytest.mark.parametrize(
    ("rows", "verdict", "words"),
    [
        pytest.param((HEALTHY,) * 3, Verdict.ADVANCE, {"errors": Word.CLEARED}, id="healthy"),
        pytest.param((HEALTHY, FAILING, FAILING), Verdict.ROLL_BACK, {"errors": Word.HARMFUL}, id="two bad minutes"),
        pytest.param(
            (HEALTHY, HEALTHY, FAILING), Verdict.CONTINUE, {"errors": Word.UNPROVEN}, id="one bad minute is not two"
        ),
        pytest.param((FAILING, FAILING, *(HEALTHY,) * 3), Verdict.ADVANCE, {"errors": Word.CLEARED}, id="long ago"),
        pytest.param(
            (row((49, 40), (500, 1)),) * 6, Verdict.ROLL_BACK, {"errors": Word.HARMFUL}, id="few a minute are pooled"
        ),
        pytest.param((row((49, 40), (500, 1)),), Verdict.CONTINUE, {"errors": Word.UNPROVEN}, id="too few to mean it"),
        pytest.param(
            (row((500, 100), (49, 0)),) * 3, Verdict.CONTINUE, {"errors": Word.UNPROVEN}, id="nothing to compare"
        ),
        pytest.param(
            (row((500, 100), None),) * 3, Verdict.CONTINUE, {"errors": Word.UNPROVEN}, id="stable says nothing"
        ),
        pytest.param((row((500, 45), (500, 40)),) * 3, Verdict.HOLD, {"errors": Word.SHARED}, id="stable is as bad"),
        pytest.param(
            (row((500, 30), (500, 20)),) * 3, Verdict.CONTINUE, {"errors": Word.UNPROVEN}, id="over, but not twice"
        ),
        pytest.param(
            (row(None, (500, 1)),) * 3, Verdict.CONTINUE, {"errors": Word.UNPROVEN}, id="silence is not health"
        ),
        pytest.param((), Verdict.CONTINUE, {"errors": Word.UNPROVEN, "samples": Word.UNPROVEN}, id="no minute yet"),
        pytest.param(
            (row((500, 0), (500, 0), (90_000, 20_000)),) * 3, Verdict.ROLL_BACK, {"latency": Word.HARMFUL}, id="slow"
        ),
        pytest.param(
            (row((99, 0), (500, 0), (90_000, 20_000)),) * 3,
            Verdict.ADVANCE,
            {"latency": Word.CLEARED},
            id="few for a p90",
        ),
    ],
)
def test_the_verdict_with_control(rows: tuple[Row, ...], verdict: Verdict, words: dict[str, Word]) -> None:
    judgement = judge(policy(min_samples=120), rows, has_control=True)

    assert judgement.verdict is verdict, judgement.findings
    found = {finding.metric: finding.word for finding in judgement.findings}
    assert found.items() >= words.items()


def test_without_control_only_the_absolute_side_is_left() -> None:
    rows = (row((500, 100), None),) * 3

    judgement = judge(policy(), rows, has_control=False)

    assert judgement.verdict is Verdict.ROLL_BACK
    assert judgement.because == "errors 20.0 % (300 of 1500), rail 5.0 %"


def test_the_sentence_has_the_numbers() -> None:
    judgement = judge(policy(), (HEALTHY, FAILING, FAILING), has_control=True)

    assert judgement.because == ("errors 13.4 % (201 of 1500) against 0.2 %, rail 5.0 % and 2x in 2 of 3 looks")


def test_a_minute_without_requests_is_no_rate() -> None:
    judgement = judge(policy(), (row((0, 0), (0, 0)),), has_control=True)

    assert judgement.verdict is Verdict.CONTINUE


def test_an_empty_judgement_says_so() -> None:
    assert Judgement(Verdict.CONTINUE, ()).because == "nothing is judged"
