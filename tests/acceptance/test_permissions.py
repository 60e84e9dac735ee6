"""Every statement of every function's role is needed: somewhere in a stack's life a call is allowed by it and by nothing else."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import boto3
import pytest

from infra.permission_scope import scope_of
from infra.permissions import FUNCTION_DOCUMENTS, machine_document
from infra.place import Place
from infra.resource_names import Names
from sluice.core.actions import Asks, Notify, Severity
from sluice.core.conditions import Hook, HookKind
from sluice.core.messages import letter_of
from sluice.core.record import encode
from sluice.core.rollout import Phase
from sluice.sandbox.cloud import actions
from sluice.sandbox.cloud.faults import Fault, Raise
from sluice.sandbox.cloud.gate import Call
from sluice.sandbox.cloud.iam import evaluate, parse
from sluice.sandbox.engine.program import ProgramFailed
from sluice.sandbox.faultbook.registry_faults import register
from sluice.sandbox.triage import ENDPOINT, Example
from sluice.schema import parse_stack
from sluice.tick import CLOCK_TICKS
from tests.acceptance.conftest import Stage, on_stage

NAMES = Names("sluice", "dev", Place("aws", "us-east-1", "123456789012"))
THEIRS = "payments-are-down"
FLAGS = "arn:aws:lambda:us-east-1:123456789012:function:flags"
NOTIFICATIONS = {
    "links": "4h",
    "collector": "https://collector.invalid/v1/traces",
    "collector_headers": "/otlp/headers",
}
DRILLS = {"schedule": "rate(9000 hours)"}
GROUPS = ["arn:aws:sagemaker:us-east-1:123456789012:model-package-group/triage"]
PER_INSTANCE = "SageMakerVariantInvocationsPerInstance"


@dataclass(frozen=True, slots=True)
class Life:
    """The calls of a stack's whole life, and its roles' documents."""

    calls: list[Call]
    lost_logs: dict[str, list[str]]
    documents: dict[str, dict[str, object]]


@pytest.fixture(scope="module")
def life(example: Example, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Everything a control plane ever does: rollouts up and back, a dead table, a dead clock, retirement, destruction."""
    policy = tmp_path_factory.mktemp("policies") / "listening.yaml"
    text = (
        example_policy().replace("after_soak: standby", "after_soak: retire").replace("cooldown: 24h", "cooldown: 1h")
    )
    text = text.replace("alarms: []", f"alarms: [{THEIRS}]")
    text += f"on_rollback: [{{lambda: '{FLAGS}'}}, {{https: 'https://flags.invalid/off', timeout: 1s, retries: 0}}]\n"
    policy.write_text(text)
    with on_stage(example) as stage:
        their_alarm()
        their_flags()
        stage.sandbox.config |= {
            "protect": False,
            "drills": DRILLS,
            "notifications": NOTIFICATIONS,
            "model_package_groups": GROUPS,
        }
        stage.up("v1", policy=str(policy))
        stage.send()
        scale("blue")
        an_archive_in_trouble(stage)
        a_missing_archive(stage, policy)
        back_by_their_alarm(stage, policy)
        back_without_the_table(stage, policy)
        back_by_a_person(stage, policy)
        back_by_the_sweep(stage, policy)
        back_by_a_link(stage, policy)
        up_and_retired(stage, policy)
        drilled(stage)
        stage.sandbox.destroy()
        gate, functions = stage.sandbox.cloud.gate, stage.sandbox.cloud.functions
        yield Life(list(gate.calls), dict(functions.lost_logs), documents(stage))


def example_policy() -> str:
    from sluice.sandbox.sandbox import REPOSITORY

    return (REPOSITORY / "policies" / "rollouts" / "demo.yaml").read_text()


def documents(stage: Stage) -> dict[str, dict[str, object]]:
    from sluice.sandbox.sandbox import REPOSITORY

    given = {key: stage.sandbox.config[key] for key in ("endpoints", "drills", "notifications", "model_package_groups")}
    spec = parse_stack(given, REPOSITORY, "sluice", "dev")
    made = {word: make(scope_of(NAMES, spec)) for word, make in FUNCTION_DOCUMENTS.items()}
    return {**made, "clock": machine_document(NAMES)}


