"""What people tell a rollout and ask about it, as sessions: each command as typed, for people at 80 columns and for programs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sluice.cli.invoke import Answer, CommandFailed
from tests.cli.conftest import NOW, Desk, baking, outcome, status
from tests.schema.documents import release_document

Golden = Callable[[str], None]
ANN = "arn:aws:sts::123456789012:assumed-role/oncall/ann"
CI = "arn:aws:iam::123456789012:user/ci"


def said(result: str) -> dict[str, Any]:
    return {"schema": 1, "endpoint": "dev-triage", "result": result}


def refused(kind: str, sentence: str) -> Answer:
    return Answer({"errorType": kind, "errorMessage": sentence}, True)


TOLD = {
    "pause": (
        said(f"{ANN} pauses v2 before its next step: looking at a ticket"),
        refused("Refused", f"endpoint 'dev-triage': v2 is paused already, by {ANN}: looking at a ticket"),
    ),
    "resume": (
        said(f"resumed by {ANN}: not ours"),
        refused("Refused", "endpoint 'dev-triage': v2 was not paused by a person."),
    ),
    "skip": (
        said(f"{ANN} skips the rest of the bake at 25 %: a quiet night"),
        refused("Refused", "endpoint 'dev-triage': v2 is shifting: only a bake can be skipped."),
    ),
    "promote": (
        said(f"{ANN} promotes v2 as soon as this step has its minimum evidence: the fix is urgent"),
        refused("Refused", "endpoint 'dev-triage': v2 is at 100 % already: there is no step left to promote."),
    ),
    "approve": (
        said(f"50 % approved by {ANN}: numbers look good"),
        refused("Forbidden", f"{CI} submitted v2, and nobody approves their own release."),
    ),
    "force": (
        said(f"{ANN} forces v2 to 50 %: the gate is down"),
        refused(
            "Refused",
            "endpoint 'dev-triage': v2 does harm (errors 2.3 % against 0.4 %): `resume` or roll it back first.",
        ),
    ),
    "stop": (
        said(f"every step up is stopped by {ANN}: incident 4711"),
        refused("Refused", f"endpoint 'dev-triage' is stopped already, by {ANN}: incident 4711"),
    ),
    "lift": (
        said(f"the stop of {ANN} is lifted by {ANN}: incident 4711 is over"),
        refused("Refused", "endpoint 'dev-triage' is not stopped."),
    ),
}
REASONS = {word: answers[0]["result"].rpartition(": ")[2] for word, answers in TOLD.items()}


def session(desk: Desk, lines: list[tuple[str, Any]]) -> str:
    """Each command line with what it answers; 80 columns wide, like most terminals."""
    desk.width = 80

    def typed() -> Iterator[str]:
        for line, answer in lines:
            desk.answers = answer if isinstance(answer, list) else [answer]
            ran = desk.run(*shlex.split(line))
            gap = "" if not ran.out or ran.out.endswith("\n") else "\n"  # a terminal gets one from the live picture
            yield f"$ sluice {line}\n{ran.out}{gap}{ran.transcript.removeprefix(ran.out)}"

    return "\n".join(typed())


@pytest.mark.golden
@pytest.mark.parametrize("word", TOLD)
def test_telling(desk: Desk, golden: Golden, word: str) -> None:
    done, not_done = TOLD[word]
    line = f"{word} dev-triage --reason '{REASONS[word]}'"

    golden(
        session(
            desk,
            [
                (line, done),
                (f"{line} --no-color", done),
                (f"{line} --json", done),
                (line, not_done),
                (f"{line} --json", not_done),
                (f"{word} dev-triage --reason ' '", done),
            ],
        )
    )
    assert [(request["action"], request["reason"]) for _, _, request in desk.asked] == [(word, REASONS[word])] * 5


@pytest.mark.golden
def test_stopping_every_endpoint_of_a_stack(desk: Desk, golden: Golden) -> None:
    stopped = f"every step up is stopped by {ANN}: incident 4711"
    everywhere = {**said(f"dev-fraud: {stopped}\ndev-triage: {stopped}"), "endpoint": "*"}

    golden(session(desk, [("stop 'dev/*' --reason 'incident 4711'", everywhere)]))


@pytest.mark.golden
def test_rollback_to(desk: Desk, golden: Golden) -> None:
    begun = said("v1 was submitted against v2: green to blue")
    unknown = refused(
        "Refused", "endpoint 'dev-triage': no kept release is called 'v7' (kept: v1 (5fdf9603), v0 (91ce00af))."
    )

    golden(
        session(
            desk,
            [
                ("rollback dev-triage --to v1 --reason 'v2 misreads a new form'", begun),
                ("rollback dev-triage --to v1 --reason 'v2 misreads a new form' --json", begun),
                ("rollback dev-triage --to v7 --reason 'v2 misreads a new form'", unknown),
                ("rollback dev-triage --to v1 --reason x --wait 60", begun),
            ],
        )
    )


JUDGED = json.loads(Path(__file__).with_name("judged.json").read_text())
"""What the sandbox's judge said of v5 (no errors, worse answers) under the standard policy, with its accuracy added."""
OBSERVED = {
    "metric": "clicks",
    "word": "unproven",
    "observed": True,
    "numbers": "not seen: nothing was reported of the canary",
    "evidence": None,
}


