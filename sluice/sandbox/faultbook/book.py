"""All faults by name, in the order they are told about."""

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
    release_faults,
)
from sluice.sandbox.faultbook.fault import Fault

CHAPTERS: Mapping[str, tuple[Fault, ...]] = {
    "The way from an alarm to the rollback": event_faults.FAULTS,
    "SageMaker": endpoint_faults.FAULTS,
    "The clock and what it reads": clock_faults.FAULTS,
    "Alarms and metrics": alarm_faults.FAULTS,
    "The table, and telling people": record_faults.FAULTS,
    "Functions killed in mid-air": killed_faults.FAULTS,
    "People": people_faults.FAULTS,
    "Releases": release_faults.FAULTS,
}
BOOK: Mapping[str, Fault] = {fault.name: fault for faults in CHAPTERS.values() for fault in faults}
