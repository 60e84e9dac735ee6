"""`explain`: what the judge found, metric by metric."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace

from sluice.cli.explaining import explain_lines
from sluice.cli.target import Target
from sluice.command import abort, explain
from sluice.core.evidence import read_case
from sluice.core.rollout import Phase
from sluice.sim.world import World
from sluice.submit import submit
from tests.builders import release, submission

TARGET = Target("sluice", "test", "shop", None, ())


def words(answer: dict) -> dict[str, str]:
    return {finding["metric"]: finding["word"] for finding in answer["findings"]}


def test_before_anything_was_judged_it_says_so(world: World) -> None:
    answer = explain(world.ports, "shop")

    assert answer["findings"] == []
    assert list(explain_lines(answer, TARGET, None)) == [
        "shop: nothing was judged yet; sluice status test/shop says what it waits for"
    ]


def test_while_it_bakes_it_tells_the_last_look(world: World, until: Callable[..., None]) -> None:
    until(Phase.BAKING, 1000)
    world.run(lambda: bool(world.store.heartbeat("shop").findings))

    answer = explain(world.ports, "shop")

    assert answer["event"] is None
    assert words(answer) == {"errors": "cleared", "latency": "cleared", "samples": "cleared"}
    first, why, *metrics = explain_lines(answer, TARGET, None)
    assert first == f"shop: {answer['rollout']}, at the last look (1 min ago)"
    assert why.strip().startswith("holding 10 %: ")
    assert why.endswith(" passed; errors; latency; samples"), "their numbers follow"
    assert [line.split()[0] for line in metrics[::2]] == ["errors", "latency", "samples"]
    assert all("\x1b[32mcleared\x1b[0m" in line for line in metrics[::2])
    assert [line.strip() for line in metrics[1::2]] == ["this step asks for no proof"] * 2, (
        "cleared is not yet compared"
    )


def test_a_newer_rollout_that_ended_before_anything_was_judged_is_told_first(
    world: World, until: Callable[..., None]
) -> None:
    until(Phase.BAKING, 1000)
    world.traffic.error_rate["green"] = 0.3
    world.run(lambda: world.store.head("shop").live is None)
    judged = explain(world.ports, "shop")
    submit(world.ports, replace(submission(), release=release("v3")))
    under_way = list(explain_lines(explain(world.ports, "shop"), TARGET, None))
    abort(world.ports, "shop", "ann", "wrong day")
    world.run(lambda: world.store.head("shop").live is None)

    ended = explain(world.ports, "shop")

    assert judged["since"] is None
    assert ended == {**judged, "now": ended["now"], "since": ended["since"]}
    assert under_way[0].startswith("shop: ")
    assert "was not judged: v3 was submitted against v1" in under_way[0]
    first, before, *_ = explain_lines(ended, TARGET, None)
    assert first.startswith(
        f"shop: {ended['since']['rollout']} was not judged: v3 was rolled back: aborted by ann: wrong day ("
    )
    assert before == "judged before it:"


def test_after_a_rollback_it_tells_what_led_to_it_and_where_its_rows_are(
    world: World, until: Callable[..., None]
) -> None:
    until(Phase.BAKING, 1000)
    world.traffic.error_rate["green"] = 0.3
    world.run(lambda: world.store.head("shop").live is None)

    answer = explain(world.ports, "shop")

    assert words(answer)["errors"] == "harmful"
    assert next(explain_lines(answer, TARGET, None)).startswith(f"shop: {answer['rollout']}, in event ")
    case = read_case(json.loads(world.kept[answer["rows"]]))
    assert case.judged_again().verdict == "roll_back", "the kept rows give the same judgement again"
    assert list(explain_lines(answer, TARGET, None))[-1].endswith(f"judged on rows {answer['rows']}")


def test_rows_that_cannot_be_kept_hold_up_nothing(world: World, until: Callable[..., None]) -> None:
    def no_bucket(call: str) -> None:
        if call == "keep":
            raise RuntimeError("no bucket")

    until(Phase.BAKING, 1000)
    world.traffic.error_rate["green"] = 0.3
    world.before_call = no_bucket
    world.run(lambda: world.store.head("shop").live is None)

    assert world.store.head("shop").outcome.phase is Phase.ROLLED_BACK
    assert world.kept.keys().isdisjoint({explain(world.ports, "shop")["rows"]})


def test_rows_that_cannot_be_written_down_hold_up_nothing(world: World, until: Callable[..., None]) -> None:
    until(Phase.BAKING, 1000)
    world.run(lambda: bool(world.store.heartbeat("shop").findings))
    world.traffic.p90_us["green"] = math.nan
    world.traffic.error_rate["green"] = 0.3

    world.run(lambda: world.store.head("shop").live is None)

    assert world.store.head("shop").outcome.phase is Phase.ROLLED_BACK


def test_a_comparison_says_what_it_was_judged_by(world: World, until: Callable[..., None]) -> None:
    world.traffic.error_rate = {"blue": 0.002, "green": 0.002}
    until(Phase.BAKING, 5000)
    world.run(lambda: bool(world.store.heartbeat("shop").findings), 600)

    lines = list(explain_lines(explain(world.ports, "shop"), TARGET, None))

    (terms,) = (line.strip() for line in lines if "min compared" in line)
    assert re.fullmatch(
        r"\d+ min compared; harm: evidence 0\.\d of 20 needed; this step asks for no proof; up to 1\.1x is tolerated; "
        r"scatter \d\.\dx chance",
        terms,
    )
