"""What one rollout's report tells, as values: read from its audit events and its minutes. How it looks is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sluice.core.audit import Event, states
from sluice.core.errors import BadInput
from sluice.core.head import Head, Outcome
from sluice.core.observation import Row
from sluice.core.rollout import ENDED, Phase, Rollout
from sluice.core.weights import WHOLE, parts_of_shares


@dataclass(frozen=True, slots=True)
class Moment:
    """One event of the rollout, with the canary's weight asked for after it, and the weight the decision saw."""

    event: Event
    phase: Phase
    asked_parts: int
    seen_parts: int | None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in one phase, in seconds since the epoch."""

    phase: Phase
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Story:
    """One rollout from its submission to `until`: its end, or the moment of the report while it is live."""

    rollout: Rollout
    outcome: Outcome | None
    until: int
    moments: tuple[Moment, ...]
    rows: tuple[Row, ...]
    rows_missing: str | None
    findings: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def phase(self) -> Phase:
        return self.outcome.phase if self.outcome else self.rollout.phase

    @property
    def sentence(self) -> str:
        """How it ended, or where it stands."""
        because = self.outcome.because if self.outcome else self.rollout.because
        return because if self.rollout.release.name in because else f"{self.rollout.release.name}: {because}"

    @property
    def highest_parts(self) -> int:
        return max((moment.asked_parts for moment in self.moments), default=0)

    @property
    def spans(self) -> tuple[Span, ...]:
        """The phases in order, without gaps."""
        found: list[Span] = []
        for moment, until in self._stretches():
            if found and found[-1].phase is moment.phase:
                found[-1] = Span(moment.phase, found[-1].since, until)
            elif moment.phase not in ENDED:
                found.append(Span(moment.phase, moment.event.at, until))
        return tuple(found)

    @property
    def asked(self) -> tuple[tuple[int, int], ...]:
        """(time, canary's weight asked for from then on)."""
        points = [(moment.event.at, moment.asked_parts) for moment in self.moments]
        return (*points, (self.until, points[-1][1]))

    @property
    def actual(self) -> tuple[tuple[int, int], ...]:
        """(minute, canary's share of the requests that were answered); from the decisions' own looks where there are no minutes."""
        shares = tuple(_shares(self.rows))
        if shares:
            return shares
        return tuple((m.event.at, m.seen_parts) for m in self.moments if m.seen_parts is not None)

    def _stretches(self) -> Iterator[tuple[Moment, int]]:
        ends = [moment.event.at for moment in self.moments[1:]]
        yield from zip(self.moments, [*ends, self.until], strict=True)


def told(events: Iterable[Event], rollout_id: str | None, now: int) -> Story:
    """The story of one rollout without its minutes; None is the newest one. Raises BadInput when there is no such rollout."""
    found = [(event, head) for event, head in states(events) if event.rollout is not None]
    ids = list(dict.fromkeys(event.rollout for event, _ in found))
    if not ids:
        raise BadInput(("nothing has been rolled out yet: there is nothing to report",))
    wanted = rollout_id or ids[-1]
    mine = [(event, head) for event, head in found if event.rollout == wanted]
    if not mine:
        raise BadInput(
            (f"--rollout: there is no rollout {wanted!r} (newest first: {', '.join(map(str, ids[::-1][:5]))})",)
        )
    return _of(mine, now)


def _of(mine: Sequence[tuple[Event, Head]], now: int) -> Story:
    last: Rollout | None = None
    outcome: Outcome | None = None
    moments = []
    for event, head in mine:
        if head.live is not None and head.live.id == event.rollout:
            last = head.live
        elif head.outcome is not None and head.outcome.rollout_id == event.rollout:
            outcome = outcome or head.outcome
        if last is None:
            raise BadInput(
                (
                    f"event {event.seq} tells of rollout {event.rollout}, which no event before it began: run `sluice verify`",
                )
            )
        moments.append(_moment(event, last, outcome))
    assert last is not None
    return Story(last, outcome, outcome.ended_at if outcome else now, tuple(moments), (), None, _findings(mine))


def _moment(event: Event, rollout: Rollout, outcome: Outcome | None) -> Moment:
    """After the end nothing is asked for any more: the canary has everything or nothing."""
    asked = rollout.canary_parts
    if outcome is not None:
        asked = WHOLE if outcome.phase is Phase.SETTLED else 0
    seen = event.facts.get("parts")
    parts = seen.get(rollout.to_slot, 0) if isinstance(seen, Mapping) else None
    return Moment(event, outcome.phase if outcome else rollout.phase, asked, parts)


def _findings(mine: Iterable[tuple[Event, Head]]) -> tuple[Mapping[str, Any], ...]:
    """What the judge recorded with its decisions, where it did."""
    return tuple(
        {"at": event.at, **finding}
        for event, _ in mine
        for finding in event.facts.get("findings", ())
        if isinstance(finding, Mapping)
    )


def _shares(rows: Iterable[Row]) -> Iterator[tuple[int, int]]:
    for row in rows:
        canary = max((counts.trials for counts in row.canary.rates.values()), default=0.0)
        stable = max((counts.trials for counts in row.stable.rates.values()), default=0.0)
        if canary + stable > 0:
            yield row.at, parts_of_shares({"canary": canary, "stable": stable})["canary"]
