"""The example's releases, each tried as it is: nothing goes wrong but what is wrong with the release itself."""

from __future__ import annotations

from collections.abc import Mapping

from sluice.sandbox.faultbook.fault import PENDING, WENT_OFF, Ending, Fault, settled, taken_back
from sluice.sandbox.faultbook.scene import Scene


def _nothing(scene: Scene) -> None:
    """The release does the rest."""


def _tried(name: str, about: str, ends: Ending, caveat: str | None = None) -> Fault:
    return Fault(name, about, PENDING, _nothing, ends, release=name, caveat=caveat)


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
        ),
    )
}
