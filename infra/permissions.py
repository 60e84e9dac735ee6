"""What each function of the control plane and its clock may do, as IAM documents. Pure: names in, documents out.

One role per function, each with what its code calls and nothing else. Endpoints are named one by one: a name cannot be taken
off an endpoint as a tag can, and the way back must not hang on a tag. What the control plane makes is named by its root. Where
AWS has no resource level a comment says so. What IAM takes in one policy is `iam_packing`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from infra.iam_documents import Document, Statement, allow, document
from infra.resource_names import Names
from infra.signing_key import hooks_of
from sluice.core.conditions import Hook, HookKind
from sluice.schema import StackSpec

_DESCRIBE = "sagemaker:DescribeEndpoint"
_SHIFT = "sagemaker:UpdateEndpointWeightsAndCapacities"
_UPDATE = "sagemaker:UpdateEndpoint"


@dataclass(frozen=True, slots=True)
class Scope:
    """What the statements are about: the stack's names, its endpoints and those of others it serves, and where artifacts lie."""

    names: Names
    endpoints: tuple[str, ...]
    slots: Mapping[str, tuple[str, ...]]
    reach: tuple[str, ...]
    adopts: bool
    artifact_buckets: tuple[str, ...]
    hooks: tuple[Hook, ...] = ()


def scope_of(names: Names, spec: StackSpec) -> Scope:
    """The scope of a configured stack. Slots are by endpoint: two endpoints of a stack may call theirs differently."""
    return Scope(
        names=names,
        endpoints=tuple(endpoint.endpoint_name for endpoint in spec.endpoints),
        reach=spec.reach,
        adopts=spec.adopts,
        slots={endpoint.endpoint_name: endpoint.slots for endpoint in spec.endpoints},
        artifact_buckets=spec.artifact_buckets,
        hooks=hooks_of(spec),
    )


def submit_document(scope: Scope) -> Document:
    """Adopt, submit, guard and clean."""
    return document(
        _own_logs(scope, "submit"),
        _records(scope, "GetItem", "PutItem", "Query"),
        _unfinished(scope),
        _describe_endpoints(scope),
        allow(
            "ReadBootstrapRelease", ["sagemaker:DescribeEndpointConfig", "sagemaker:ListTags"], _configurations(scope)
        ),
        *_adopted(scope, "sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel"),
        *_artifacts(scope),
        _alarm_states(scope),
        _start_clock(scope),
        _write_mirror(scope),
        # Listing has no resource level; what is found is deleted only under our own prefix, below.
        allow("FindRemains", ["sagemaker:ListModels", "sagemaker:ListEndpointConfigs"], ["*"]),
        allow(
            "RemoveRemains",
            ["sagemaker:DeleteModel", "sagemaker:DeleteEndpointConfig"],
            _created(scope),
        ),
    )


