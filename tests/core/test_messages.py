"""What is sent of an audit event: complete by itself, the same however often it is delivered."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.actions import Notify, Severity
from sluice.core.audit import NOTICES, record
from sluice.core.head import Head, Outcome
from sluice.core.messages import Activity, EndpointChange, PhaseChange, letter_of, letter_text, message_of, notices_of
from sluice.core.record import decode, encode
from sluice.core.rollout import Phase
from sluice.core.standing import Standing, standing
from tests.builders import NOW, head, started

PAGE = Notify(Severity.PAGE, "shop", "shop: rolling back v2", "rolling back v2 from 10 %: it fails")


def baking() -> Head:
    begun = started()
    return replace(begun, live=replace(begun.live, phase=Phase.BAKING, phase_since=NOW, step=1, canary_parts=1000))


def letter(before: Head | None, after: Head, kind: str, *notices: Notify):
    facts = {NOTICES: encode(notices)} if notices else {}
    return letter_of(record(before, after, kind, "tick", "because", NOW + 9, facts).event)


def test_an_event_says_how_its_rollout_stands_and_which_phase_it_ended() -> None:
    before = baking()
    after = replace(before, live=replace(before.live, phase=Phase.ROLLING_BACK, phase_since=NOW + 9, canary_parts=0))

    told = letter(before, after, "rolling_back").rollout

    assert (told.phase, told.phase_since, told.entered) == (Phase.ROLLING_BACK, NOW + 9, True)
    assert (told.left_phase, told.left_since) == (Phase.BAKING, NOW)
    assert (told.release, told.stable, told.step, told.canary_percent) == ("v2", "v1", 2, 0.0)


def test_the_last_event_of_a_rollout_still_says_which_rollout_it_was() -> None:
    before = baking()
    outcome = Outcome(before.live.id, "v2", before.live.release.digest, "1", Phase.ROLLED_BACK, "because", NOW + 9)

    told = letter(before, replace(before, live=None, outcome=outcome), "rolled_back").rollout

    assert (told.id, told.phase, told.phase_since, told.left_phase) == (
        before.live.id,
        Phase.ROLLED_BACK,
        NOW + 9,
        Phase.BAKING,
    )


def test_an_event_outside_of_any_rollout_stands_for_none() -> None:
    ended_strangely = replace(baking(), live=None, outcome=None)

    assert standing(None, head()) is None
    assert standing(baking(), ended_strangely) is None
    assert isinstance(message_of(letter(None, head(), "adopted")), EndpointChange)


def test_a_phase_change_and_what_happens_within_a_phase_are_told_apart() -> None:
    before = baking()
    waits = replace(before, live=replace(before.live, because="waits"))
    begun = letter(head(), started(), "submitted")

    assert isinstance(message_of(letter(before, waits, "waiting")), Activity)
    assert isinstance(message_of(begun), PhaseChange)
    assert begun.rollout.left_phase is None
    assert message_of(begun).id == f"shop/{head().version + 1}"


def test_a_notice_is_known_by_its_endpoint_its_rollout_and_its_condition() -> None:
    before = baking()
    twice = letter(before, before, "alarm_noted", replace(PAGE, about="alarm:a:5"), PAGE, PAGE)
    again = letter(replace(before, version=before.version + 7), before, "alarm_noted", replace(PAGE, about="alarm:a:5"))

    keys = [notice.dedup for _, notice in notices_of(twice)]

    name = f"shop/{before.live.id}"
    seq = before.version + 1
    assert keys == [f"{name}/alarm:a:5", f"{name}/alarm_noted:{seq}.1", f"{name}/alarm_noted:{seq}.2"]
    assert next(notices_of(again))[1].dedup == keys[0], "another event, the same condition"


def test_people_read_the_sentence_first_and_then_where_it_belongs() -> None:
    told = letter(baking(), baking(), "alarm_noted", PAGE)
    ((_, notice),) = notices_of(told)

    lines = letter_text(told, notice).splitlines()

    assert lines[0] == "rolling back v2 from 10 %: it fails"
    assert "release: v2 (before: v1)" in lines
    assert f"rollout: {told.rollout.id}: baking, step 2 of {told.rollout.steps}, canary at 10 %" in lines
    assert lines[-1] == "how it stands: sluice status shop"


def test_people_are_told_what_to_type_next() -> None:
    told = letter(baking(), baking(), "awaiting_approval", PAGE)
    ((_, notice),) = notices_of(told)

    assert letter_text(told, notice).splitlines()[-3:] == [
        "the numbers: sluice explain shop",
        "let it go on: sluice approve shop --reason WHY",
        "end it: sluice abort shop --reason WHY",
    ]


def test_outside_of_any_rollout_people_are_told_without_one() -> None:
    told = letter(None, head(), "queue_dropped", PAGE)
    ((_, notice),) = notices_of(told)

    assert notice.dedup == "shop/-/queue_dropped:1"
    assert "rollout" not in letter_text(told, notice)


def test_a_standing_comes_back_from_its_document() -> None:
    told = letter(baking(), baking(), "waiting").rollout

    assert decode(Standing, encode(told)) == told
