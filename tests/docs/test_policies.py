"""docs/policies.md says what the ready-made policies do today."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice.core.advice import advice
from sluice.schema import read_policy
from tools.policies_page import PAGE, ROOT, SHOWN, inputs, section

STALE = "the policies or the forecast changed: `make docs`, and read the difference"


def test_the_page_was_made_from_these_policies_and_this_forecast() -> None:
    assert f"<!-- inputs {inputs()} -->" in PAGE.read_text(), STALE


def test_making_it_again_gives_the_same_numbers() -> None:
    name, traffics = SHOWN[-1]

    assert "\n".join(section(name, traffics)) in PAGE.read_text(), STALE


def test_every_ready_made_policy_is_on_it() -> None:
    files = {file.stem for file in (ROOT / "policies" / "rollouts").glob("*.yaml")}

    assert files - {"demo"} == {name for name, _ in SHOWN}


@pytest.mark.parametrize(("name", "traffics"), SHOWN)
def test_a_ready_made_policy_has_its_samples_in_time_at_the_traffic_it_is_made_for(
    name: str, traffics: tuple[float, ...]
) -> None:
    policy = read_policy(Path(ROOT / "policies" / "rollouts" / f"{name}.yaml"))

    assert not [line for line in advice(policy, traffics[-1]) if "needed on each side" in line]
