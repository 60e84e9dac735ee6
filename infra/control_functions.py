"""The control plane's Lambda functions: what each is given, and the role, policy and log group that come with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.iam_documents import text, trust
from infra.iam_packing import pack
from infra.permission_scope import Scope
from infra.permissions import FUNCTION_DOCUMENTS
from infra.resource_names import Names


@dataclass(frozen=True, slots=True)
class Sizing:
    """What a function is given. `reserved` is concurrency nobody else in the account can use up."""

    timeout_seconds: int
    memory_mb: int
    reserved: int | None = None


SIZINGS: Mapping[str, Sizing] = {
    # Waits up to a minute for IAM to let a new role through, then works.
    "submit": Sizing(120, 256),
    # A smoke test may ask 20 times; the judge computes, and CPU comes with memory.
    "tick": Sizing(60, 512),
    # One read, one write, one weight call of 5 s at most. The queue delivers again 2 s after this time is over, so it is kept short.
    "alarm": Sizing(10, 256, reserved=5),
    # Must be over before the next one starts. Reserved, because an account without concurrency left is when nobody ticks: one a
    # minute, one that Lambda tries again, and a drill.
    "sweep": Sizing(50, 256, reserved=3),
    "command": Sizing(30, 256),
    # A batch of events, one small object each.
    "archive": Sizing(60, 256),
    # Reads a whole trail and copies an artifact; S3 copies 5 GiB in a minute or two.
    "incident": Sizing(300, 512),
    # A few calls a letter, each of a second at most.
    "notify": Sizing(30, 256),
    # Its address is public: whoever calls it for fun must not use up the concurrency that the others need.
    "link": Sizing(15, 256, reserved=2),
}


def environment(names: Names, word: str) -> dict[str, str]:
    """What `sluice.aws.wiring` and Powertools read."""
    return {
        "SLUICE_TABLE": names.table,
        "SLUICE_MACHINE_ARN": names.machine_arn,
        "SLUICE_PARAMETER_ROOT": names.parameter_root,
        "SLUICE_KEY_PARAMETER": names.key_parameter,
        "POWERTOOLS_SERVICE_NAME": word,
        "POWERTOOLS_METRICS_NAMESPACE": names.metrics_namespace,
    }


@dataclass(frozen=True, slots=True)
class FunctionArgs:
    """What all functions of a stack share, and by function what only that one is told."""

    scope: Scope
    code: pulumi.Archive
    log_retention_days: int
    protect: bool
    told: Mapping[str, Mapping[str, pulumi.Input[str]]]


def control_function(word: str, args: FunctionArgs, parent: pulumi.Resource) -> aws.lambda_.Function:
    """The function, which exists only once its permissions and its log group do: Lambda would make a group that keeps logs for ever."""
    names, sizing = args.scope.names, SIZINGS[word]
    opts = pulumi.ResourceOptions(parent=parent)
    logs = aws.cloudwatch.LogGroup(
        word, name=names.log_group(word), retention_in_days=args.log_retention_days, opts=opts
    )
    role = fixed_role(word, names.role(word), "lambda.amazonaws.com", protect=args.protect, parent=parent)
    permissions = _permissions(word, args.scope, role, parent)
    return aws.lambda_.Function(
        word,
        name=names.function(word),
        role=role.arn,
        runtime="python3.13",
        architectures=["arm64"],
        handler=f"lambdas.{word}.handler",
        code=args.code,
        timeout=sizing.timeout_seconds,
        memory_size=sizing.memory_mb,
        reserved_concurrent_executions=sizing.reserved,
        environment=aws.lambda_.FunctionEnvironmentArgs(
            variables={**environment(names, word), **args.told.get(word, {})}
        ),
        opts=pulumi.ResourceOptions(parent=parent, protect=args.protect, depends_on=[logs, *permissions]),
    )


def _permissions(word: str, scope: Scope, role: aws.iam.Role, parent: pulumi.Resource) -> list[pulumi.Resource]:
    """The function's document, in as many policies as it takes. What the document lets it do never has a gap while it grows or
    shrinks: each policy waits for those that take over from it, and what is superfluous is deleted last.
    """
    packed = pack(FUNCTION_DOCUMENTS[word](scope))
    made: list[pulumi.Resource] = []
    for i in reversed(range(len(packed.managed))):
        policy = aws.iam.Policy(
            f"{word}-{i}",
            name=scope.names.role_policy(word, i),
            policy=text(packed.managed[i]),
            opts=pulumi.ResourceOptions(parent=parent, depends_on=list(made)),
        )
        attachment = aws.iam.RolePolicyAttachment(
            f"{word}-{i}", role=role.name, policy_arn=policy.arn, opts=pulumi.ResourceOptions(parent=parent)
        )
        made = [*made, policy, attachment]
    inline = aws.iam.RolePolicy(
        word,
        role=role.name,
        policy=text(packed.inline),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(made)),
    )
    return [*made, inline]


def fixed_role(
    word: str,
    name: str,
    service: str,
    *,
    protect: bool,
    parent: pulumi.Resource,
    account: str | None = None,
    retained: bool = False,
    path: str | None = None,
) -> aws.iam.Role:
    """A role with a fixed name, protected: running executions and live models keep the role they were made with.

    `account` for services whose guides promise to name it when they assume a role: Step Functions' and SageMaker's do,
    Lambda's does not.
    """
    return aws.iam.Role(
        word,
        name=name,
        path=path,
        assume_role_policy=text(trust(service, account)),
        opts=pulumi.ResourceOptions(parent=parent, protect=protect, retain_on_delete=retained),
    )
