"""`calibrate`: tolerances, noise and settle time, measured on a rollout of nothing new."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sluice.cli.operate import Said
from sluice.cli.sources import Source, recorded
from sluice.cli.text import INDENT
from sluice.core.errors import BadInput
from sluice.core.record import encode
from sluice.forecast.calibration import Calibration, Measured, calibrate
from sluice.schema import read_policy

SCHEMA = 1
_WIDTHS = (8, 11, 22, 12, 8, 11, 10)


def calibrated(source: Source, policy_file: Path, release: str | None, now: float) -> Said:
    """Measure one release, in which both slots served the same model. Exit 1 when the policy tolerates too little."""
    policy = read_policy(policy_file)
    found_rows = recorded(policy, source, now)
    if release is None and len(found_rows) > 1:
        several = f"holds {len(found_rows)} releases ({', '.join(found_rows)})"
        raise BadInput((f"{source.name}: {several}: say which with --release",))
    chosen = release if release is not None else next(iter(found_rows))
    if chosen not in found_rows:
        raise BadInput((f"{source.name}: holds no release {chosen!r} (it holds {', '.join(found_rows)})",))
    found = calibrate(policy, found_rows[chosen])
    document = {"schema": SCHEMA, "policy": str(policy_file), "release": chosen, "calibration": encode(found)}
    return Said(document, tuple(_lines(policy_file, source.name, chosen, found)), 1 if found.refusals else 0)


def _lines(policy_file: Path, source: str, release: str, found: Calibration) -> Iterator[str]:
    yield f"{release} of {source}, taken as the same model in both slots, under {policy_file}"
    yield ""
    titles = ("metric", "minutes", "events", "canary to stable", "dispersion", "cold", "tolerated", "at least")
    yield (
        INDENT
        + titles[0].ljust(14)
        + "".join(title.rjust(wide) for title, wide in zip(titles[1:], _WIDTHS, strict=True))
    )
    yield from (_line(measured) for measured in found.metrics)
    yield ""
    yield f"judge.settle: {found.settle_minutes} min at least"
    if found.dispersion is not None:
        yield f"judge.dispersion: {found.dispersion:g} at least"
    for refusal in found.refusals:
        yield f"refused: {refusal}"
    if not found.refusals:
        yield "the policy's tolerances cover what identical variants show"


def _line(measured: Measured) -> str:
    ratio = "too few events"
    if measured.ratio is not None and measured.sd is not None:
        ratio = f"{measured.ratio:.3f} +- {100 * measured.sd:.1f} %"
    least = "" if measured.proposed is None else f"{measured.proposed:.3f}"
    return (
        f"{INDENT}{measured.metric:<14}{measured.minutes:>8}{measured.events:>11,.0f}{ratio:>22}"
        f"{measured.dispersion:>12.2f}{measured.cold_minutes:>5} min{measured.tolerated:>11g}{least:>10}"
    )
