"""Weights, names, releases and records: the small values everything stands on."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

import pytest

from sluice.core.actions import VariantSpec
from sluice.core.decision import duration_text, live
from sluice.core.errors import BadInput, SluiceError
from sluice.core.names import (
    AlarmName,
    alarm_prefix,
    config_name,
    created_prefix,
    is_created,
    metrics_namespace,
    model_name,
    name_root,
    outcome_namespace,
    parse_alarm_name,
    rollout_id,
)
from sluice.core.policy import Policy
from sluice.core.record import decode, difference, encode, patched
from sluice.core.release import Artifact, release_from_tags, release_tags
from sluice.core.weights import WHOLE, parts_of_percent, parts_of_shares, percent_text
from tests.builders import SETTINGS, head, policy, release


@pytest.mark.parametrize(("percent", "parts"), [(1, 100), (0.01, 1), ("33.33", 3333), (100, WHOLE)])
def test_percent_becomes_whole_parts(percent: object, parts: int) -> None:
    assert parts_of_percent(percent) == parts


@pytest.mark.parametrize("percent", [0, 0.001, 100.01, -5, "nan", "inf"])
def test_a_percentage_that_is_not_whole_parts_is_refused(percent: object) -> None:
    with pytest.raises(ValueError, match="must be a percentage"):
        parts_of_percent(percent)


def test_parts_are_shown_as_people_write_them() -> None:
    assert [percent_text(parts) for parts in (2500, 1, 250, WHOLE, 0)] == ["25 %", "0.01 %", "2.5 %", "100 %", "0 %"]


def test_live_weights_become_parts_that_always_sum_to_the_whole() -> None:
    assert parts_of_shares({"blue": 1.0, "green": 0.0}) == {"blue": WHOLE, "green": 0}
    assert parts_of_shares({"a": 1.0, "b": 1.0, "c": 1.0}) == {"a": 3334, "b": 3333, "c": 3333}
    assert parts_of_shares({"a": 0.0, "b": 0.0}) == {"a": 0, "b": 0}, "nobody can say where traffic goes then"


@pytest.mark.parametrize(
    ("seconds", "text"), [(45, "45 s"), (360, "6 min"), (390, "6 min 30 s"), (90_000, "25 h"), (-3, "0 s")]
)
def test_durations_are_as_long_as_needed(seconds: int, text: str) -> None:
    assert duration_text(seconds) == text


def test_alarm_names_carry_their_parts_and_a_prefix_that_cannot_match_a_neighbour() -> None:
    name = AlarmName("sluice", "dev", "shop", "green", "errors")

    assert parse_alarm_name(str(name)) == name
    assert str(name).startswith(alarm_prefix("sluice", "dev"))
    assert not str(AlarmName("sluice", "dev-eu", "shop", "green", "errors")).startswith(alarm_prefix("sluice", "dev"))
    assert parse_alarm_name("somebody/elses") is None
    assert parse_alarm_name("sluice/a/b//d/e") is None


def test_names_are_content_addressed_and_within_sagemakers_limit() -> None:
    long = "a" * 62
    variant = VariantSpec("blue", "m", "ml.m5.large", 1, 1)

    assert model_name("shop", release("v1"), SETTINGS) == model_name(
        "shop", replace(release("v1"), name="other"), SETTINGS
    )
    assert model_name("shop", release("v1"), SETTINGS) != model_name("shop", release("v2"), SETTINGS)
    assert len(model_name(long, release(), SETTINGS)) <= 63
    assert config_name("shop", (variant,), SETTINGS) != config_name("shop", (replace(variant, instances=2),), SETTINGS)
    assert len(rollout_id(long, release(), 12) + "-g99") <= 80


def test_what_was_made_for_one_endpoint_is_not_taken_for_anothers() -> None:
    made = model_name("shop-eu", release(), SETTINGS)

    assert is_created("sluice-abc123", "shop-eu", made)
    assert made.startswith(created_prefix("sluice-abc123", "shop"))
    assert not is_created("sluice-abc123", "shop", made)
    assert not is_created("sluice-abc124", "shop-eu", made), "another control plane's"


def test_long_names_that_begin_alike_stay_apart() -> None:
    one, other = "a" * 60 + "-eu", "a" * 60 + "-us"

    assert created_prefix("sluice-abc123", one) != created_prefix("sluice-abc123", other)
    assert rollout_id(one, release(), 1) != rollout_id(other, release(), 1)


def test_each_stack_has_a_root_of_its_own_for_names() -> None:
    roots = {name_root("shop", "dev"), name_root("shop", "prod"), name_root("shop-dev", ""), name_root("dev", "shop")}

    assert len(roots) == 4
    assert all(re.fullmatch(r"sluice-[0-9a-f]{6}", root) for root in roots)


def test_each_stack_publishes_beside_no_other() -> None:
    assert metrics_namespace("shop", "dev") == "Sluice/shop/dev"
    assert outcome_namespace("shop", "dev") == "Sluice/shop/dev/outcomes"


def test_the_digest_covers_what_changes_predictions_and_nothing_else() -> None:
    one = release("v1")

    assert replace(one, name="x", metadata={"run": 7}).digest == one.digest
    assert replace(one, image="mirror@sha256:" + "a" * 64).digest == one.digest, "the same image from a mirror"
    for changed in (
        replace(one, artifact=Artifact("s3://models/v1.tar.gz", "f" * 64)),
        replace(one, image="repo@sha256:" + "b" * 64),
        replace(one, environment={"A": "1"}),
        replace(one, contract="2"),
        replace(one, instance_type="ml.c5.large"),
    ):
        assert changed.digest != one.digest
    assert replace(one, instance_type="ml.c5.large").content == one.content, "quarantine goes by artifact and image"


def test_a_release_survives_being_tags() -> None:
    big = release("v1", environment={f"KEY_{i}": str(i) * 20 for i in range(30)}, metadata={"a": "b"})

    tags = release_tags(big)

    assert all(len(value) <= 256 for value in tags.values())
    assert release_from_tags({**tags, "owner": "x"}).digest == big.digest


@pytest.mark.parametrize(
    ("tags", "fault"),
    [
        ({}, "no tag sluice:release:0"),
        ({"sluice:release:0": "%%%"}, "damaged"),
        ({"sluice:release:0": "AAAA"}, "damaged"),
    ],
)
def test_missing_or_damaged_release_tags_are_refused(tags: dict[str, str], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        release_from_tags(tags)


class _Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class _Circle:
    kind: Literal["circle"]
    radius: float


@dataclass(frozen=True, slots=True)
class _Square:
    kind: Literal["square"]
    side: int | None


@dataclass(frozen=True, slots=True)
class _Drawing:
    colour: _Colour
    shapes: tuple[_Circle | _Square, ...]
    names: dict[str, int]
    extra: Any


def _drawing() -> dict[str, Any]:
    drawing = _Drawing(_Colour.RED, (_Circle("circle", 2.0), _Square("square", None)), {"a": 1}, [1, {"b": None}])
    document: dict[str, Any] = encode(drawing)
    assert decode(_Drawing, document) == drawing
    return document


def test_a_whole_number_is_a_fine_float() -> None:
    document = _drawing()
    document["shapes"][0]["radius"] = 3

    assert decode(_Drawing, document).shapes[0] == _Circle("circle", 3.0)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"colour": "blue"}, "record.colour: must be one of red, got 'blue'"),
        ({"colour": "red", "typo": 1}, "record.typo: unknown key"),
        ({"shapes": {}}, "record.shapes: must be list, got dict"),
        ({"shapes": [{"kind": "oval"}]}, r"record.shapes\[0\].kind: must be one of circle, square, got 'oval'"),
        ({"shapes": [{"kind": "square", "side": True}]}, r"record.shapes\[0\].side: must be int, got bool True"),
        ({"shapes": [{"kind": "square"}]}, r"record.shapes\[0\].side: missing"),
        ({"names": {"a": "1"}}, "record.names.a: must be int, got str '1'"),
    ],
)
def test_a_document_that_is_not_exactly_right_is_refused_with_its_path(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        decode(_Drawing, {**_drawing(), **change})


@pytest.mark.parametrize("number", [10**400, float("inf"), float("nan")])
def test_a_number_beyond_all_numbers_is_refused(number: float) -> None:
    with pytest.raises(BadInput, match="record.radius: must be a finite number"):
        decode(_Circle, {"kind": "circle", "radius": number})


def test_a_literal_that_is_not_one_of_its_words_is_refused() -> None:
    with pytest.raises(BadInput, match="kind: must be one of circle, got 'oval'"):
        decode(_Circle, {"kind": "oval", "radius": 1.0})


def test_differences_set_drop_and_go_deep() -> None:
    before = {"a": {"b": 1, "c": 2}, "gone": 1, "list": [1]}
    after = {"a": {"b": 1, "c": 3, "d": None}, "list": [1, 2], "new": {"x": 1}}

    change = difference(before, after)

    assert change == {"set": {"a\tc": 3, "a\td": None, "list": [1, 2], "new": {"x": 1}}, "drop": ["gone"]}
    assert patched(before, change) == after


def test_a_policy_snapshot_survives_being_a_document() -> None:
    assert decode(Policy, encode(policy())) == policy()


def test_asking_for_a_live_rollout_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(SluiceError, match="has no live rollout"):
        live(head())


def test_all_faults_of_bad_input_are_kept() -> None:
    assert BadInput(("one", "two")).faults == ("one", "two")
