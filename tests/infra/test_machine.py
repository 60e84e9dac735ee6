"""The clock's definition."""

from __future__ import annotations

import json

from infra.machine import RETRIES, RETRY_SECONDS, definition

TICK = "arn:aws:lambda:eu-west-1:123456789012:function:sluice-dev-tick"


def test_the_clock_ticks_waits_as_told_and_ends_when_told():
    states = json.loads(definition(TICK, "aws"))["States"]

    assert states["Tick"]["Parameters"] == {"FunctionName": TICK, "Payload.$": "$"}
    assert states["Tick"]["OutputPath"] == "$.Payload"
    assert states["Tick"]["Next"] == "Done?"
    assert states["Done?"]["Choices"] == [{"Variable": "$.done", "BooleanEquals": True, "Next": "Ended"}]
    assert states["Done?"]["Default"] == "Wait"
    assert states["Wait"] == {"Type": "Wait", "SecondsPath": "$.wait_seconds", "Next": "Tick"}
    assert states["Ended"] == {"Type": "Succeed"}


def test_a_failing_tick_is_tried_again_evenly_for_five_minutes():
    (retry,) = json.loads(definition(TICK, "aws"))["States"]["Tick"]["Retry"]

    assert retry["ErrorEquals"] == ["States.ALL"]
    assert retry["BackoffRate"] == 1.0, "a growing pause would let the canary run unwatched"
    assert RETRIES * RETRY_SECONDS == retry["MaxAttempts"] * retry["IntervalSeconds"] == 300


def test_the_task_is_named_in_the_partition_of_the_stack():
    assert json.loads(definition(TICK, "aws-cn"))["States"]["Tick"]["Resource"] == "arn:aws-cn:states:::lambda:invoke"
