"""The real program's stack with one thing taken away or changed: the rule names what is missing, and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sluice_compliance.resources import UNKNOWN, Fault, Resource, Stack
from sluice_compliance.rollback_path import rollback_path_complete

from sluice.sandbox.engine.state import Record
from tests.compliance.conftest import Real

Change = Callable[[list[Record]], list[Record]]


def judged(records: list[Record]) -> list[Fault]:
    resources = [
        Resource(
            type=record.type,
            name=record.name,
            properties=record.outputs,
            urn=record.urn,
            dependencies=frozenset(record.dependencies),
            references={name: frozenset(urns) for name, urns in record.property_dependencies.items()},
        )
        for record in records
    ]
    return list(rollback_path_complete(Stack(resources)))


def without(kind: str, name: str) -> Change:
    def change(records: list[Record]) -> list[Record]:
        left = [record for record in records if not is_(record, kind, name)]
        assert len(left) == len(records) - 1, f"the program has one {kind} {name!r}"
        return left

    return change


def with_(kind: str, name: str, **properties: Any) -> Change:
    """None takes a property away."""

    def change(records: list[Record]) -> list[Record]:
        assert any(is_(record, kind, name) for record in records)
        return [changed(record) if is_(record, kind, name) else record for record in records]

    def changed(record: Record) -> Record:
        outputs = {key: value for key, value in {**record.outputs, **properties}.items() if value is not None}
        references = {key: urns for key, urns in record.property_dependencies.items() if key not in properties}
        return replace(record, outputs=outputs, property_dependencies=references)

    return change


def independent(kind: str, name: str, of: str) -> Change:
    def change(records: list[Record]) -> list[Record]:
        return [
            replace(record, dependencies=tuple(urn for urn in record.dependencies if not urn.endswith(of)))
            if is_(record, kind, name)
            else record
            for record in records
        ]

    return change


def is_(record: Record, kind: str, name: str) -> bool:
    return record.type.rpartition(":")[2] == kind and record.name == name


TAKEN_AWAY = {
    "relative alarm": (without("MetricAlarm", "triage/green/errors"), None),
    "rail": (
        without("MetricAlarm", "triage/green/errors-rail"),
        "endpoint 'dev-triage', slot 'green': no rail (an absolute limit on this slot alone) that a rule",
    ),
    "adoption": (without("Invocation", "triage-adopt"), "endpoint 'dev-triage' is served without a way back"),
    "rule": (without("EventRule", "alarm"), "no rule on the event bus hears alarms go off"),
    "rule off": (with_("EventRule", "alarm", state="DISABLED"), "rule 'sluice-dev-alarm' is disabled"),
    "target": (without("EventTarget", "alarm"), "rule 'sluice-dev-alarm' sends to no queue of this stack"),
    "undelivered": (with_("EventTarget", "alarm", deadLetterConfig=None), "target 'alarm': events that cannot be"),
    "door": (without("QueuePolicy", "alarm"), "queue 'sluice-dev-alarm' lets the rule in by no QueuePolicy"),
    "dead letters": (with_("Queue", "alarm", redrivePolicy=None), "queue 'sluice-dev-alarm' has no dead-letter queue"),
    "page": (without("MetricAlarm", "page-dead-letter"), "dead-letter queue 'sluice-dev-dead-letter' wakes nobody"),
    "silent page": (
        with_("MetricAlarm", "page-dead-letter", alarmActions=[]),
        "dead-letter queue 'sluice-dev-dead-letter' wakes nobody",
    ),
    "mapping": (without("EventSourceMapping", "alarm"), "no function takes alarms from the queue"),
    "mapping off": (with_("EventSourceMapping", "alarm", enabled=False), "no function takes alarms from the queue"),
    "another function": (
        with_("Function", "alarm", handler="app.handler"),
        "what takes alarms from the queue is not the alarm function (handler lambdas.alarm.handler)",
    ),
    "concurrency": (
        with_("Function", "alarm", reservedConcurrentExecutions=None),
        "function 'sluice-dev-alarm' has no concurrency of its own",
    ),
    "sweep": (without("EventTarget", "sweep"), "nothing sweeps"),
    "asked for something else": (with_("EventTarget", "sweep", input='{"drill": true}'), "nothing sweeps"),
    "rare sweep": (
        with_("EventRule", "sweep", scheduleExpression="rate(1 hour)"),
        "rule 'sluice-dev-sweep' does not sweep every minute",
    ),
    "sweep's permission": (without("Permission", "sweep"), "nobody may invoke 'sluice-dev-sweep'"),
    "clock": (without("StateMachine", "clock"), "no state machine ticks"),
    "express clock": (with_("StateMachine", "clock", type="EXPRESS"), "no state machine ticks"),
    "table": (without("Table", "records"), "the table of records is not in the stack"),
    "recovery": (with_("Table", "records", pointInTimeRecovery=None), "table 'sluice-dev' cannot be recovered"),
    "guard": (without("Invocation", "guard"), "nothing stops `pulumi destroy` during a rollout"),
    "idle guard": (
        with_("Invocation", "guard", lifecycleScope="CREATE_ONLY"),
        "nothing stops `pulumi destroy` during a rollout",
    ),
    "guard too late": (
        independent("Invocation", "guard", of="sagemaker/endpoint:Endpoint::triage"),
        "endpoint 'dev-triage' could be destroyed before the guard is asked",
    ),
    "release too early": (
        independent("Invocation", "triage-submit", of="eventSourceMapping:EventSourceMapping::alarm"),
        "'triage-submit' hands a release over before 'alarm' exists",
    ),
}


def test_the_real_programs_path_is_complete(real: Real) -> None:
    assert judged(real.standing) == []


@pytest.mark.parametrize("taken", TAKEN_AWAY)
def test_a_missing_link_is_named(real: Real, taken: str) -> None:
    change, sentence = TAKEN_AWAY[taken]

    faults = judged(change(real.standing))

    if sentence is None:  # the slot has a second relative alarm, for latency
        assert faults == []
    else:
        assert [fault.message[: len(sentence)] for fault in faults] == [sentence]


def test_a_slot_without_relative_alarms_is_named(real: Real) -> None:
    records = without("MetricAlarm", "triage/blue/latency")(without("MetricAlarm", "triage/blue/errors")(real.standing))

    (fault,) = judged(records)

    assert fault.message.startswith("endpoint 'dev-triage', slot 'blue': no relative alarm (this slot compared with")
    assert fault.urn.endswith("aws:sagemaker/endpoint:Endpoint::triage")


def test_alarms_the_rule_does_not_hear_do_not_count(real: Real) -> None:
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [{"prefix": "sluice/another/stack/"}], "state": {"value": ["ALARM"]}},
    }

    faults = judged(with_("EventRule", "alarm", eventPattern=json.dumps(pattern))(real.standing))

    assert len(faults) == 4, "two slots, a relative alarm and a rail each"


def test_a_rule_that_hears_alarms_end_is_not_the_way_back(real: Real) -> None:
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"state": {"value": ["OK"]}},
    }

    faults = judged(with_("EventRule", "alarm", eventPattern=json.dumps(pattern))(real.standing))

    assert any("no rule on the event bus hears" in fault.message for fault in faults)


def test_a_rule_that_only_tells_people_does_not_matter(real: Real) -> None:
    (rule,) = [record for record in real.standing if is_(record, "EventRule", "alarm")]
    chat = replace(rule, name="chat", urn=f"{rule.urn}-chat", outputs={**rule.outputs, "name": "chat"})

    assert judged([chat, *real.standing]) == []


def test_an_adopted_endpoint_needs_the_whole_path_too(real: Real) -> None:
    """It is not a resource of the stack: the adoption is what names it."""
    adopted = without("Endpoint", "triage")(real.standing)

    assert judged(adopted) == []
    assert len(judged(without("Table", "records")(adopted))) == 1


def test_of_a_stack_served_by_anothers_control_plane_only_its_own_part_is_judged(real: Real) -> None:
    own = [record for record in real.standing if "ControlPlane" not in record.urn]
    (some,) = [record for record in real.standing if record.type == "sluice:infra:ControlPlane"]
    link = replace(some, type="sluice:infra:SharedControlPlane", urn="urn:link", dependencies=(), outputs={})

    assert judged([link, *own]) == []
    assert next(fault.message[:37] for fault in judged(own)) == "no rule on the event bus hears alarms"
    assert len(judged(without("Invocation", "guard")([link, *own]))) == 1
    assert judged(without("MetricAlarm", "triage/green/errors-rail")([link, *own])) != []


def test_a_preview_that_knows_no_inputs_has_the_slots_from_the_alarms(real: Real) -> None:
    unknown = {"input": UNKNOWN, "triggers": UNKNOWN}
    records = with_("Invocation", "triage-adopt", input=UNKNOWN)(real.standing)
    records = with_("Invocation", "triage-revise", **unknown)(with_("Invocation", "triage-submit", **unknown)(records))

    assert judged(records) == []
    without_alarms = [record for record in records if not record.name.startswith("triage/")]
    assert [fault.message for fault in judged(without_alarms)] == [
        "endpoint 'dev-triage' has 0 slots with alarms, two are needed."
    ]


def test_a_stack_without_endpoints_needs_nothing() -> None:
    assert judged([]) == []


def test_an_endpoint_that_is_not_production_is_exempt(real: Real) -> None:
    endpoints = [record for record in real.standing if is_(record, "Endpoint", "triage")]
    resources = [Resource(record.type, record.name, record.outputs, record.urn) for record in endpoints]

    assert list(rollback_path_complete(Stack(resources)))
    assert list(rollback_path_complete(Stack(resources), exempt=["dev-triage"])) == []