def their_alarm() -> None:
    boto3.client("cloudwatch").put_metric_alarm(
        AlarmName=THEIRS,
        Namespace="Shop",
        MetricName="Failures",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )


def their_flags() -> None:
    """A function of an application team, to be called after a rollback."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = boto3.client("iam").create_role(
        RoleName="flags", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("flags.py", "def handler(event, context):\n    return {}\n")
    boto3.client("lambda").create_function(
        FunctionName="flags",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="flags.handler",
        Code={"ZipFile": code.getvalue()},
    )


def scale(slot: str) -> None:
    target = {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "ResourceId": f"endpoint/{ENDPOINT}/variant/{slot}",
    }
    scaling = boto3.client("application-autoscaling")
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=3)
    tracking = {"TargetValue": 1e6, "PredefinedMetricSpecification": {"PredefinedMetricType": PER_INSTANCE}}
    scaling.put_scaling_policy(
        **target,
        PolicyName="by-load",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking,
    )


def set_off(alarm: str) -> None:
    boto3.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")


def an_archive_in_trouble(stage: Stage) -> None:
    """An event is told of twice; then one cannot be kept, and is given up on after a second try."""
    stage.sandbox.run_until(lambda: False, 30)
    key = {"pk": {"S": f"E#{ENDPOINT}"}, "sk": {"S": "V#000000001"}}
    item = boto3.client("dynamodb").get_item(TableName=NAMES.table, Key=key)["Item"]
    told = {"SequenceNumber": "1", "Keys": key, "NewImage": item}
    record = {"eventName": "INSERT", "dynamodb": told}
    functions = boto3.client("lambda")
    functions.invoke(FunctionName=NAMES.function("archive"), Payload=json.dumps({"Records": [record]}))
    for word, operation in (("archive", "PutObject"), ("incident", "CreateOpsItem")):
        name = NAMES.function(word)
        (mapping,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        functions.update_event_source_mapping(UUID=mapping["UUID"], MaximumRetryAttempts=1)
        stage.sandbox.cloud.gate.inject(Fault(Raise("SlowDown"), function=name, operation=operation, times=2))


def a_missing_archive(stage: Stage, policy: object) -> None:
    """First at submission, then in the middle of preparing."""
    url = stage.example.document("v4")["artifact"]["url"]
    bucket, _, key = url.removeprefix("s3://").partition("/")
    boto3.client("s3").delete_object(Bucket=bucket, Key=key)
    with pytest.raises(ProgramFailed, match="the artifact of v4 is gone"):
        stage.up("v4", policy=str(policy))
    stage.example.upload(stage.sandbox, "v4")
    stage.up("v4", policy=str(policy))
    boto3.client("s3").delete_object(Bucket=bucket, Key=key)
    stage.until_ended()
    assert "the artifact of v4 is gone" in stage.head.outcome.because


def back_by_their_alarm(stage: Stage, policy: object) -> None:
    stage.up("v2", policy=str(policy))
    stage.until_weight(500)
    set_off(THEIRS)
    stage.until_ended()
    assert stage.head.outcome.phase is Phase.ROLLED_BACK
    boto3.client("cloudwatch").set_alarm_state(AlarmName=THEIRS, StateValue="OK", StateReason="test")


def back_without_the_table(stage: Stage, policy: object) -> None:
    """On another instance type, which SageMaker refuses for a slot that is registered for scaling."""
    scale("green")
    (configured,) = stage.example.endpoints("v5", policy=str(policy)).values()
    other = {**stage.example.document("v5"), "instance_type": "ml.c5.large"}
    stage.sandbox.config["endpoints"] = {"triage": {**configured, "release": other}}
    stage.sandbox.up()
    stage.until_weight(500)
    slot = stage.rollout.to_slot
    fault = stage.sandbox.cloud.gate.inject(
        Fault(Raise("InternalServerError", status=500), service="dynamodb", times=None)
    )
    set_off(f"sluice/sluice/dev/{ENDPOINT}/{slot}/errors")
    stage.sandbox.run_until(lambda: stage.canary_weight(slot) == 0, 300)
    assert stage.canary_weight(slot) == 0
    stage.sandbox.cloud.gate.faults.remove(fault)
    stage.until_ended()


def back_by_a_person(stage: Stage, policy: object) -> None:
    """With a release that is in the model registry."""
    stage.example.upload(stage.sandbox, "v4")
    document = dict(stage.example.document("v4"))
    (configured,) = stage.example.endpoints("v4", policy=str(policy), nonce="person").values()
    registered = {**document, "model_package": register(document, "Approved")}
    stage.sandbox.config["endpoints"] = {"triage": {**configured, "release": registered}}
    stage.sandbox.up()
    stage.until_weight(500)
    here = encode(stage.rollout.release)
    gone = {**here, "artifact": {**here["artifact"], "url": here["artifact"]["url"] + ".gone"}}
    submits = [{"action": "submit", "release": release, "nonce": "again", "reason": "test"} for release in (here, gone)]
    for order in ({"action": "history"}, {"action": "rollback", "reason": "test"}, *submits):
        boto3.client("lambda").invoke(
            FunctionName="sluice-dev-command",
            Qualifier="pipeline",
            Payload=json.dumps({**order, "endpoint": ENDPOINT}),
        )
    stage.until_ended()


def back_by_a_link(stage: Stage, policy: object) -> None:
    """Sent, as if a step had asked for approval, and followed."""
    stage.up("v2", policy=str(policy), nonce="link")
    stage.until_weight(500)
    approvers = boto3.client("sqs").create_queue(QueueName="approvers")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:approvers"
    boto3.client("sns").subscribe(TopicArn=NAMES.approvals_arn, Protocol="sqs", Endpoint=arn)
    event = stage.sandbox.events(ENDPOINT)[-1]
    asking = Notify(Severity.TICKET, ENDPOINT, "approval needed", "approval needed", asks=Asks(1, by_link=True))
    letter = replace(letter_of(event), notices=(asking,))
    record = {"messageId": "m1", "body": json.dumps(encode(letter))}
    functions = boto3.client("lambda")
    functions.invoke(FunctionName=NAMES.function("notify"), Payload=json.dumps({"Records": [record]}))
    (message,) = boto3.client("sqs").receive_message(QueueUrl=approvers)["Messages"]
    token = json.loads(message["Body"])["Message"].partition("abort: ")[2].partition("token=")[2].split()[0]
    form = {"requestContext": {"http": {"method": "POST"}}, "body": urlencode({"token": token, "reason": "test"})}
    functions.invoke(FunctionName=NAMES.function("link"), Payload=json.dumps(form))
    stage.until_ended()
    assert "aborted by unproven:link" in stage.head.outcome.because


def back_by_the_sweep(stage: Stage, policy: object) -> None:
    """The tick cannot look (it may not read the alarms) until the sweep has had enough, and then finishes in its place."""
    stage.sandbox.run_until(lambda: False, 3600)  # v2's quarantine runs out
    stage.up("v2", policy=str(policy), nonce="sweep")
    stage.until_weight(500)
    throttled = Fault(Raise("Throttling"), function="sluice-dev-tick", operation="DescribeAlarms", times=None)
    blind = stage.sandbox.cloud.gate.inject(throttled)
    stage.sandbox.run_until(lambda: stage.rollout.is_latched, 30 * 60)
    assert stage.rollout.latch.by == "sweep"
    stage.until_ended()
    stage.sandbox.cloud.gate.faults.remove(blind)


def up_and_retired(stage: Stage, policy: object) -> None:
    stage.up("v2", policy=str(policy), nonce="at-last")
    stage.until_weight(500)
    generation = stage.rollout.clock_generation
    old = {"endpoint": ENDPOINT, "rollout": stage.rollout.id, "generation": generation, "ticks": CLOCK_TICKS}
    boto3.client("lambda").invoke(
        FunctionName="sluice-dev-tick", Payload=json.dumps(old)
    )  # near the end of its history
    assert stage.rollout.clock_generation == generation + 1
    stage.until_ended()
    assert stage.head.outcome.phase is Phase.SETTLED
    stage.sandbox.run_until(lambda: stage.head.cleanup is None, 3600)
    assert stage.head.cleanup is None


def drilled(stage: Stage) -> None:
    """Begun by hand: by the clock it would get between the rollouts."""
    stage.sandbox.run_until(lambda: not stage.head.is_unfinished, 3600)
    boto3.client("lambda").invoke(FunctionName=NAMES.function("sweep"), Payload=json.dumps({"drill": True}))
    stage.sandbox.run_until(lambda: stage.head.drill is None, 1200)
    assert stage.head.drilled_at is not None, stage.kinds


def test_nothing_the_functions_do_is_denied(life: Life) -> None:
    refused = [
        call for call in life.calls if call.outcome in ("AccessDenied", "AccessDeniedException", "AuthorizationError")
    ]

    assert refused == []
    assert life.lost_logs == {}


ASKED_BY_AWS = {("archive", "dynamodb:ListStreams")}
"""Lambda refuses a mapping from a stream unless the role may do this; no call of the sandbox shows it."""


def permitted() -> list[tuple[str, str, str]]:
    """Every action of every statement of every role."""
    hooks = (Hook(HookKind.LAMBDA, FLAGS, 5, 0), Hook(HookKind.HTTPS, "https://flags.invalid/off", 1, 0))
    scope = replace(
        scope_of(NAMES, parse_stack_of_nothing()),
        hooks=hooks,
        drills=True,
        links=True,
        collector_headers="/otlp",
        model_package_groups=tuple(GROUPS),
    )
    made = {word: make(scope) for word, make in FUNCTION_DOCUMENTS.items()}
    made["clock"] = machine_document(NAMES)
    return [
        (word, statement["Sid"], action)
        for word, document in made.items()
        for statement in document["Statement"]
        for action in statement["Action"]
    ]


def parse_stack_of_nothing():
    from sluice.schema import StackSpec

    return StackSpec((), ("bucket",), False, 30)


@pytest.mark.parametrize(("word", "sid", "action"), permitted())
def test_without_this_statement_a_call_is_denied(life: Life, word: str, sid: str, action: str) -> None:
    """Action by action: a statement that is needed may still hold one that is not."""
    document = life.documents[word]
    without = {**document, "Statement": [short_of(s, action) if s["Sid"] == sid else s for s in document["Statement"]]}
    if (word, action) in ASKED_BY_AWS:
        return
    if sid == "WriteOwnLogs":
        stream = f"arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/sluice-dev-{word}:log-stream:x"
        assert allowed(document, action, stream, {})
        assert not allowed(without, action, stream, {})
        return

    denied = [
        (call.operation, need.action)
        for call in life.calls
        if sid in call.sids and call.function.removeprefix("states:").removeprefix("mapping:") in speakers(word)
        for need in needs(call)
        if need.action == action and not allowed(without, need.action, need.resource, need.context)
    ]

    assert denied, f"nothing in a stack's life needs {word}'s statement {sid} for {action}: take it out"


def short_of(statement: dict[str, object], action: str) -> dict[str, object]:
    return {**statement, "Action": [kept for kept in statement["Action"] if kept != action]}


def needs(call: Call) -> list[actions.Need]:
    asked = actions.actions_of(call.service, call.operation, call.params, actions.Place())
    missing = call.outcome in ("404", "NoSuchKey")
    return asked + (actions.needs_to_see_missing(call.service, call.params, actions.Place()) if missing else [])


def speakers(word: str) -> set[str]:
    return {f"sluice-dev-{word}"}


def allowed(document: dict[str, object], action: str, resource: str, context: dict[str, str]) -> bool:
    full = {"aws:RequestedRegion": "us-east-1", **context}
    return evaluate(parse("document", json.dumps(document)), action, resource, full).allowed
