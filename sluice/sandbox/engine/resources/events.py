"""EventBridge: rules and their targets; Scheduler: schedules."""

from __future__ import annotations

from typing import Any

from sluice.sandbox.engine.kinds import Aws, Call, Change, Gone, Kind, Naming, Tagging
from sluice.sandbox.engine.translate import Rules
from sluice.sandbox.engine.wire import Properties

EVENT_BUS = Kind(
    type="aws:cloudwatch/eventBus:EventBus",
    service="events",
    create=Call("CreateEventBus"),
    read=Call("DescribeEventBus", keys={"Name": "id"}),
    update=Call("UpdateEventBus", keys={"Name": "id"}),  # which moto does not have: there it is an error, not a silence
    delete=Call("DeleteEventBus", keys={"Name": "id"}),
    computed={"arn": "Arn"},
    naming=Naming(longest=256, prefix=""),
    tagging=Tagging(
        Call("TagResource", keys={"ResourceARN": "arn"}), Call("UntagResource", keys={"ResourceARN": "arn"})
    ),
    rules=Rules(),
    force_new=("name", "eventSourceName"),
)


def _bus(facts: Properties) -> dict[str, str]:
    return {"EventBusName": facts.get("eventBusName", "default")}


def _enabled(properties: Properties) -> Properties:
    """`isEnabled` is the old spelling of `state`."""
    if "isEnabled" not in properties:
        return properties
    rest = {name: value for name, value in properties.items() if name != "isEnabled"}
    return {**rest, "state": "ENABLED" if properties["isEnabled"] else "DISABLED"}


def _delete_rule(aws: Aws, change: Change) -> dict[str, Any]:
    name, bus = change.facts["name"], _bus(change.facts)
    if change.facts.get("forceDestroy"):
        targets = aws.call("events", "ListTargetsByRule", Rule=name, **bus)["Targets"]
        if targets:
            aws.call("events", "RemoveTargets", Rule=name, Ids=[target["Id"] for target in targets], **bus)
    return aws.call("events", "DeleteRule", Name=name, **bus)


def _describe_rule(aws: Aws, change: Change) -> dict[str, Any]:
    found = aws.call("events", "DescribeRule", Name=change.facts["id"], **_bus(change.facts))
    return {**found, "RuleArn": found["Arn"]}


_RULE = {"ResourceARN": "arn"}

EVENT_RULE = Kind(
    type="aws:cloudwatch/eventRule:EventRule",
    service="events",
    create=Call("PutRule"),
    read=_describe_rule,
    update=Call("PutRule", keys={"Name": "name"}),
    delete=_delete_rule,
    computed={"arn": "RuleArn"},
    naming=Naming(longest=64),
    tagging=Tagging(Call("TagResource", keys=_RULE), Call("UntagResource", keys=_RULE)),
    rules=Rules(renames={"isEnabled": "State"}, accepted={"forceDestroy": "tells only the delete what to do"}),
    force_new=("name", "namePrefix", "eventBusName"),
    defaults={"eventBusName": "default"},
    documents=("eventPattern",),
    reshape=_enabled,
)

_TARGET = (
    "arn", "deadLetterConfig", "input", "inputPath", "inputTransformer", "retryPolicy", "roleArn", "sqsTarget",
    "sagemakerPipelineTarget", "httpTarget", "kinesisTarget", "ecsTarget",
)  # fmt: skip


def _as_list(properties: Properties) -> Properties:
    """PutTargets takes a list of targets; Pulumi's resource is one of them."""
    outside = {name: value for name, value in properties.items() if name in ("rule", "eventBusName")}
    target = {name: value for name, value in properties.items() if name not in (*outside, "targetId")}
    return {**outside, "targets": [{"id": properties.get("targetId", ""), **target}]}


def _remove_target(aws: Aws, change: Change) -> dict[str, Any]:
    facts = change.facts
    return aws.call("events", "RemoveTargets", Rule=facts["rule"], Ids=[facts["targetId"]], **_bus(facts))


def _find_target(aws: Aws, change: Change) -> dict[str, Any]:
    """The id alone does not tell rule and target apart: both may have dashes."""
    facts = change.facts
    targets = aws.call("events", "ListTargetsByRule", Rule=facts["rule"], **_bus(facts))["Targets"]
    found = next((target for target in targets if target["Id"] == facts["targetId"]), None)
    if found is None:
        raise Gone(f"rule '{facts['rule']}' has no target '{facts['targetId']}'")
    return dict(found)


EVENT_TARGET = Kind(
    type="aws:cloudwatch/eventTarget:EventTarget",
    service="events",
    create=Call("PutTargets"),
    read=_find_target,
    update=Call("PutTargets", sends=(*_TARGET, "rule", "eventBusName", "targetId")),
    delete=_remove_target,
    id="{rule}-{targetId}",
    naming=Naming(property="targetId", prefix="", longest=64),
    rules=Rules(
        renames={
            "targets.sqsTarget": "SqsParameters",
            "targets.httpTarget": "HttpParameters",
            "targets.kinesisTarget": "KinesisParameters",
            "targets.ecsTarget": "EcsParameters",
            "targets.sagemakerPipelineTarget": "SageMakerPipelineParameters",
            "targets.inputTransformer.inputPaths": "InputPathsMap",
        },
        accepted={"forceDestroy": "only for rules managed by AWS"},
    ),
    force_new=("rule", "targetId", "eventBusName"),
    required=("arn", "rule"),
    defaults={"eventBusName": "default"},
    reshape=_as_list,
)

_SCHEDULE = {"Name": "name", "GroupName": "groupName"}

SCHEDULE = Kind(
    type="aws:scheduler/schedule:Schedule",
    service="scheduler",
    create=Call("CreateSchedule"),
    read=Call("GetSchedule", keys=_SCHEDULE),
    update=Call("UpdateSchedule", keys=_SCHEDULE),
    delete=Call("DeleteSchedule", keys=_SCHEDULE),
    id="{groupName}/{name}",
    computed={"arn": "Arn"},
    naming=Naming(longest=64),
    force_new=("name", "namePrefix", "groupName"),
    required=("flexibleTimeWindow", "scheduleExpression", "target"),
    defaults={"groupName": "default", "state": "ENABLED", "scheduleExpressionTimezone": "UTC"},
)

KINDS = (EVENT_BUS, EVENT_RULE, EVENT_TARGET, SCHEDULE)
