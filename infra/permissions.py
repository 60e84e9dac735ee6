"""What each function of the control plane and its clock may do, as IAM documents. Pure: names in, documents out.

One role per function, each with what its code calls and nothing else. Endpoints are named one by one: a name cannot be taken
off an endpoint as a tag can, and the way back must not hang on a tag. What the control plane makes is named by its root. Where
AWS has no resource level a comment says so. What IAM takes in one policy is `iam_packing`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from infra.endpoint_names import created_configs_arn, execution_roles_arn
from infra.iam_documents import Document, allow, document
from infra.permission_scope import Scope
from infra.permission_statements import (
    adopted,
    alarm_states,
    artifacts,
    authenticate_traces,
    change_scaling,
    configurations,
    created,
    describe_endpoints,
    drills,
    hooks,
    keep_rows,
    move_endpoints,
    move_to,
    own_logs,
    read_configurations,
    records,
    registry,
    see_scaling,
    send_links,
    shift_weights,
    smoke_tests,
    start_clock,
    take_back,
    unfinished,
    write_mirror,
)
from infra.resource_names import LINK_FUNCTION, Names
from sluice.core.messages import MARKS


def submit_document(scope: Scope) -> Document:
    """Adopt, submit, guard and clean."""
    return document(
        own_logs(scope, "submit"),
        records(scope, "GetItem", "PutItem", "Query"),
        unfinished(scope),
        describe_endpoints(scope),
        allow(
            "ReadBootstrapRelease", ["sagemaker:DescribeEndpointConfig", "sagemaker:ListTags"], configurations(scope)
        ),
        *adopted(scope, "sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel"),
        *artifacts(scope),
        *registry(scope),
        alarm_states(scope),
        start_clock(scope),
        write_mirror(scope),
        # Listing has no resource level; what is found is deleted only under our own prefix, below.
        allow("FindRemains", ["sagemaker:ListModels", "sagemaker:ListEndpointConfigs"], ["*"]),
        allow(
            "RemoveRemains",
            ["sagemaker:DeleteModel", "sagemaker:DeleteEndpointConfig"],
            created(scope),
        ),
    )


def tick_document(scope: Scope) -> Document:
    """Prepare, rehearse, step, settle, roll back."""
    return document(
        own_logs(scope, "tick"),
        records(scope, "GetItem", "PutItem"),
        move_endpoints(scope),
        move_to(scope),
        read_configurations(scope),
        *adopted(scope, "sagemaker:DescribeEndpointConfig"),
        allow(
            "MakeSlots",
            ["sagemaker:CreateModel", "sagemaker:CreateEndpointConfig", "sagemaker:AddTags"],
            created(scope),
        ),
        allow(
            "PassExecutionRoles",
            ["iam:PassRole"],
            [execution_roles_arn(scope.names)],
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        *smoke_tests(scope),
        see_scaling(),
        change_scaling(scope, "RegisterScalableTarget", "DeregisterScalableTarget"),
        *artifacts(scope),
        *registry(scope),
        alarm_states(scope),
        allow("Rehearse", ["cloudwatch:SetAlarmState"], [scope.names.rollback_alarms_arn]),
        # GetMetricData has no resource level.
        allow("ReadMetrics", ["cloudwatch:GetMetricData"], ["*"]),
        keep_rows(scope),
        start_clock(scope),
        write_mirror(scope),
        *hooks(scope),
    )


def alarm_document(scope: Scope) -> Document:
    """The fast way back. ReadMirror is what it works from when the table is away."""
    return document(
        own_logs(scope, "alarm"),
        allow(
            "TakeEvents",
            QUEUE_OPERATIONS,
            [scope.names.alarm_queue_arn],
        ),
        records(scope, "GetItem", "PutItem"),
        unfinished(scope),
        shift_weights(scope),
        allow("ReadMirror", ["ssm:GetParameter"], [scope.names.parameters_arn]),
        write_mirror(scope),
        start_clock(scope),
    )


def sweep_document(scope: Scope) -> Document:
    """Restart clocks, revert what nobody looks at, retire slots."""
    return document(
        own_logs(scope, "sweep"),
        records(scope, "GetItem", "PutItem"),
        unfinished(scope),
        move_endpoints(scope),
        move_to(scope),
        read_configurations(scope),
        *adopted(scope, "sagemaker:DescribeEndpointConfig"),
        allow(
            "RetireSlots", ["sagemaker:CreateEndpointConfig", "sagemaker:AddTags"], [created_configs_arn(scope.names)]
        ),
        see_scaling(),
        change_scaling(scope, "RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy"),
        allow("ReadClocks", ["states:DescribeExecution"], [scope.names.executions_arn]),
        *drills(scope),
        # A way back that was begun is finished here when nothing ticks any more: stable's alarms say when.
        alarm_states(scope),
        start_clock(scope),
        write_mirror(scope),
        *hooks(scope),
    )


def command_document(scope: Scope) -> Document:
    """Everything people ask for and tell. A person's way back gets a fresh clock, as an alarm's does; a release has to be there."""
    return document(
        own_logs(scope, "command"),
        records(scope, "GetItem", "PutItem", "Query"),
        shift_weights(scope),
        *artifacts(scope),
        *registry(scope),
        start_clock(scope),
        write_mirror(scope),
    )


def archive_document(scope: Scope) -> Document:
    """Copy events from the table's stream to the locked bucket: write, compare what is there already, nothing else."""
    bucket = scope.names.archive_bucket_arn
    return document(
        own_logs(scope, "archive"),
        allow("ReadStream", [f"dynamodb:{operation}" for operation in STREAM_OPERATIONS], [scope.names.streams_arn]),
        allow("KeepEvents", ["s3:PutObject"], [f"{bucket}/events/*", f"{bucket}/tampering/*"]),
        allow("CompareKeptEvents", ["s3:GetObject"], [f"{bucket}/events/*"]),
        allow("Post", ["sqs:SendMessage"], [scope.names.outbox_arn]),
        # Lambda sends what it could not hand over with the function's own role.
        allow("GiveUp", ["sqs:SendMessage"], [scope.names.dead_letter_queue_arn]),
    )


