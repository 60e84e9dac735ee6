"""The page: a story and its charts put into the template. Everything is escaped; nothing is fetched from anywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sluice.cli.report.charts import TimeScale, rates, stripes, traffic
from sluice.cli.report.rates import block_minutes, series, stages, total
from sluice.cli.report.story import Moment, Story
from sluice.core.outlook import lasting
from sluice.core.record import canonical, encode
from sluice.core.rollout import Phase
from sluice.core.weights import percent_text

_ALARM = re.compile(r"sluice/[^\s/]+/[^\s/]+/[^\s/]+/([^\s/]+/[^\s/]+)")
_PERSON = re.compile(r"arn:aws[\w-]*:(?:iam|sts)::\d{12}:((?:user|assumed-role)/[\w+=,.@/-]*[\w+=@])")
"""Of whoever is named in a sentence, what tells them from others; beside it and in the audit events they stand whole."""
_TONES = {Phase.SETTLED: "good", Phase.ROLLED_BACK: "bad", Phase.FAILED: "bad"}
_KINDS = {
    "shifting": "up", "promoted": "good", "settled": "good", "rolling_back": "bad", "verifying": "bad",
    "rolled_back": "bad", "failed": "bad", "paused": "person",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure of the header."""

    label: str
    value: str
    more: str = ""


def page(story: Story, verify: str, now: int) -> str:
    """The whole report as one HTML document. `verify` is the command line that checks the trail."""
    scale = TimeScale(story)
    environment = Environment(
        loader=PackageLoader("sluice.cli.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_FILTERS)
    every = block_minutes(story.rows)
    measured = TimeScale(story, story.rows[0].at if story.rows else None)
    return environment.get_template("page.html.j2").render(
        story=story,
        style=Markup(files("sluice.cli.report").joinpath("style.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        tone=_TONES.get(story.phase, "live"),
        live=story.outcome is None,
        facts=_facts(story),
        traffic=traffic(story, scale),
        strip=stripes(story, scale),
        lasted=_lasted(story),
        rates=[rates(found, measured) for found in series(story.rows)],
        resolution="a minute" if every == 1 else f"for every {every} minutes",
        stages=stages(story),
        verify=verify,
        now=now,
    )


def _facts(story: Story) -> list[Fact]:
    """What somebody asks first: how far it went, for how long, how fast it came back, and what it cost."""
    rollout = story.rollout
    exposed = rollout.first_exposure_at
    made = [
        Fact(
            "Highest share asked for",
            percent_text(story.highest_parts),
            f"of steps up to {percent_text(rollout.policy.steps[-1].weight_parts)}",
        )
    ]
    if exposed is not None:
        until = (rollout.latch.weights_back_at or story.until) if rollout.latch else story.until
        made.append(Fact("With traffic for", lasting(until - exposed)))
    if exposed is not None and rollout.latch is not None and rollout.latch.weights_back_at is not None:
        back = rollout.latch.weights_back_at - rollout.latch.at
        made.append(
            Fact("Back on stable after", lasting(back), f"promised: {lasting(rollout.policy.rollback.target_seconds)}")
        )
    for name in sorted({name for row in story.rows for name in row.canary.rates}):
        canary, stable = total(story.rows, name)
        if canary is not None:
            more = f"stable: {_count(stable.events)} of {_count(stable.trials)}" if stable else ""
            made.append(
                Fact(f"{name.capitalize()} on the canary", f"{_count(canary.events)} of {_count(canary.trials)}", more)
            )
    return made


def _lasted(story: Story) -> dict[str, int]:
    """How long each phase took in all, in the order they were first entered."""
    found: dict[str, int] = {}
    for span in story.spans:
        found[span.phase.value] = found.get(span.phase.value, 0) + span.until - span.since
    return found


def _kind_of(moment: Moment) -> str:
    """The colour of a decision: up, good, bad, a person's, or plain."""
    person = moment.event.by not in ("tick", "alarm", "sweep", "pulumi", "judge")
    return _KINDS.get(moment.event.kind, "person" if person else "plain")


def _brief(text: str) -> str:
    """Alarm names without what the page says anyway: project, stack and endpoint."""
    return _ALARM.sub(r"\1", text)


def _sentence(text: str) -> str:
    """As a sentence of its own: a capital and a full stop, where the first word is no name."""
    first, _, rest = _PERSON.sub(r"\1", _brief(text)).partition(" ")
    capital = first if any(c.isdigit() or c == "-" for c in first) else first[:1].upper() + first[1:]
    whole = f"{capital} {rest}".strip()
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."


def _words(name: str) -> str:
    return name.replace("_", " ")


def _share(value: float) -> str:
    return f"{100 * value:.2f} %" if value < 0.1 else f"{100 * value:.1f} %"


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _factor(value: float) -> str:
    return f"{value:.2f}x" if value < 10 else f"{value:,.0f}x"


def _evidence(value: float) -> str:
    """Weights of evidence grow without limit; beyond a thousand nobody compares them."""
    return "over 1,000" if value > 1000 else f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _at(at: int, form: str) -> str:
    return f"{datetime.fromtimestamp(at, UTC):{form}}"


_FILTERS: dict[str, Any] = {
    "words": _words,
    "sentence": _sentence,
    "brief": _brief,
    "share": _share,
    "count": _count,
    "factor": _factor,
    "evidence": _evidence,
    "percent": percent_text,
    "lasting": lasting,
    "clock": lambda at: _at(at, "%H:%M:%S"),
    "day": lambda at: _at(at, "%-d %B %Y"),
    "iso": lambda at: _at(at, "%Y-%m-%dT%H:%M:%SZ"),
    "facts": lambda facts: canonical(encode(facts)),
    "kind_of": _kind_of,
}
