"""What holds for decisions of every phase. Each phase has a file of its own."""

from __future__ import annotations

from sluice.core.decide import decide
from sluice.core.observation import Observation
from sluice.core.rollout import Phase
from tests.builders import NOW, started
from tests.core.facts import endpoint, seen
from tests.core.rollouts import HEALTHY, baking, phase


def test_a_pending_rollout_begins_to_prepare() -> None:
    assert phase(decide(started(), seen(), NOW)) is Phase.PREPARING


def test_the_same_facts_give_the_same_answer() -> None:
    facts: Observation = seen(endpoint(9000, 1000), rows=HEALTHY)

    assert decide(baking(), facts, NOW) == decide(baking(), facts, NOW)
