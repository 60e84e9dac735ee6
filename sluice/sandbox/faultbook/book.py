"""The faults Sluice was built for, by name, in the order they are told about; and the example's releases beside them."""

from __future__ import annotations

from collections.abc import Mapping

from sluice.sandbox.faultbook import (
    alarm_faults,
    clock_faults,
    endpoint_faults,
    event_faults,
    killed_faults,
    people_faults,
    record_faults,
    registry_faults,
    release_faults,
)
from sluice.sandbox.faultbook.fault import Fault
from sluice.sandbox.faultbook.releases import RELEASES
from sluice.sandbox.faultbook.story import Told, tell
from sluice.sandbox.triage import Example

__all__ = ["BOOK", "CHAPTERS", "RELEASES", "tell_by_name"]

CHAPTERS: Mapping[str, tuple[Fault, ...]] = {
    "The way from an alarm to the rollback": event_faults.FAULTS,
    "SageMaker": endpoint_faults.FAULTS,
    "The clock and what it reads": clock_faults.FAULTS,
    "Alarms and metrics": alarm_faults.FAULTS,
    "The table, and telling people": record_faults.FAULTS,
    "Functions killed in mid-air": killed_faults.FAULTS,
    "People": people_faults.FAULTS,
    "The model registry, and evaluations": registry_faults.FAULTS,
    "Releases": release_faults.FAULTS,
}
BOOK: Mapping[str, Fault] = {fault.name: fault for faults in CHAPTERS.values() for fault in faults}


def tell_by_name(name: str, example: Example) -> Told:
    """Tell a story of the book, or try a release. Names can be sent to other processes, stories cannot."""
    return tell(BOOK.get(name) or RELEASES[name], example)