def tick_document(scope: Scope) -> Document:
    """Prepare, rehearse, step, settle, roll back."""
    return document(
        _own_logs(scope, "tick"),
        _records(scope, "GetItem", "PutItem"),
        _move_endpoints(scope),
        _move_to(scope),
        _read_configurations(scope),
        *_adopted(scope, "sagemaker:DescribeEndpointConfig"),
        allow(
            "MakeSlots",
            ["sagemaker:CreateModel", "sagemaker:CreateEndpointConfig", "sagemaker:AddTags"],
            _created(scope),
        ),
        allow(
            "PassExecutionRoles",
            ["iam:PassRole"],
            [scope.names.execution_roles_arn],
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        *_smoke_tests(scope),
        _see_scaling(),
        _change_scaling(scope, "RegisterScalableTarget", "DeregisterScalableTarget"),
        *_artifacts(scope),
        _alarm_states(scope),
        allow("Rehearse", ["cloudwatch:SetAlarmState"], [scope.names.rollback_alarms_arn]),
        # GetMetricData has no resource level.
        allow("ReadMetrics", ["cloudwatch:GetMetricData"], ["*"]),
        _keep_rows(scope),
        _start_clock(scope),
        _write_mirror(scope),
        _tell_people(scope),
        *_hooks(scope),
    )


def _keep_rows(scope: Scope) -> Statement:
    """What a decision was judged on, beside the archived events."""
    return allow("KeepRows", ["s3:PutObject"], [f"{scope.names.archive_bucket_arn}/rows/*"])


def alarm_document(scope: Scope) -> Document:
    """The fast way back. ReadMirror is what it works from when the table is away."""
    return document(
        _own_logs(scope, "alarm"),
        allow(
            "TakeEvents",
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            [scope.names.alarm_queue_arn],
        ),
        _records(scope, "GetItem", "PutItem"),
        _unfinished(scope),
        _shift_weights(scope),
        allow("ReadMirror", ["ssm:GetParameter"], [scope.names.parameters_arn]),
        _write_mirror(scope),
        _start_clock(scope),
        _tell_people(scope),
    )


def sweep_document(scope: Scope) -> Document:
    """Restart clocks, revert what nobody looks at, retire slots."""
    return document(
        _own_logs(scope, "sweep"),
        _records(scope, "GetItem", "PutItem"),
        _unfinished(scope),
        _move_endpoints(scope),
        _move_to(scope),
        _read_configurations(scope),
        *_adopted(scope, "sagemaker:DescribeEndpointConfig"),
        allow(
            "RetireSlots", ["sagemaker:CreateEndpointConfig", "sagemaker:AddTags"], [scope.names.created_configs_arn]
        ),
        _see_scaling(),
        _change_scaling(scope, "RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy"),
        allow("ReadClocks", ["states:DescribeExecution"], [scope.names.executions_arn]),
        # A way back that was begun is finished here when nothing ticks any more: stable's alarms say when.
        _alarm_states(scope),
        _start_clock(scope),
        _write_mirror(scope),
        _tell_people(scope),
        *_hooks(scope),
    )


def command_document(scope: Scope) -> Document:
    """Everything people ask for and tell. A person's way back gets a fresh clock, as an alarm's does; a release has to be there."""
    return document(
        _own_logs(scope, "command"),
        _records(scope, "GetItem", "PutItem", "Query"),
        _shift_weights(scope),
        *_artifacts(scope),
        _start_clock(scope),
        _write_mirror(scope),
        _tell_people(scope),
    )


def archive_document(scope: Scope) -> Document:
    """Copy events from the table's stream to the locked bucket: write, compare what is there already, nothing else."""
    bucket = scope.names.archive_bucket_arn
    return document(
        _own_logs(scope, "archive"),
        allow("ReadStream", [f"dynamodb:{operation}" for operation in STREAM_OPERATIONS], [scope.names.streams_arn]),
        allow("KeepEvents", ["s3:PutObject"], [f"{bucket}/events/*", f"{bucket}/tampering/*"]),
        allow("CompareKeptEvents", ["s3:GetObject"], [f"{bucket}/events/*"]),
        # Lambda sends what it could not hand over with the function's own role.
        allow("GiveUp", ["sqs:SendMessage"], [scope.names.dead_letter_queue_arn]),
    )


def incident_document(scope: Scope) -> Document:
    """After a release was taken back: look, keep the artifact and the postmortem where nobody deletes them, tell people."""
    kept = f"{scope.names.archive_bucket_arn}/incidents/*"
    return document(
        _own_logs(scope, "incident"),
        allow("ReadStream", [f"dynamodb:{operation}" for operation in STREAM_OPERATIONS], [scope.names.streams_arn]),
        allow("ReadEvents", ["dynamodb:Query"], [scope.names.table_arn]),
        _describe_endpoints(scope),
        _alarm_states(scope),
        # GetMetricData has no resource level.
        allow("ReadMetrics", ["cloudwatch:GetMetricData"], ["*"]),
        _artifacts(scope)[0],
        allow("KeepEvidence", ["s3:PutObject", "s3:GetObject"], [kept]),
        # Without it S3 answers for what is not kept yet that access is denied.
        allow("SeeWhatIsKept", ["s3:ListBucket"], [scope.names.archive_bucket_arn]),
        # An item has an id only once it exists.
        allow("OpenIncidents", ["ssm:CreateOpsItem"], [scope.names.place.arn("ssm", "opsitem/*")]),
        allow("GiveUp", ["sqs:SendMessage"], [scope.names.dead_letter_queue_arn]),
    )


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
}


def machine_document(names: Names) -> Document:
    """The clock may tick and nothing else."""
    return document(allow("InvokeTick", ["lambda:InvokeFunction"], [names.function_arn("tick")]))


