"""What a refresh makes of what it reads: only what was given and is otherwise now."""

from __future__ import annotations

import json

import pytest

from sluice.sandbox.engine.drift import drifted
from sluice.sandbox.engine.resources import KINDS
from sluice.sandbox.engine.wire import ARCHIVE, SIGNATURE

ALARM = KINDS["aws:cloudwatch/metricAlarm:MetricAlarm"]
ROLE = KINDS["aws:iam/role:Role"]
TABLE = KINDS["aws:dynamodb/table:Table"]
FUNCTION = KINDS["aws:lambda/function:Function"]


def test_what_aws_adds_of_its_own_is_no_drift() -> None:
    given = {"alarmName": "a", "threshold": 5, "__defaults": []}

    assert drifted(ALARM, given, {"alarmName": "a", "threshold": 5.0, "stateValue": "OK"}) == given


def test_a_map_that_aws_tells_as_names_and_values_is_compared_as_a_map() -> None:
    given = {"dimensions": {"QueueName": "q"}}

    assert drifted(ALARM, given, {"dimensions": [{"name": "QueueName", "value": "q"}]}) == given
    assert drifted(ALARM, given, {"dimensions": [{"name": "QueueName", "value": "r"}]}) == {
        "dimensions": {"QueueName": "r"}
    }


def test_a_document_is_compared_as_a_document() -> None:
    given = {"assumeRolePolicy": json.dumps({"Version": "1", "Statement": []})}

    assert drifted(ROLE, given, {"assumeRolePolicy": '{"Statement":[],"Version":"1"}'}) == given
    assert drifted(ROLE, given, {"assumeRolePolicy": "{}"}) == {"assumeRolePolicy": "{}"}


@pytest.mark.parametrize(
    ("found", "same"), [([{"name": "two"}, {"name": "one", "status": "ACTIVE"}], True), ([{"name": "one"}], False)]
)
def test_a_set_has_no_order(found: list[dict[str, str]], same: bool) -> None:
    given = [{"name": "one"}, {"name": "two"}]

    now = drifted(TABLE, {"globalSecondaryIndexes": given}, {"globalSecondaryIndexes": found})

    assert now["globalSecondaryIndexes"] == (given if same else found)


def test_code_and_tags_are_not_read_back() -> None:
    given = {"code": {SIGNATURE: ARCHIVE, "hash": "1"}, "tags": {"a": "b"}, "region": "us-east-1"}

    assert drifted(FUNCTION, given, {"code": {"location": "https://"}, "tags": {}, "region": "x"}) == given
