"""Giving up a slot: what is left keeps its count, and a third variant its weight of 0."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.actions import EnsureConfig
from sluice.core.head import Cleanup
from sluice.core.observation import ConfiguredVariant, Variant
from sluice.core.overdue import clean_up
from tests.builders import NOW, head
from tests.core.facts import CONFIGURED, endpoint, seen


def test_only_the_champion_would_get_traffic_if_retention_failed():
    variants = {"blue": Variant(1, 1, 4, 4), "green": Variant(0, 0, 1, 1), "reserve": Variant(0, 0, 2, 2)}
    configured = {**CONFIGURED, "reserve": ConfiguredVariant("model-v0", "ml.m5.large")}
    due = replace(head(), cleanup=Cleanup("green", NOW, None))

    config = clean_up(due, seen(endpoint(variants=variants), configured=configured), NOW).actions[0]

    assert isinstance(config, EnsureConfig)
    assert [(v.slot, v.instances, v.weight) for v in config.variants] == [("blue", 4, 1), ("reserve", 2, 0)]
