"""`verify` and `export`: the audit trail checked against its archive, and handed out whole."""

from __future__ import annotations

from collections.abc import Iterator

from sluice.aws.trail import archive_bucket_of, archived_trail, table_time, table_trail
from sluice.cli.operate import FAILED, GOOD, Said
from sluice.cli.records import known_head, records_of
from sluice.cli.target import Target
from sluice.cli.text import wrapped
from sluice.core.record import canonical, encode
from sluice.core.trail import Trail, check_trail

TRAIL_SCHEMA = 1


def verify(target: Target, width: int | None, *, with_archive: bool) -> Said:
    """Every damage by name, exit 1; or one sentence that says what was checked."""
    with records_of(target) as store:
        bucket = archive_bucket_of(target.of("archive")) if with_archive else None
        head = store.head(target.endpoint)
        table = table_trail(target.table, target.endpoint)
        archive = archived_trail(bucket, target.endpoint) if bucket else None
        if head is None and not table and (archive is None or not archive.kept):
            known_head(store, target)
        trail = check_trail(target.endpoint, table, head, archive, table_time(target.table, target.endpoint))
    document = {"schema": TRAIL_SCHEMA, "endpoint": target.endpoint, "archive": bucket, **encode(trail)}
    lines = [wrapped(line, 0, width) for line in _lines(target, trail)]
    return Said(document, lines, FAILED if trail.damages else GOOD)


def export(target: Target) -> Iterator[str]:
    """One JSON document a line: each event as it is stored, then the outcome of the last rollout that ended."""
    with records_of(target) as store:
        head = known_head(store, target)
        for event in store.events(target.endpoint):
            yield canonical({"type": "event", **encode(event)})
        if head.outcome is not None:
            yield canonical({"type": "outcome", "endpoint": target.endpoint, **encode(head.outcome)})


def _lines(target: Target, trail: Trail) -> Iterator[str]:
    for damage in trail.damages:
        yield damage.sentence
    if trail.damages:
        count = len(trail.damages)
        yield f"{target.endpoint}: the trail of {trail.events} events is damaged in {count} {'place' if count == 1 else 'places'}"
        return
    yield f"{target.endpoint}: {_counted(trail.events)} in an unbroken chain that leads to the stored record; {_archived(trail)}"


def _counted(events: int) -> str:
    return "1 event" if events == 1 else f"{events} events"


def _archived(trail: Trail) -> str:
    if trail.archived is None:
        return "not compared with the archive"
    waiting = f", {trail.waiting} on their way to it" if trail.waiting else ""
    return f"{trail.archived} of them equal in the locked archive{waiting}"