def incident_document(scope: Scope) -> Document:
    """After a release was taken back: look, keep the artifact and the postmortem where nobody deletes them, tell people."""
    kept = f"{scope.names.archive_bucket_arn}/incidents/*"
    return document(
        own_logs(scope, "incident"),
        allow("ReadStream", [f"dynamodb:{operation}" for operation in STREAM_OPERATIONS], [scope.names.streams_arn]),
        allow("ReadEvents", ["dynamodb:Query"], [scope.names.table_arn]),
        describe_endpoints(scope),
        alarm_states(scope),
        # GetMetricData has no resource level.
        allow("ReadMetrics", ["cloudwatch:GetMetricData"], ["*"]),
        artifacts(scope)[0],
        allow("KeepEvidence", ["s3:PutObject", "s3:GetObject"], [kept]),
        # Without it S3 answers for what is not kept yet that access is denied.
        allow("SeeWhatIsKept", ["s3:ListBucket"], [scope.names.archive_bucket_arn]),
        # An item has an id only once it exists.
        allow("OpenIncidents", ["ssm:CreateOpsItem"], [scope.names.place.arn("ssm", "opsitem/*")]),
        allow("GiveUp", ["sqs:SendMessage"], [scope.names.dead_letter_queue_arn]),
    )


def notify_document(scope: Scope) -> Document:
    """Tell people and programs, and remember what was sent. Of the table of records it may touch its own marks alone."""
    return document(
        own_logs(scope, "notify"),
        allow("TakeLetters", QUEUE_OPERATIONS, [scope.names.outbox_arn]),
        allow(
            "RememberWhatWasSent",
            ["dynamodb:GetItem", "dynamodb:PutItem"],
            [scope.names.table_arn],
            {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{MARKS}*"]}},
        ),
        allow("TellPeople", ["sns:Publish"], [scope.names.topic_arn]),
        allow("TellPrograms", ["events:PutEvents"], [scope.names.bus_arn]),
        *send_links(scope),
        *authenticate_traces(scope),
    )


def link_document(scope: Scope) -> Document:
    """Behind a public address: approve and abort, and what these two take. IAM does not tell weights up from weights down."""
    return document(
        own_logs(scope, LINK_FUNCTION),
        allow("CheckLinks", ["ssm:GetParameter"], [scope.names.link_key_arn]),
        records(scope, "GetItem", "PutItem", "Query"),
        take_back(scope),
        start_clock(scope),
        write_mirror(scope),
    )


QUEUE_OPERATIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
"""What Lambda's poller of a queue calls in the function's name."""
STREAM_OPERATIONS = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
"""What Lambda's poller calls in the function's name."""

FUNCTION_DOCUMENTS: Mapping[str, Callable[[Scope], Document]] = {
    "submit": submit_document,
    "tick": tick_document,
    "alarm": alarm_document,
    "sweep": sweep_document,
    "command": command_document,
    "archive": archive_document,
    "incident": incident_document,
    "notify": notify_document,
    LINK_FUNCTION: link_document,
}


def machine_document(names: Names) -> Document:
    """The clock may tick and nothing else."""
    return document(allow("InvokeTick", ["lambda:InvokeFunction"], [names.function_arn("tick")]))