@pytest.mark.golden
def test_explain(desk: Desk, golden: Golden) -> None:
    answer = {
        "schema": 1,
        "endpoint": "dev-triage",
        "now": NOW,
        "rollout": "dev-triage-22222222-2",
        "at": NOW - 50,
        "because": JUDGED["because"],
        "event": None,
        "rows": None,
        "findings": [*JUDGED["findings"], OBSERVED],
    }
    recorded = {**answer, "event": 14, "rows": "8b84f151ffa6"}
    nothing = {**answer, **dict.fromkeys(("rollout", "at", "because", "event", "rows")), "findings": []}

    golden(
        session(
            desk,
            [
                ("explain dev-triage", answer),
                ("explain dev-triage --json --no-color", recorded),
                ("explain dev-triage --no-color", recorded),
                ("explain dev-triage", nothing),
            ],
        )
    )


@pytest.mark.golden
def test_submit(desk: Desk, golden: Golden) -> None:
    (desk.folder / "v1.json").write_text(json.dumps(release_document()))
    (desk.folder / "broken.json").write_text(json.dumps({**release_document(), "image": "repo:latest", "size": 3}))
    begun = said("v1 was submitted against v2: green to blue")
    kept_out = refused(
        "Refused",
        "endpoint 'dev-triage': v1 has the model of v1, which was rolled back (errors went off) and is quarantined for another 24 h. "
        "Fix the model and submit a new release.",
    )

    golden(
        session(
            desk,
            [
                ("submit dev-triage v1.json --reason 'the fix'", begun),
                ("submit dev-triage v1.json --reason 'the fix' --nonce again --json", begun),
                ("submit dev-triage v1.json --reason 'the fix' --no-color", kept_out),
                ("submit dev-triage broken.json --reason 'the fix'", begun),
                ("submit dev-triage gone.json --reason 'the fix'", begun),
            ],
        )
    )
    assert [(asked["action"], asked["nonce"]) for _, _, asked in desk.asked] == [
        ("submit", "1"),
        ("submit", "again"),
        ("submit", "1"),
    ]


@pytest.mark.golden
def test_watch(desk: Desk, golden: Golden) -> None:
    """On a terminal the picture as it stays in the end; piped one line for each change; a look that failed is said."""
    ended = outcome(
        "rolled_back",
        rollout_id="dev-triage-22222222-2",
        release_name="v2",
        because="v2 was rolled back: errors went off",
    )
    back = baking(
        phase="rolling_back", canary_parts=0, actual_parts=0, said="rolling back v2 from 25 %", said_at=NOW + 8
    )
    story = [baking(), CommandFailed("shop-dev-command did not answer"), back, status(last_outcome=ended)]

    terminal = session(desk, [("watch dev-triage --no-color", list(story))])
    desk.width = None
    desk.answers = list(story)
    golden(terminal + "\n$ sluice watch dev-triage | cat\n" + desk.run("watch", "dev-triage", "--no-color").transcript)
