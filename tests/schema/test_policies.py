"""Rollout policies as people write them. tests/policies/invalid holds one fault or more a file, with the exact sentences beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from sluice.core.conditions import (
    Approval,
    ApprovalThen,
    DatedFreeze,
    Hook,
    HookKind,
    OnBreach,
    OnNewRelease,
    WeeklyFreeze,
)
from sluice.core.errors import BadInput
from sluice.core.histogram import Histogram
from sluice.core.policy import (
    AfterSoak,
    Bad,
    Bar,
    IncidentThen,
    Judging,
    LatencyMetric,
    LatencyRail,
    LevelMetric,
    LevelRail,
    MeanMetric,
    OnInconclusive,
    Policy,
    RateMetric,
    RateRail,
    Required,
    Rollback,
    SharedIncident,
    Step,
    Terms,
    Tolerance,
)
from sluice.schema import parse_policy, read_document, read_policy
from sluice.schema.conditions import offsets
from tests.schema.documents import PROPERTY, mutated, policy_document

REPOSITORY = Path(__file__).parents[2]
POLICIES = REPOSITORY / "tests" / "policies"
INVALID = sorted((POLICIES / "invalid").glob("*.yaml"))
VALID = sorted([*(POLICIES / "valid").glob("*.yaml"), *(REPOSITORY / "policies" / "rollouts").glob("*.yaml")])
EXPECT = "# expect: "


def expected(file: Path) -> tuple[str, ...]:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return tuple(line.removeprefix(EXPECT) for line in lines if line.startswith(EXPECT))


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_a_broken_policy_is_refused_with_a_sentence_for_every_fault(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)

    with pytest.raises(BadInput) as refused:
        read_policy(Path(file.name))

    assert refused.value.faults == expected(file)
    assert refused.value.faults, f"{file.name} says nothing it expects"


def test_the_broken_policies_are_many() -> None:
    assert len(INVALID) >= 25


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_a_policy_that_is_meant_to_be_valid_is(file: Path) -> None:
    policy = read_policy(file)

    assert policy.steps[-1].weight_parts == 10_000
    assert read_document(file) == policy


def test_every_key_arrives_where_it_belongs() -> None:
    oncall = Approval(("arn:aws:sts::123456789012:assumed-role/oncall/*",), 7200, ApprovalThen.HOLD)
    gates = (
        Hook(HookKind.LAMBDA, "arn:aws:lambda:eu-west-1:123456789012:function:may-we:live", 3, 1),
        Hook(HookKind.HTTPS, "https://gates.example.com/may-we", 4, 0),
    )

    assert read_policy(POLICIES / "valid" / "every_key.yaml") == Policy(
        steps=(
            Step(1000, 300, 900, OnInconclusive.ROLLBACK, prove={"errors": 2.5, "quality": 0.92}),
            Step(10_000, 0, 0, OnInconclusive.HOLD, oncall, gates),
        ),
        min_samples=250,
        soak_seconds=2 * 86400,
        after_soak=AfterSoak.RETIRE,
        evidence_for_seconds=36 * 3600,
        max_hold_seconds=12 * 3600,
        on_breach=OnBreach.HOLD,
        on_new_release=OnNewRelease.SUPERSEDE,
        freeze=(
            WeeklyFreeze("weekly", "nights", (0, 6), 18 * 3600, 8 * 3600, offsets("Europe/Berlin")),
            DatedFreeze("dates", "year-end", 1_797_721_200, 1_799_046_000),
        ),
        on_rollback=(Hook(HookKind.HTTPS, "https://flags.example.com/off", 5, 2),),
        shared_incident=SharedIncident(IncidentThen.HOLD, 90),
        rollback=Rollback(90, 900, 7 * 86400),
        judge=Judging(180, 60, 240, 0.01, 300, 2.5),
        harm_budget=500,
        metrics={
            "errors": RateMetric(
                "rate",
                "Shop/Models",
                "Failures",
                "Requests",
                RateRail(0.005, 1.5),
                0.995,
                Terms(Bad.HIGH, 0.25, Tolerance(1.2, 0.001), 2.0, 60, None, observe=False),
            ),
            "latency": LatencyMetric(
                "quantiles",
                "Shop/Models",
                "Latency",
                {"p50": 0.5, "p90": 0.0, "p99": 0.5},
                LatencyRail(2.0),
                Terms(Bad.HIGH, 0.125, Tolerance(1.5, 0.0), 1.75, 120, None, observe=False),
                Histogram("Shop", "AnswerTime", 500, 800_000, "always"),
            ),
            "quality": RateMetric(
                "rate",
                "AWS/SageMaker",
                "Correct",
                "Labelled",
                None,
                None,
                Terms(Bad.LOW, 0.5, Tolerance(0.98, 0.0), None, 86400, "country", observe=False),
            ),
            "revenue": MeanMetric(
                "mean",
                "Shop",
                "Orders_n",
                "Orders_sum",
                "Orders_sumsq",
                Terms(Bad.HIGH, 0.0, Tolerance(1.25, 0.0), None, 0, None, observe=True),
            ),
            "saturation": LevelMetric(
                "level",
                "Shop",
                "Free",
                LevelRail(10.5, 600),
                Terms(Bad.LOW, 0.0, Tolerance(1.0, 0.0), None, 0, None, observe=True),
            ),
        },
        alarms=("checkout-latency", "billing: failed payments"),
        required=Required(
            model_package=True,
            evaluation={"accuracy": Bar(Bad.LOW, 0.95, 0.99), "loss": Bar(Bad.HIGH, None, 1.05)},
        ),
    )


def test_what_is_not_said_has_the_defaults_of_the_documentation() -> None:
    policy = read_policy(POLICIES / "valid" / "smallest.yaml")

    assert policy.steps[0].on_inconclusive is OnInconclusive.HOLD
    assert policy.rollback == Rollback(120, 600, 86400)
    assert policy.shared_incident == SharedIncident(IncidentThen.ROLLBACK, 900)
    assert (policy.after_soak, policy.max_hold_seconds, policy.on_breach) == (
        AfterSoak.STANDBY,
        86400,
        OnBreach.ROLLBACK,
    )
    assert policy.judge == Judging(120, 120, 300, 0.05, 180, None)
    assert policy.harm_budget is None
    assert policy.required == Required(model_package=False, evaluation={})
    assert policy.steps[0].prove == {}
    assert policy.metrics["errors"].terms == Terms(Bad.HIGH, 1.0, Tolerance(1.10, 0.0002), None, 0, None, observe=False)


def test_metrics_without_a_share_divide_what_the_others_leave() -> None:
    metrics = read_policy(POLICIES / "valid" / "metrics_of_the_judge_page.yaml").metrics

    shares = {name: round(metric.terms.share, 9) for name, metric in metrics.items()}
    assert shares == {
        "errors": 0.35,
        "conversion": 0.2,
        "safety": 0.1,
        "revenue": 0.0,
        "accuracy": 0.35,
        "saturation": 0.0,
        "latency": 0.3,
    }, "latency is only observed: it takes nothing from the budget"


def test_a_tolerance_that_is_only_absolute_has_no_ratio_beside_it() -> None:
    document = policy_document()
    document["metrics"]["errors"]["tolerate"] = {"absolute": 0.001}

    assert parse_policy(document, "p.yaml").metrics["errors"].terms.tolerate == Tolerance(1.0, 0.001)


def test_weights_are_exact() -> None:
    policy = read_policy(POLICIES / "valid" / "extremes.yaml")

    assert [step.weight_parts for step in policy.steps] == [1, 2, 3333, 9999, 10_000]


def test_yaml_is_read_as_editors_read_it() -> None:
    policy = read_policy(POLICIES / "valid" / "words_of_yaml_1_1.yaml")

    assert policy.steps[0].weight_parts == 1000, "010 is ten, not eight"
    assert policy.alarms == ("off", "2026-11-21", "12:30:45", "1_000", "0x1F")


def test_aliases_and_merges_are_resolved() -> None:
    policy = read_policy(POLICIES / "valid" / "aliases.yaml")

    assert [step.weight_parts for step in policy.steps] == [1000, 5000, 9500, 10_000]
    assert policy.steps[2].on_inconclusive is OnInconclusive.ADVANCE


def test_a_policy_for_people_and_its_sentences_can_be_called_something_else() -> None:
    with pytest.raises(BadInput, match=r"^policies/mine.yaml: steps\[0\]"):
        read_policy(POLICIES / "invalid" / "weight_zero.yaml", "policies/mine.yaml")


def refusals(document: object) -> tuple[str, ...]:
    try:
        policy = parse_policy(document, "p.yaml")
    except BadInput as refused:
        return refused.faults
    return () if policy.steps[-1].weight_parts == 10_000 else ("read, but not to the end",)


@PROPERTY
@given(mutated(policy_document()))
def test_whatever_is_changed_in_a_policy_it_is_read_or_refused_in_sentences(document: object) -> None:
    assert all(fault.startswith("p.yaml: ") for fault in refusals(document))
