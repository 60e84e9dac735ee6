"""Runbooks name every alarm and phase there is, and only commands that exist. Freshness: test_pages."""

from __future__ import annotations

import re
from pathlib import Path

import typer.main

from infra.page_alarms import page_alarms
from sluice.cli.app import app
from sluice.core.obstacles import Kind
from sluice.core.rollout import Phase
from sluice.schema import DrillSpec
from tests.infra.stacks import NAMES
from tools.pages.runbooks import ALARMS, OBSTACLES, PHASES

DRILLS = DrillSpec("rate(7 days)", 86_400)
PAGE = (Path(__file__).parents[2] / "docs" / "runbooks.md").read_text()


def test_every_alarm_that_pages_has_a_runbook_and_none_is_about_a_gone_one() -> None:
    assert set(ALARMS) == {alarm.word for alarm in page_alarms(NAMES, DRILLS)}


def test_every_phase_has_one() -> None:
    assert set(PHASES) == set(Phase)


def test_everything_that_can_stand_in_the_way_has_a_line() -> None:
    assert set(OBSTACLES) == set(Kind)


def test_what_to_type_can_be_typed() -> None:
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for line in re.findall(r"sluice ([a-z][^`\n]*)", PAGE):
        word, *rest = line.split()
        options = {option for parameter in known[word].params for option in parameter.opts}

        assert set(re.findall(r"--[a-z-]+|(?<!\S)-[a-z]\b", " ".join(rest))) <= options, line


def test_an_alarm_leads_to_its_runbook() -> None:
    for alarm in page_alarms(NAMES, DRILLS):
        assert f"### {alarm.word}\n" in PAGE
