"""What is stored comes back as it was, or is refused in a sentence; it is never half understood."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core import policy as core
from sluice.core.audit import read_head, record, replay
from sluice.core.errors import BadInput, UnknownSchema
from sluice.core.head import Head, Outcome, Quarantine, Submission
from sluice.core.record import canonical, decode, difference, encode, patched
from sluice.core.release import Artifact, Release, Smoke, release_from_tags
from sluice.core.rollout import SCHEMA, Latch, Phase, Prepared, Rehearsal, Rollout
from tests.builders import NOW, head, started, submission
from tests.schema.documents import JSON, KEYS, PROPERTY, SLOW_PROPERTY, TEXT, mutated

WHOLE = st.integers(0, 2**53)
RATIO = st.floats(0, 1000, allow_nan=False)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


RELEASES = st.builds(
    Release,
    name=TEXT,
    artifact=st.builds(Artifact, url=TEXT, sha256=TEXT),
    image=TEXT,
    environment=st.dictionaries(KEYS, TEXT, max_size=3),
    contract=TEXT,
    instance_type=TEXT,
    smoke=st.builds(Smoke, content_type=TEXT, accept=TEXT, inputs=st.lists(TEXT, max_size=3).map(tuple)),
    metadata=st.dictionaries(KEYS, JSON, max_size=3),
)
TERMS = st.builds(
    core.Terms,
    bad=st.sampled_from(core.Bad),
    share=RATIO,
    tolerate=st.builds(core.Tolerance, ratio=RATIO, absolute=RATIO),
    detect=optional(RATIO),
    lag_seconds=WHOLE,
    segment=optional(TEXT),
    observe=st.booleans(),
)
METRICS = (
    st.builds(
        core.RateMetric,
        kind=st.just("rate"),
        namespace=TEXT,
        events=TEXT,
        trials=TEXT,
        rail=optional(st.builds(core.RateRail, rate=RATIO, versus_stable=RATIO)),
        slo=optional(RATIO),
        terms=TERMS,
    )
    | st.builds(
        core.LatencyMetric,
        kind=st.just("quantiles"),
        namespace=TEXT,
        metric=TEXT,
        quantiles=st.dictionaries(KEYS, RATIO, max_size=3),
        rail=optional(st.builds(core.LatencyRail, versus_stable=RATIO)),
        terms=TERMS,
    )
    | st.builds(core.MeanMetric, kind=st.just("mean"), namespace=TEXT, count=TEXT, sum=TEXT, sumsq=TEXT, terms=TERMS)
    | st.builds(
        core.LevelMetric,
        kind=st.just("level"),
        namespace=TEXT,
        metric=TEXT,
        rail=st.builds(core.LevelRail, level=RATIO, for_seconds=WHOLE),
        terms=TERMS,
    )
)
STEPS = st.builds(
    core.Step,
    weight_parts=st.integers(1, 10_000),
    bake_min_seconds=WHOLE,
    bake_max_seconds=WHOLE,
    on_inconclusive=st.sampled_from(core.OnInconclusive),
    prove=st.dictionaries(KEYS, RATIO, max_size=2),
)
POLICIES = st.builds(
    core.Policy,
    steps=st.lists(STEPS, max_size=4).map(tuple),
    min_samples=WHOLE,
    soak_seconds=WHOLE,
    after_soak=st.sampled_from(core.AfterSoak),
    evidence_for_seconds=WHOLE,
    max_hold_seconds=WHOLE,
    on_breach=st.sampled_from(core.OnBreach),
    shared_incident=st.builds(core.SharedIncident, then=st.sampled_from(core.IncidentThen), after_seconds=WHOLE),
    rollback=st.builds(core.Rollback, target_seconds=WHOLE, max_blind_seconds=WHOLE, cooldown_seconds=WHOLE),
    judge=st.builds(
        core.Judging,
        data_lag_seconds=WHOLE,
        warmup_seconds=WHOLE,
        settle_seconds=WHOLE,
        false_rollback_budget=RATIO,
        sustain_seconds=WHOLE,
        dispersion=optional(RATIO),
    ),
    harm_budget=optional(WHOLE),
    metrics=st.dictionaries(KEYS, METRICS, max_size=3),
    alarms=st.lists(TEXT, max_size=3).map(tuple),
    required=st.builds(
        core.Required,
        model_package=st.booleans(),
        evaluation=st.dictionaries(
            KEYS,
            st.builds(core.Bar, bad=st.sampled_from(core.Bad), limit=optional(RATIO), versus_stable=optional(RATIO)),
            max_size=2,
        ),
    ),
)
ROLLOUTS = st.builds(
    lambda **changes: replace(started().live, **changes),
    release=RELEASES,
    stable=RELEASES,
    policy=POLICIES,
    phase=st.sampled_from(Phase),
    step=st.integers(-1, 50),
    canary_parts=st.integers(0, 10_000),
    call_before=optional(WHOLE),
    incident_since=optional(WHOLE),
    prepared=optional(
        st.builds(
            Prepared,
            model_name=TEXT,
            config_name=TEXT,
            update_asked_at=optional(WHOLE),
            smoke_passed_at=optional(WHOLE),
        )
    ),
    rehearsal=optional(st.builds(Rehearsal, alarm=TEXT, asked_at=WHOLE, answered_at=optional(WHOLE))),
    latch=optional(
        st.builds(Latch, at=WHOLE, by=TEXT, cause=TEXT, harmful=st.booleans(), weights_back_at=optional(WHOLE))
    ),
    because=TEXT,
)
OUTCOMES = st.builds(
    Outcome,
    rollout_id=TEXT,
    release_name=TEXT,
    release_digest=TEXT,
    nonce=TEXT,
    phase=st.sampled_from(Phase),
    because=TEXT,
    ended_at=WHOLE,
)
HEADS = st.builds(
    lambda **changes: replace(head(), **changes),
    live=optional(ROLLOUTS),
    previous=st.lists(RELEASES, max_size=2).map(tuple),
    outcome=optional(OUTCOMES),
    quarantine=st.lists(
        st.builds(Quarantine, content=TEXT, release_name=TEXT, until=WHOLE, cause=TEXT), max_size=2
    ).map(tuple),
)


def stored(value: object) -> Any:
    """As it lies in the table."""
    return json.loads(canonical(encode(value)))


@PROPERTY
@given(POLICIES)
def test_a_policy_comes_back_as_it_was(policy: core.Policy) -> None:
    assert decode(core.Policy, stored(policy)) == policy


@SLOW_PROPERTY
@given(ROLLOUTS)
def test_a_rollout_comes_back_as_it_was(rollout: Rollout) -> None:
    assert decode(Rollout, stored(rollout)) == rollout


@SLOW_PROPERTY
@given(HEADS)
def test_a_head_comes_back_as_it_was(one: Head) -> None:
    assert read_head(stored(one)) == one


@SLOW_PROPERTY
@given(st.lists(HEADS, min_size=1, max_size=3))
def test_events_replay_to_the_stored_head_whatever_it_holds(heads: list[Head]) -> None:
    events, before = [], None
    for after in heads:
        change = record(before, replace(after, version=0), "changed", "tick", "x", NOW, {})
        events.append(change.event)
        before = change.head

    assert replay(events) == before


@PROPERTY
@given(st.dictionaries(KEYS, JSON), st.dictionaries(KEYS, JSON))
def test_a_difference_turns_one_document_into_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert patched(before, difference(before, after)) == after


def understood(kind: type[Any], document: Any) -> Any:
    """What the document says after reading and writing it again; the document itself when it is refused in sentences."""
    try:
        return encode(decode(kind, document))
    except BadInput as refused:
        return document if refused.faults else "refused without a reason"


@PROPERTY
@given(mutated(stored(started())))
def test_a_changed_head_is_refused_or_read_without_losing_anything(document: Any) -> None:
    assert understood(Head, document) == document


@PROPERTY
@given(mutated(stored(started().live)))
def test_a_changed_rollout_is_refused_or_read_without_losing_anything(document: Any) -> None:
    assert understood(Rollout, document) == document


@PROPERTY
@given(mutated(stored(submission())))
def test_a_changed_submission_is_refused_or_read_without_losing_anything(document: Any) -> None:
    assert understood(Submission, document) == document


@PROPERTY
@given(JSON)
def test_any_other_document_is_refused(document: Any) -> None:
    with pytest.raises(BadInput):
        decode(Head, document)


@pytest.mark.parametrize("schema", [None, 0, SCHEMA + 1, str(SCHEMA), [SCHEMA], {}])
def test_a_head_of_another_schema_version_names_the_endpoint_and_both_versions(schema: object) -> None:
    with pytest.raises(UnknownSchema) as refused:
        read_head({**stored(head()), "schema": schema})

    assert str(refused.value) == (
        f"the record of endpoint 'shop' has schema {schema!r}; this code reads {SCHEMA}. "
        "Deploy the control plane version that wrote it, or newer."
    )


@PROPERTY
@given(
    st.dictionaries(st.sampled_from([f"sluice:release:{i}" for i in range(4)]), TEXT | st.text("AQgw=", max_size=20))
)
def test_tags_that_say_anything_else_are_refused(tags: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        release_from_tags(tags)
