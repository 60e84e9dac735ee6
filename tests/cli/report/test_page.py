"""The report: what it tells, and that it stands by itself. The rollouts are the simulator's, so every number has a decision behind it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sluice.cli.report.charts import TimeScale, rates
from sluice.cli.report.page import page
from sluice.cli.report.rates import series, stages, wilson
from sluice.cli.report.story import Story, told
from sluice.command import abort
from sluice.core.audit import Event
from sluice.core.errors import BadInput
from sluice.core.observation import Counts
from sluice.core.rollout import Phase
from sluice.core.rows import Reading, limits, placed
from sluice.sim.turmoil import Turmoil
from sluice.submit import submit
from tests.browser import MISSING, Browser, browser
from tests.tick.incidents import made, next_submission

WIDTHS = {"desktop": 1280, "tablet": 768, "phone": 360}


def lived(canary_errors: float = 0.0) -> Turmoil:
    """A rollout from its submission to its end."""
    world, _ = made()
    submit(world.ports, next_submission(world))
    world.traffic.error_rate = {"green": canary_errors, "blue": 0.0}
    world.live(6 * 3600, lambda: ended(world))
    assert ended(world), world.said[-3:]
    return world


def ended(world: Turmoil) -> bool:
    head = world.store.head("shop")
    return head is not None and head.live is None


def events(world: Turmoil) -> tuple[Event, ...]:
    return tuple(world.store.events("shop"))


def story_of(world: Turmoil, rollout: str | None = None) -> Story:
    story = told(events(world), rollout, world.now)
    tried, since = story.rollout, story.rollout.first_exposure_at
    assert since is not None
    whole = since // 60 * 60, story.until // 60 * 60
    wanted = Reading("shop", tried.to_slot, tried.from_slot, tried.policy.metrics, limits(tried), *whole)
    return replace(story, rows=placed(world.ports.metrics.rows(wanted), tried.shifts))


@pytest.fixture(scope="module")
def settled() -> Story:
    return story_of(lived())


@pytest.fixture(scope="module")
def rolled_back() -> Story:
    return story_of(lived(0.6))


def test_the_story_of_a_good_rollout(settled: Story) -> None:
    assert settled.phase is Phase.SETTLED
    assert settled.highest_parts == 10_000
    assert [parts for _, parts in settled.asked][:1] == [0]
    assert [s.phase.value for s in settled.spans if s.phase is not Phase.SHIFTING] == [
        "pending", "preparing", "rehearsing", "baking", "baking", "soaking",
    ]  # fmt: skip
    assert [stage.weight_parts for stage in stages(settled)] == [1000, 5000, 10_000]


def test_the_story_of_a_bad_one_ends_at_zero_and_says_why(rolled_back: Story) -> None:
    assert rolled_back.phase is Phase.ROLLED_BACK
    assert rolled_back.highest_parts == 1000
    assert rolled_back.asked[-1][1] == 0
    assert rolled_back.sentence.startswith("v2 ")
    (stage,) = stages(rolled_back)
    ((_, canary, stable),) = [rates for rates in stage.rates if rates[0] == "errors"]
    assert canary is not None
    assert stable is not None
    assert canary.low > stable.high, "the intervals tell the slots apart"


def test_a_live_rollout_is_told_up_to_now() -> None:
    world, _ = made()
    submit(world.ports, next_submission(world))
    world.live(3600, lambda: (live := world.store.head("shop").live) is not None and live.phase is Phase.BAKING)  # type: ignore[union-attr]

    story = told(events(world), None, world.now)

    assert story.outcome is None
    assert story.until == world.now
    assert "The rollout was still live" in page(story, "sluice verify shop", world.now)


ANN = "arn:aws:iam::123456789012:user/ann"


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.PREPARING, Phase.REHEARSING, Phase.SHIFTING, Phase.BAKING])
def test_one_that_was_ended_by_a_person_is_told_whatever_its_phase_was(phase: Phase) -> None:
    world, _ = made()
    submit(world.ports, next_submission(world))
    world.live(3600, lambda: (live := world.store.head("shop").live) is not None and live.phase is phase)  # type: ignore[union-attr]
    abort(world.ports, "shop", ANN, "wrong day")
    world.live(3600, lambda: world.store.head("shop").live is None)  # type: ignore[union-attr]

    story = told(events(world), None, world.now)

    shown = page(story, "sluice verify dev/shop", world.now)
    assert len(stages(story)) == (phase in (Phase.SHIFTING, Phase.BAKING))
    assert ("Back on stable after" in shown) == (phase in (Phase.SHIFTING, Phase.BAKING)), (
        "where nothing was given, nothing comes back"
    )
    assert re.search(r"<h1[^>]*>[^<]*aborted by user/ann: wrong day", shown), "a person's name without the account's"
    assert f"by {ANN}" in shown


def test_the_newest_rollout_is_told_unless_another_is_asked_for(settled: Story) -> None:
    world = lived()
    first = told(events(world), None, world.now).rollout.id
    submit(world.ports, next_submission(world))

    assert told(events(world), None, world.now).rollout.id != first
    assert told(events(world), first, world.now).phase is Phase.SETTLED
    with pytest.raises(BadInput, match=f"there is no rollout 'shop-9' .newest first: .*, {first}"):
        told(events(world), "shop-9", world.now)


def test_nothing_rolled_out_is_nothing_to_report() -> None:
    world, _ = made()

    with pytest.raises(BadInput, match="nothing has been rolled out yet"):
        told(events(world), None, world.now)


def test_wilsons_interval_is_the_published_one() -> None:
    """Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20 and 1 of 29."""
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }

    for (events_, trials), (low, high) in published.items():
        found = wilson(events_, trials)
        assert found is not None
        assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert wilson(0, 0) is None


def test_a_long_rollout_is_pooled_without_losing_a_request(settled: Story) -> None:
    (errors,) = [found for found in series(settled.rows) if found.metric == "errors"]

    counted = sum(point.canary.trials for point in errors.points if point.canary is not None)
    assert len(errors.points) <= 48
    assert counted == sum(row.canary.rates["errors"].trials for row in settled.rows if "errors" in row.canary.rates)


def test_minutes_that_are_missing_are_left_out_and_said(settled: Story) -> None:
    gone = replace(settled, rows=(), rows_missing="CloudWatch keeps minutes for 15 days; this rollout is older.")

    assert "this rollout is older" in page(gone, "sluice verify shop", gone.until)


def test_what_never_happened_is_said_and_not_drawn_as_a_wall_of_chance(settled: Story) -> None:
    calm = [rates(found, TimeScale(settled)) for found in series(settled.rows) if found.metric == "errors"]

    assert [(chart.title, [line.band for line in chart.lines]) for chart in calm] == [
        ("Errors: none on either side", ["", ""])
    ]


def test_what_people_wrote_cannot_become_markup(settled: Story) -> None:
    """A reason, a release's name and a metric's name are other people's texts."""
    evil = "<script>alert(1)</script>"
    rollout = replace(settled.rollout, release=replace(settled.rollout.release, name=evil))
    row = settled.rows[0]
    rows = (replace(row, canary=replace(row.canary, rates={evil: Counts(10, 1)})), *settled.rows[1:])
    moments = (replace(settled.moments[0], event=replace(settled.moments[0].event, because=evil)), *settled.moments[1:])

    text = page(replace(settled, rollout=rollout, rows=rows, moments=moments), "sluice verify shop", settled.until)

    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 3


