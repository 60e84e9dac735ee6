"""The postmortem of a rollback, in Markdown: what happened, what it cost, whether it happened before, how to see it again.

Pure: events and minutes in, text out. What nobody can know from the records is left as a question for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sluice.core.audit import Event
from sluice.core.decision import duration_text
from sluice.core.head import Outcome
from sluice.core.observation import Counts, Row
from sluice.core.policy import Bad, RateMetric
from sluice.core.rollout import Phase, Rollout
from sluice.core.weights import percent_text

_LOOKED_AT = ("rolling_back", "rolled_back", "failed")


@dataclass(frozen=True, slots=True)
class Incident:
    """One release taken back. `events` are the endpoint's whole trail up to its end, `rows` the minutes since its exposure.

    `preserved` is where the failed artifact is kept, or the sentence that says why it is not; `stable` what serves now.
    """

    rollout: Rollout
    outcome: Outcome
    events: tuple[Event, ...]
    rows: tuple[Row, ...]
    preserved: str
    stable: str

    @property
    def title(self) -> str:
        return f"{self.rollout.endpoint}: {self.rollout.release.name} {self.outcome.phase.value.replace('_', ' ')}"


def harmed_requests(rows: Iterable[Row], metric: str) -> tuple[Counts, Counts, float] | None:
    """What was counted on the canary and on stable, and how many events the canary had more than stable's own rate would give it
    (fewer: negative); None where the canary had none to count.
    """
    listed = list(rows)
    canary = _sum(row.canary.rates.get(metric) for row in listed)
    stable = _sum(row.stable.rates.get(metric) for row in listed)
    if canary.trials <= 0:
        return None
    usual = stable.events / stable.trials if stable.trials else 0.0
    return canary, stable, canary.events - usual * canary.trials


def _sum(minutes: Iterable[Counts | None]) -> Counts:
    counted = [counts for counts in minutes if counts is not None]
    return Counts(sum(counts.trials for counts in counted), sum(counts.events for counts in counted))


def postmortem(incident: Incident) -> str:
    """The whole document."""
    rollout = incident.rollout
    parts = [
        f"# {incident.title}",
        f"{incident.outcome.because}. Rollout `{rollout.id}`, {rollout.release.name} against {rollout.stable.name}, {_when(incident)}.",
        _section("Impact", _impact(incident)),
        _section("Timeline (UTC)", _timeline(incident)),
        _section("What the decision rested on", _findings(incident)),
        _section("Stable now", [incident.stable]),
        _section("What it cost", _cost(incident)),
        _section("Has it happened before?", _recurrence(incident)),
        _section("To see it again", _reproduction(incident)),
        _section("For people to answer", _QUESTIONS),
    ]
    return "\n\n".join(parts) + "\n"


_QUESTIONS = (
    "Why did the release do this? What changed against the one before?",
    "Why did evaluation before the rollout not show it? Which sample belongs into the smoke test?",
    "Would the policy have caught it earlier with another first step? `sluice forecast` answers that.",
)


def _section(title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"## {title}", "", *(f"- {line}" for line in lines)])


def _impact(incident: Incident) -> Iterator[str]:
    rollout = incident.rollout
    exposed, latch = rollout.first_exposure_at, rollout.latch
    if exposed is None:
        yield "The canary never had traffic: nobody was harmed."
        return
    back = latch.weights_back_at if latch else None
    lasted = duration_text((back or incident.outcome.ended_at) - exposed)
    yield f"The canary had traffic for {lasted}, at most {percent_text(_highest(incident))}."
    if latch is not None and back is not None:
        target = rollout.policy.rollback.target_seconds
        yield f"From the decision to stable's weights read back: {duration_text(back - latch.at)} (promised: {duration_text(target)})."
    for metric in sorted({name for row in incident.rows for name in row.canary.rates}):
        counted = harmed_requests(incident.rows, metric)
        if counted is not None:
            yield _harm(metric, *counted, is_good=_is_good(rollout, metric))
    if not incident.rows:
        yield "No minute was measured while it had traffic, so requests harmed cannot be counted."


def _harm(metric: str, canary: Counts, stable: Counts, beyond: float, *, is_good: bool) -> str:
    """`is_good`: what is counted is what one wants, such as right answers; then too few of them are the harm."""
    against = f"{_share(stable)} of stable's" if stable.trials else "none of stable's to compare with"
    harm = max(0.0, -beyond if is_good else beyond)
    word = "fewer" if is_good else "more"
    return f"{metric}: {_share(canary)} requests to the canary, {against}; {harm:,.0f} {word} than stable's own rate would give."


def _share(counts: Counts) -> str:
    return f"{counts.events:,.0f} of {counts.trials:,.0f} ({100 * counts.events / counts.trials:.3g} %)"


def _is_good(rollout: Rollout, metric: str) -> bool:
    found = rollout.policy.metrics.get(metric)
    return isinstance(found, RateMetric) and found.terms.bad is Bad.LOW


def _highest(incident: Incident) -> int:
    asked = [event.change["set"].get("live\tcanary_parts", 0) for event in _mine(incident)]
    return max([parts for parts in asked if isinstance(parts, int)], default=0)


def _timeline(incident: Incident) -> Iterator[str]:
    for event in _mine(incident):
        yield f"{_clock(event.at)} {event.because} ({event.kind}, by {event.by}, event {event.seq})"


def _findings(incident: Incident) -> Iterator[str]:
    latch = incident.rollout.latch
    if latch is not None:
        yield f"{latch.cause} (decided by {latch.by})"
    for event in _mine(incident):
        if event.kind not in _LOOKED_AT:
            continue
        for name in event.facts.get("firing", ()):
            yield f"alarm {name} was in ALARM at {_clock(event.at)}"
        for finding in event.facts.get("findings", ()):
            yield f"{finding['metric']}: {finding['word']}, {finding['numbers']}"


def _cost(incident: Incident) -> Iterator[str]:
    """Instance hours, not money: prices are the account's."""
    rollout = incident.rollout
    hours = (incident.outcome.ended_at - rollout.started_at) / 3600 * rollout.instances
    kept = duration_text(rollout.policy.evidence_for_seconds)
    yield f"The canary's slot: {hours:.1f} instance hours of {rollout.release.instance_type} so far, kept {kept} more as evidence."