def _own_logs(scope: Scope, word: str) -> Statement:
    return allow("WriteOwnLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [scope.names.log_streams_arn(word)])


def _records(scope: Scope, *operations: str) -> Statement:
    """A transaction is authorized item by item: its puts need PutItem, nothing of its own."""
    return allow("UseRecords", [f"dynamodb:{operation}" for operation in operations], [scope.names.table_arn])


def _unfinished(scope: Scope) -> Statement:
    return allow("FindUnfinished", ["dynamodb:Query"], [scope.names.live_index_arn])


def _describe_endpoints(scope: Scope) -> Statement:
    return allow("DescribeEndpoints", [_DESCRIBE], _endpoints(scope))


def _read_configurations(scope: Scope) -> Statement:
    return allow("ReadConfigurations", ["sagemaker:DescribeEndpointConfig"], _configurations(scope))


def _adopted(scope: Scope, *actions: str) -> Iterator[Statement]:
    """Reading only: what an adopted endpoint is on has a name its owner chose, and chooses anew with every change of theirs."""
    if scope.adopts:
        place = scope.names.place
        kinds = {"sagemaker:DescribeEndpointConfig": "endpoint-config", "sagemaker:DescribeModel": "model"}
        resources = [place.arn("sagemaker", f"{kinds[action]}/*") for action in actions]
        yield allow("ReadAdopted", actions, resources)


def _move_endpoints(scope: Scope) -> Statement:
    """In one statement: with a hundred endpoints each list of them is half a policy."""
    return allow("MoveEndpoints", [_DESCRIBE, _SHIFT, _UPDATE], _endpoints(scope))


def _move_to(scope: Scope) -> Statement:
    """UpdateEndpoint is authorized on the endpoint and on the configuration it moves to."""
    return allow("MoveToConfigurations", [_UPDATE], [scope.names.created_configs_arn])


def _shift_weights(scope: Scope) -> Statement:
    return allow("ShiftWeights", [_DESCRIBE, _SHIFT], _endpoints(scope))


def _see_scaling() -> Statement:
    """Describing has no resource level."""
    kinds = ("DescribeScalableTargets", "DescribeScalingPolicies")
    return allow("SeeScaling", [f"application-autoscaling:{kind}" for kind in kinds], ["*"])


def _change_scaling(scope: Scope, *operations: str) -> Statement:
    """A target's ARN holds an id that nobody knows before it exists; what it scales is limited by condition."""
    return allow(
        "ChangeScaling",
        [f"application-autoscaling:{operation}" for operation in operations],
        [scope.names.place.arn("application-autoscaling", "scalable-target/*")],
        {
            "StringEquals": {
                "application-autoscaling:service-namespace": "sagemaker",
                "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
            }
        },
    )


def _smoke_tests(scope: Scope) -> Iterator[Statement]:
    """Straight to a slot only: the smoke test must not be answered by whoever has the weight. One statement for each choice of slots.

    What slots other stacks' endpoints have is not known here; there it must be some slot.
    """
    for i, slots in enumerate(sorted(set(scope.slots.values()))):
        asked = [scope.names.endpoint_arn(endpoint) for endpoint in scope.endpoints if scope.slots[endpoint] == slots]
        condition = {"StringEquals": {"sagemaker:TargetVariant": list(slots)}}
        yield allow(f"SmokeTest{i or ''}", ["sagemaker:InvokeEndpoint"], asked, condition)
    if scope.reach:
        reached = [scope.names.endpoint_arn(pattern) for pattern in scope.reach]
        yield allow(
            "SmokeTestElsewhere", ["sagemaker:InvokeEndpoint"], reached, {"Null": {"sagemaker:TargetVariant": "false"}}
        )


def _artifacts(scope: Scope) -> tuple[Statement, Statement]:
    """Without ListBucket S3 answers for a missing object that access is denied, and the sentence would be the wrong one."""
    buckets = [scope.names.place.bucket_arn(bucket) for bucket in scope.artifact_buckets]
    return (
        allow("CheckArtifacts", ["s3:GetObject"], [f"{bucket}/*" for bucket in buckets]),
        allow("SeeMissingArtifacts", ["s3:ListBucket"], buckets),
    )


def _alarm_states(scope: Scope) -> Statement:
    """Any alarm of this account and region: a policy may list alarms that are not ours. Their states are no secret."""
    return allow("ReadAlarmStates", ["cloudwatch:DescribeAlarms"], [scope.names.all_alarms_arn])


def _start_clock(scope: Scope) -> Statement:
    return allow("StartClocks", ["states:StartExecution"], [scope.names.machine_arn])


def _write_mirror(scope: Scope) -> Statement:
    return allow("WriteMirror", ["ssm:PutParameter"], [scope.names.parameters_arn])


def _hooks(scope: Scope) -> Iterator[Statement]:
    """Gates and rollback hooks of the policies; a policy that is configured no more loses them, and its gates do not agree then."""
    functions = sorted(hook.target for hook in scope.hooks if hook.kind is HookKind.LAMBDA)
    if functions:
        yield allow("CallHooks", ["lambda:InvokeFunction"], functions)
    if any(hook.kind is HookKind.HTTPS for hook in scope.hooks):
        yield allow("SignHooks", ["ssm:GetParameter"], [scope.names.key_parameter_arn])


def _tell_people(scope: Scope) -> Statement:
    return allow("TellPeople", ["sns:Publish"], [scope.names.topic_arn])


def _endpoints(scope: Scope) -> list[str]:
    return [scope.names.endpoint_arn(name) for name in (*scope.endpoints, *scope.reach)]


def _created(scope: Scope) -> list[str]:
    return [scope.names.created_models_arn, scope.names.created_configs_arn]


def _configurations(scope: Scope) -> list[str]:
    """What an endpoint can be on: its first configuration or one the control plane made."""
    return [scope.names.bootstrap_configs_arn, scope.names.created_configs_arn]