def test_what_the_judge_found_is_shown_with_its_evidence_against_the_need(settled: Story) -> None:
    assert {finding["metric"] for finding in settled.findings} >= {"errors"}
    text = page(settled, "sluice verify shop", settled.until)

    assert "What the judge found" in text
    assert re.search(r"[\d.]+ of 20<i aria-hidden", text), "evidence of harm against its need"
    without = replace(settled, findings=())
    assert "What the judge found" not in page(without, "sluice verify shop", settled.until)


class Structure(HTMLParser):
    """What matters to who cannot see the page: headings in order, pictures with words, tables with captions."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_makes_sense_without_being_seen(settled: Story) -> None:
    structure = Structure()
    structure.feed(page(settled, "sluice verify shop", settled.until))
    tags = structure.tags
    headings = [int(tag[1]) for tag, _ in tags if re.fullmatch(r"h\d", tag)]
    labels = {given["aria-labelledby"] for _, given in tags if given.get("aria-labelledby")}

    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))
    assert all(given.get("aria-label") for tag, given in tags if tag == "svg")
    assert [tag for tag, _ in tags].count("table") == [tag for tag, _ in tags].count("caption")
    assert labels <= {given.get("id") for _, given in tags}
    assert ("html", {"lang": "en"}) in tags


def test_colours_can_be_told_from_what_they_stand_on() -> None:
    """WCAG 2.2 AA: 4.5 to 1 for text, in both schemes, on every ground it stands on."""
    from importlib.resources import files

    css = files("sluice.cli.report").joinpath("style.css").read_text()
    schemes = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    ]
    assert len(schemes) == 2
    for colours in schemes:
        for ink in ("ink", "soft", "canary", "stable", "good", "bad", "live", "wait"):
            for ground in ("paper", "card"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground, colours)
        for tone in ("good", "bad", "live"):
            assert contrast(colours[tone], colours[f"{tone}-wash"]) >= 4.5, tone


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# In a real browser


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if MISSING:
        pytest.skip(MISSING)
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def written(settled: Story, rolled_back: Story, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("pages")
    stories = {"settled": settled, "rolled_back": rolled_back}

    def write(name: str) -> Path:
        file = folder / f"{name}.html"
        file.write_text(page(stories[name], "sluice verify dev/shop", stories[name].until), encoding="utf-8")
        return file

    return write


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=list(WIDTHS))
@pytest.mark.parametrize("name", ["settled", "rolled_back"])
def test_the_page_fits_asks_nobody_and_says_nothing_wrong(
    shown: Browser, written: Callable[[str], Path], name: str, width: int, scheme: str
) -> None:
    file = written(name)

    shown.open(file, width, scheme)
    shown.run("document.querySelector('details').open = true")

    assert shown.requested() == [file.as_uri()], "the page needs nothing but itself"
    assert shown.run("return document.documentElement.scrollWidth") <= width, "nothing sticks out to the side"
    assert shown.driver.get_log("browser") == []
    ground = shown.run("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 3 * 128) == (scheme == "dark")


def test_labels_of_an_axis_do_not_cover_each_other(shown: Browser, written: Callable[[str], Path]) -> None:
    for name in ("settled", "rolled_back"):
        for width in WIDTHS.values():
            shown.open(written(name), width, "light")

            covered = shown.run(_COVERED)

            assert covered == [], f"{name} at {width}"


def test_a_phase_is_named_where_its_whole_word_fits(shown: Browser, written: Callable[[str], Path]) -> None:
    for width in WIDTHS.values():
        shown.open(written("settled"), width, "light")

        words = shown.run(_PHASES)

        assert "preparing" in [word for word, is_seen, _ in words if is_seen]
        assert [word for word, is_seen, is_cut in words if is_seen and is_cut] == [], f"cut at {width}"


_PHASES = """
return [...document.querySelectorAll('.strip b')].map(word => {
  const [mine, piece] = [word.getBoundingClientRect(), word.parentElement.getBoundingClientRect()];
  return [word.textContent, mine.top < piece.bottom - 1, mine.right > piece.right + 1];
});
"""
_COVERED = """
const found = [];
for (const axis of document.querySelectorAll('.plot .x, .plot .y')) {
  const boxes = [...axis.children].filter(e => e.offsetParent !== null).map(e => [e.textContent, e.getBoundingClientRect()]);
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
    const [a, b] = [boxes[i][1], boxes[j][1]];
    if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) found.push([boxes[i][0], boxes[j][0]]);
  }
}
return found;
"""
