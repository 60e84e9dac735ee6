"""What an alarm makes of missing data is a choice."""

from __future__ import annotations

from typing import Any

import pytest
from sluice_compliance.alarms import missing_data_chosen
from sluice_compliance.resources import ALARM, UNKNOWN, Resource


def faults(**properties: Any) -> list[str]:
    return list(missing_data_chosen(Resource(ALARM, "late", properties)))


@pytest.mark.parametrize("choice", ["notBreaching", "breaching", "ignore", UNKNOWN])
def test_a_choice_passes(choice: object) -> None:
    assert faults(treatMissingData=choice) == []


@pytest.mark.parametrize("properties", [{}, {"treatMissingData": "missing"}, {"treatMissingData": "Breaching"}])
def test_the_default_is_not_a_choice_written_out_or_not(properties: dict[str, str]) -> None:
    """The provider writes it out where the program says nothing; a policy sees no difference."""
    (fault,) = faults(**properties)

    assert fault.startswith("alarm 'late': treatMissingData is")


@pytest.mark.parametrize("actions", [["arn:aws:sns:eu-west-1:1:pages"], UNKNOWN, [UNKNOWN]])
def test_missing_is_a_choice_where_something_acts_on_silence(actions: object) -> None:
    assert faults(treatMissingData="missing", insufficientDataActions=actions) == []


def test_an_empty_list_of_actions_does_not_act() -> None:
    assert len(faults(treatMissingData="missing", insufficientDataActions=[])) == 1
