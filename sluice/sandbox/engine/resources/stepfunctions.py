"""Step Functions: state machines."""

from __future__ import annotations

from sluice.sandbox.engine.kinds import Call, Kind, Naming, Tagging
from sluice.sandbox.engine.translate import Rules
from sluice.sandbox.engine.wire import Properties

_ARN = {"stateMachineArn": "id"}
_TAGGED = {"resourceArn": "id"}


def _log_destination(properties: Properties) -> Properties:
    """Terraform's one `logDestination` is AWS's list of destinations."""
    logging = properties.get("loggingConfiguration")
    if not isinstance(logging, dict) or "logDestination" not in logging:
        return properties
    rest = {name: value for name, value in logging.items() if name != "logDestination"}
    group = {"cloudWatchLogsLogGroup": {"logGroupArn": logging["logDestination"]}}
    return {**properties, "loggingConfiguration": {**rest, "destinations": [group]}}


STATE_MACHINE = Kind(
    type="aws:sfn/stateMachine:StateMachine",
    service="stepfunctions",
    create=Call("CreateStateMachine"),
    read=Call("DescribeStateMachine", keys=_ARN),
    update=Call("UpdateStateMachine", keys=_ARN),
    delete=Call("DeleteStateMachine", keys=_ARN),
    id="@stateMachineArn",
    computed={"arn": "stateMachineArn", "creationDate": "creationDate", "status": "status", "revisionId": "revisionId"},
    volatile=("revisionId",),
    naming=Naming(longest=80),
    tagging=Tagging(Call("TagResource", keys=_TAGGED), Call("UntagResource", keys=_TAGGED)),
    rules=Rules(accepted={"publish": "moto keeps no versions of state machines"}),
    force_new=("name", "namePrefix", "type"),
    required=("definition", "roleArn"),
    defaults={"type": "STANDARD"},
    cleared={"loggingConfiguration": {"level": "OFF"}, "tracingConfiguration": {"enabled": False}},
    documents=("definition",),
    reshape=_log_destination,
)

KINDS = (STATE_MACHINE,)
