"""The statements that several documents share, each named by what it is for. Where AWS has no resource level a comment says so."""

from __future__ import annotations

from collections.abc import Iterator

from infra.endpoint_names import bootstrap_configs_arn, created_configs_arn, created_models_arn, endpoint_arn
from infra.iam_documents import Statement, allow
from infra.permission_scope import Scope
from sluice.core.conditions import HookKind
from sluice.core.registry import version_arns

_DESCRIBE = "sagemaker:DescribeEndpoint"
_SHIFT = "sagemaker:UpdateEndpointWeightsAndCapacities"
_UPDATE = "sagemaker:UpdateEndpoint"


def own_logs(scope: Scope, word: str) -> Statement:
    return allow("WriteOwnLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [scope.names.log_streams_arn(word)])


def records(scope: Scope, *operations: str) -> Statement:
    """A transaction is authorized item by item: its puts need PutItem, nothing of its own."""
    return allow("UseRecords", [f"dynamodb:{operation}" for operation in operations], [scope.names.table_arn])


def unfinished(scope: Scope) -> Statement:
    return allow("FindUnfinished", ["dynamodb:Query"], [scope.names.live_index_arn])


def describe_endpoints(scope: Scope) -> Statement:
    return allow("DescribeEndpoints", [_DESCRIBE], _endpoints(scope))


def read_configurations(scope: Scope) -> Statement:
    return allow("ReadConfigurations", ["sagemaker:DescribeEndpointConfig"], configurations(scope))


def adopted(scope: Scope, *actions: str) -> Iterator[Statement]:
    """Reading only: what an adopted endpoint is on has a name its owner chose, and chooses anew with every change of theirs."""
    if scope.adopts:
        place = scope.names.place
        kinds = {"sagemaker:DescribeEndpointConfig": "endpoint-config", "sagemaker:DescribeModel": "model"}
        resources = [place.arn("sagemaker", f"{kinds[action]}/*") for action in actions]
        yield allow("ReadAdopted", actions, resources)


def move_endpoints(scope: Scope) -> Statement:
    """In one statement: with a hundred endpoints each list of them is half a policy."""
    return allow("MoveEndpoints", [_DESCRIBE, _SHIFT, _UPDATE], _endpoints(scope))


def move_to(scope: Scope) -> Statement:
    """UpdateEndpoint is authorized on the endpoint and on the configuration it moves to."""
    return allow("MoveToConfigurations", [_UPDATE], [created_configs_arn(scope.names)])


def shift_weights(scope: Scope) -> Statement:
    return allow("ShiftWeights", [_DESCRIBE, _SHIFT], _endpoints(scope))


def see_scaling() -> Statement:
    """Describing has no resource level."""
    kinds = ("DescribeScalableTargets", "DescribeScalingPolicies")
    return allow("SeeScaling", [f"application-autoscaling:{kind}" for kind in kinds], ["*"])


def change_scaling(scope: Scope, *operations: str) -> Statement:
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


def smoke_tests(scope: Scope) -> Iterator[Statement]:
    """Straight to a slot only: the smoke test must not be answered by whoever has the weight. One statement for each choice of slots.

    What slots other stacks' endpoints have is not known here; there it must be some slot.
    """
    for i, slots in enumerate(sorted(set(scope.slots.values()))):
        asked = [endpoint_arn(scope.names, endpoint) for endpoint in scope.endpoints if scope.slots[endpoint] == slots]
        condition = {"StringEquals": {"sagemaker:TargetVariant": list(slots)}}
        yield allow(f"SmokeTest{i or ''}", ["sagemaker:InvokeEndpoint"], asked, condition)
    if scope.reach:
        reached = [endpoint_arn(scope.names, pattern) for pattern in scope.reach]
        yield allow(
            "SmokeTestElsewhere", ["sagemaker:InvokeEndpoint"], reached, {"Null": {"sagemaker:TargetVariant": "false"}}
        )


def artifacts(scope: Scope) -> tuple[Statement, Statement]:
    """Without ListBucket S3 answers for a missing object that access is denied, and the sentence would be the wrong one."""
    buckets = [scope.names.place.bucket_arn(bucket) for bucket in scope.artifact_buckets]
    return (
        allow("CheckArtifacts", ["s3:GetObject"], [f"{bucket}/*" for bucket in buckets]),
        allow("SeeMissingArtifacts", ["s3:ListBucket"], buckets),
    )


def registry(scope: Scope) -> Iterator[Statement]:
    """Entries of the model registry, where releases have some. Nothing may be written there: writing is how models are approved."""
    if scope.model_package_groups:
        versions = [version_arns(group) for group in scope.model_package_groups]
        yield allow("ReadRegistry", ["sagemaker:DescribeModelPackage"], versions)


def alarm_states(scope: Scope) -> Statement:
    """Any alarm of this account and region: a policy may list alarms that are not ours. Their states are no secret."""
    return allow("ReadAlarmStates", ["cloudwatch:DescribeAlarms"], [scope.names.all_alarms_arn])


def start_clock(scope: Scope) -> Statement:
    return allow("StartClocks", ["states:StartExecution"], [scope.names.machine_arn])


def write_mirror(scope: Scope) -> Statement:
    return allow("WriteMirror", ["ssm:PutParameter"], [scope.names.parameters_arn])


def keep_rows(scope: Scope) -> Statement:
    """What a decision was judged on, beside the archived events."""
    return allow("KeepRows", ["s3:PutObject"], [f"{scope.names.archive_bucket_arn}/rows/*"])


def hooks(scope: Scope) -> Iterator[Statement]:
    """Gates and rollback hooks of the policies; a policy that is configured no more loses them, and its gates do not agree then."""
    functions = sorted(hook.target for hook in scope.hooks if hook.kind is HookKind.LAMBDA)
    if functions:
        yield allow("CallHooks", ["lambda:InvokeFunction"], functions)
    if any(hook.kind is HookKind.HTTPS for hook in scope.hooks):
        yield allow("SignHooks", ["ssm:GetParameter"], [scope.names.key_parameter_arn])


def drills(scope: Scope) -> Iterator[Statement]:
    """Which endpoints there are, how their last drills went, and to set one alarm off and back."""
    if scope.drills:
        yield allow("ReadDrills", ["dynamodb:Query"], [scope.names.table_arn])
        yield allow("SetOffDrills", ["cloudwatch:SetAlarmState"], [scope.names.rollback_alarms_arn])


def take_back(scope: Scope) -> Statement:
    """Without looking at the endpoint first: the record says what to ask for."""
    return allow("TakeBack", [_SHIFT], _endpoints(scope))


def send_links(scope: Scope) -> Iterator[Statement]:
    """Where signed links are turned on."""
    if scope.links:
        yield allow("SignLinks", ["ssm:GetParameter"], [scope.names.link_key_arn])
        yield allow("SendLinks", ["sns:Publish"], [scope.names.approvals_arn])


def authenticate_traces(scope: Scope) -> Iterator[Statement]:
    """Where the collector wants headers. A SecureString under a key of one's own takes that key's policy besides."""
    if scope.collector_headers is not None:
        parameter = scope.names.place.arn("ssm", f"parameter{scope.collector_headers}")
        yield allow("AuthenticateTraces", ["ssm:GetParameter"], [parameter])


def _endpoints(scope: Scope) -> list[str]:
    return [endpoint_arn(scope.names, name) for name in (*scope.endpoints, *scope.reach)]


def created(scope: Scope) -> list[str]:
    return [created_models_arn(scope.names), created_configs_arn(scope.names)]


def configurations(scope: Scope) -> list[str]:
    """What an endpoint can be on: its first configuration or one the control plane made."""
    return [bootstrap_configs_arn(scope.names), created_configs_arn(scope.names)]
