"""The example's releases, each tried as it is: nothing goes wrong but what is wrong with the release itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sluice.sandbox.faultbook.fault import PENDING, WENT_OFF, Ending, Fault, settled, taken_back
from sluice.sandbox.faultbook.scene import Scene


def _nothing(scene: Scene) -> None:
    """The release does the rest."""


_PATIENT = {
    "steps": [
        {"weight": 10, "bake": {"min": "5m", "max": "15m"}, "on_inconclusive": "advance"},
        {"weight": 50, "bake": {"min": "30m", "max": "60m"}, "on_inconclusive": "advance"},
        {"weight": 100},
    ]
}
"""Answers of 600 requests a minute on each side: what they led to takes more than the book's five minutes to tell apart."""


def _tried(name: str, about: str, ends: Ending, policy: Mapping[str, Any] | None = None) -> Fault:
    return Fault(name, about, PENDING, _nothing, ends, release=name, policy=policy or {})


RELEASES: Mapping[str, Fault] = {
    release.name: release
    for release in (
        _tried("v2", "a better model", settled()),
        _tried("v3", "fails on part of its inputs", taken_back(WENT_OFF)),
        _tried("v4", "right, but ten times slower", taken_back(WENT_OFF.replace("errors", "latency"))),
        _tried(
            "v5",
            "quick, without an error, and silently wrong",
            taken_back("accuracy "),
            _PATIENT,
        ),
    )
}