def _recurrence(incident: Incident) -> Iterator[str]:
    """Earlier ends of this kind on the endpoint, newest first."""
    rollout, mine = incident.rollout, incident.rollout.id
    ended = [
        e for e in incident.events if e.kind in (Phase.ROLLED_BACK.value, Phase.FAILED.value) and e.rollout != mine
    ]
    yield (
        f"{len(ended)} earlier {'release was' if len(ended) == 1 else 'releases were'} taken back on {rollout.endpoint}."
        if ended
        else "No: it is the first release taken back here."
    )
    for event in ended[::-1][:5]:
        yield f"{datetime.fromtimestamp(event.at, UTC):%Y-%m-%d} {event.because} (rollout `{event.rollout}`)"


def _reproduction(incident: Incident) -> Iterator[str]:
    release = incident.rollout.release
    yield f"The artifact: {incident.preserved}"
    yield f"SHA-256 `{release.artifact.sha256}`, image `{release.image}`, environment {_environment(release.environment)}."
    captures = f"captures of the time are under `{incident.rollout.endpoint}/` in the capture bucket"
    yield f"Serve it alone with that image and send it recorded requests: {captures}."
    yield f"The whole story: `sluice report {incident.rollout.endpoint} --rollout {incident.rollout.id} -o report.html`."


def _environment(given: Mapping[str, str]) -> str:
    """As a shell would take it."""
    return ", ".join(f"`{name}={value}`" for name, value in sorted(given.items())) or "empty"


def _mine(incident: Incident) -> Sequence[Event]:
    return [event for event in incident.events if event.rollout == incident.rollout.id]


def _when(incident: Incident) -> str:
    """With the date: what is read in a month has none of its own."""
    began, ended = (datetime.fromtimestamp(at, UTC) for at in (incident.rollout.started_at, incident.outcome.ended_at))
    until = f"{ended:%H:%M}" if began.date() == ended.date() else f"{ended:%Y-%m-%d %H:%M}"
    return f"{began:%Y-%m-%d %H:%M} to {until} UTC"


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"
