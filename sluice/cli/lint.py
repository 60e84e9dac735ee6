"""`lint`: every fault and every warning of the files given, one line each. Silent when there is nothing to say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sluice.core.advice import advice
from sluice.core.errors import BadInput
from sluice.core.policy import Policy
from sluice.schema import read_document


@dataclass(frozen=True, slots=True)
class Linted:
    """Faults make a file unusable; warnings do not."""

    faults: tuple[str, ...]
    warnings: tuple[str, ...]


def lint(files: Iterable[Path], rps: float | None) -> Linted:
    """Read the files and say what is wrong or doubtful. Changes nothing."""
    faults: list[str] = []
    warnings: list[str] = []
    for file in files:
        try:
            document = read_document(file)
        except BadInput as fault:
            faults += fault.faults
            continue
        if isinstance(document, Policy):
            warnings += [f"{file}: warning: {line}" for line in advice(document, rps)]
    return Linted(tuple(faults), tuple(warnings))
