"""The clock: a state machine that ticks, waits as long as the tick says, and ends when the tick says so."""

from __future__ import annotations

import json

RETRY_SECONDS = 5
RETRIES = 60
"""Five minutes of retries cover a bad deployment or a throttled minute. After that the execution fails, the sweep starts the
rollout's next clock, and after `max_blind` it takes the traffic back."""


def definition(tick_arn: str, partition: str) -> str:
    """Amazon States Language. The tick's answer is its next input, with `done` and `wait_seconds` added."""
    states = {
        "Tick": {
            "Type": "Task",
            "Resource": f"arn:{partition}:states:::lambda:invoke",
            "Parameters": {"FunctionName": tick_arn, "Payload.$": "$"},
            "OutputPath": "$.Payload",
            "Retry": [
                {
                    "ErrorEquals": ["States.ALL"],
                    "IntervalSeconds": RETRY_SECONDS,
                    "BackoffRate": 1.0,
                    "MaxAttempts": RETRIES,
                }
            ],
            "Next": "Done?",
        },
        "Done?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.done", "BooleanEquals": True, "Next": "Ended"}],
            "Default": "Wait",
        },
        "Wait": {"Type": "Wait", "SecondsPath": "$.wait_seconds", "Next": "Tick"},
        "Ended": {"Type": "Succeed"},
    }
    return json.dumps({"Comment": "One rollout's clock", "StartAt": "Tick", "States": states})
