"""What each role may do, written out: whoever changes a statement changes this table, and a removed one is missed here."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from infra.commands import command_document_of, pipeline_document_of
from infra.endpoint_names import name_root
from infra.iam_documents import Document, text, trust
from infra.permission_scope import scope_of
from infra.permissions import FUNCTION_DOCUMENTS, machine_document
from infra.serving_permissions import caller_document, execution_document, queue_document, repository_arn
from sluice.core.classes import PIPELINE, CommandClass
from sluice.core.conditions import Hook, HookKind
from sluice.core.errors import BadInput
from sluice.sandbox.cloud.iam import evaluate, parse
from tests.infra.stacks import NAMES, REPOSITORY, endpoint, endpoint_document, scope, spec

HERE = "eu-west-1:123456789012"
ENDPOINT = f"arn:aws:sagemaker:{HERE}:endpoint/dev-triage"
BOOTSTRAP = f"arn:aws:sagemaker:{HERE}:endpoint-config/*-bootstrap-*"
CONFIGS = f"arn:aws:sagemaker:{HERE}:endpoint-config/{name_root(NAMES)}-*"
MODELS = f"arn:aws:sagemaker:{HERE}:model/{name_root(NAMES)}-*"
TABLE = f"arn:aws:dynamodb:{HERE}:table/sluice-dev"
MACHINE = f"arn:aws:states:{HERE}:stateMachine:sluice-dev-clock"
PARAMETERS = f"arn:aws:ssm:{HERE}:parameter/sluice/sluice/dev/*"
TOPIC = f"arn:aws:sns:{HERE}:sluice-dev-pages"
ALARMS = f"arn:aws:cloudwatch:{HERE}:alarm:*"
EXECUTION_ROLES = "arn:aws:iam::123456789012:role/sluice/sluice-dev/*"


def logs(word: str) -> tuple[list[str], list[str]]:
    return ["logs:CreateLogStream", "logs:PutLogEvents"], [
        f"arn:aws:logs:{HERE}:log-group:/aws/lambda/sluice-dev-{word}:*"
    ]


RECORDS = ["dynamodb:GetItem", "dynamodb:PutItem"]
FIND_UNFINISHED = (["dynamodb:Query"], [f"{TABLE}/index/live"])
DESCRIBE = (["sagemaker:DescribeEndpoint"], [ENDPOINT])
READ_CONFIGURATIONS = (["sagemaker:DescribeEndpointConfig"], [BOOTSTRAP, CONFIGS])
SHIFT = (["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"], [ENDPOINT])
MOVE = ([*SHIFT[0], "sagemaker:UpdateEndpoint"], [ENDPOINT])
MOVE_TO = (["sagemaker:UpdateEndpoint"], [CONFIGS])
CHECK_ARTIFACTS = (["s3:GetObject"], ["arn:aws:s3:::models/*"])
SEE_MISSING = (["s3:ListBucket"], ["arn:aws:s3:::models"])
START_CLOCKS = (["states:StartExecution"], [MACHINE])
WRITE_MIRROR = (["ssm:PutParameter"], [PARAMETERS])
LINK_KEY = (["ssm:GetParameter"], [f"arn:aws:ssm:{HERE}:parameter/sluice-keys/sluice/dev/links"])
SCALING = "application-autoscaling"
SEE_SCALING = ([f"{SCALING}:DescribeScalableTargets", f"{SCALING}:DescribeScalingPolicies"], ["*"])
SCALABLE = f"arn:aws:{SCALING}:{HERE}:scalable-target/*"
OF_VARIANTS = {
    "StringEquals": {
        f"{SCALING}:service-namespace": "sagemaker",
        f"{SCALING}:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
    }
}

EXPECTED = {
    "submit": {
        "WriteOwnLogs": logs("submit"),
        "UseRecords": ([*RECORDS, "dynamodb:Query"], [TABLE]),
        "FindUnfinished": FIND_UNFINISHED,
        "DescribeEndpoints": DESCRIBE,
        "ReadBootstrapRelease": (["sagemaker:DescribeEndpointConfig", "sagemaker:ListTags"], [BOOTSTRAP, CONFIGS]),
        "CheckArtifacts": CHECK_ARTIFACTS,
        "SeeMissingArtifacts": SEE_MISSING,
        "ReadAlarmStates": (["cloudwatch:DescribeAlarms"], [ALARMS]),
        "StartClocks": START_CLOCKS,
        "WriteMirror": WRITE_MIRROR,
        "FindRemains": (["sagemaker:ListModels", "sagemaker:ListEndpointConfigs"], ["*"]),
        "RemoveRemains": (["sagemaker:DeleteModel", "sagemaker:DeleteEndpointConfig"], [MODELS, CONFIGS]),
    },
    "tick": {
        "WriteOwnLogs": logs("tick"),
        "UseRecords": (RECORDS, [TABLE]),
        "ReadConfigurations": READ_CONFIGURATIONS,
        "MakeSlots": (
            ["sagemaker:CreateModel", "sagemaker:CreateEndpointConfig", "sagemaker:AddTags"],
            [MODELS, CONFIGS],
        ),
        "PassExecutionRoles": (["iam:PassRole"], [EXECUTION_ROLES]),
        "MoveEndpoints": MOVE,
        "MoveToConfigurations": MOVE_TO,
        "SmokeTest": (["sagemaker:InvokeEndpoint"], [ENDPOINT]),
        "SeeScaling": SEE_SCALING,
        "ChangeScaling": ([f"{SCALING}:RegisterScalableTarget", f"{SCALING}:DeregisterScalableTarget"], [SCALABLE]),
        "CheckArtifacts": CHECK_ARTIFACTS,
        "SeeMissingArtifacts": SEE_MISSING,
        "ReadAlarmStates": (["cloudwatch:DescribeAlarms"], [ALARMS]),
        "Rehearse": (["cloudwatch:SetAlarmState"], [f"arn:aws:cloudwatch:{HERE}:alarm:sluice/sluice/dev/*"]),
        "ReadMetrics": (["cloudwatch:GetMetricData"], ["*"]),
        "KeepRows": (["s3:PutObject"], ["arn:aws:s3:::sluice-dev-audit-*/rows/*"]),
        "StartClocks": START_CLOCKS,
        "WriteMirror": WRITE_MIRROR,
    },
    "alarm": {
        "WriteOwnLogs": logs("alarm"),
        "TakeEvents": (
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            [f"arn:aws:sqs:{HERE}:sluice-dev-alarm"],
        ),
        "UseRecords": (RECORDS, [TABLE]),
        "FindUnfinished": FIND_UNFINISHED,
        "ShiftWeights": SHIFT,
        "ReadMirror": (["ssm:GetParameter"], [PARAMETERS]),
        "WriteMirror": WRITE_MIRROR,
        "StartClocks": START_CLOCKS,
    },
    "sweep": {
        "WriteOwnLogs": logs("sweep"),
        "UseRecords": (RECORDS, [TABLE]),
        "FindUnfinished": FIND_UNFINISHED,
        "ReadConfigurations": READ_CONFIGURATIONS,
        "RetireSlots": (["sagemaker:CreateEndpointConfig", "sagemaker:AddTags"], [CONFIGS]),
        "MoveEndpoints": MOVE,
        "MoveToConfigurations": MOVE_TO,
        "SeeScaling": SEE_SCALING,
        "ChangeScaling": (
            [
                f"{SCALING}:{name}"
                for name in ("RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy")
            ],
            [SCALABLE],
        ),
        "ReadAlarmStates": (["cloudwatch:DescribeAlarms"], [ALARMS]),
        "ReadClocks": (["states:DescribeExecution"], [f"arn:aws:states:{HERE}:execution:sluice-dev-clock:*"]),
        "StartClocks": START_CLOCKS,
        "WriteMirror": WRITE_MIRROR,
    },
    "command": {
        "WriteOwnLogs": logs("command"),
        "UseRecords": ([*RECORDS, "dynamodb:Query"], [TABLE]),
        "ShiftWeights": SHIFT,
        "CheckArtifacts": CHECK_ARTIFACTS,
        "SeeMissingArtifacts": SEE_MISSING,
        "StartClocks": START_CLOCKS,
        "WriteMirror": WRITE_MIRROR,
    },
    "archive": {
        "WriteOwnLogs": logs("archive"),
        "ReadStream": (
            [f"dynamodb:{name}" for name in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")],
            [f"{TABLE}/stream/*"],
        ),
        "KeepEvents": (
            ["s3:PutObject"],
            [f"arn:aws:s3:::sluice-dev-audit-*/{what}/*" for what in ("events", "tampering")],
        ),
        "CompareKeptEvents": (["s3:GetObject"], ["arn:aws:s3:::sluice-dev-audit-*/events/*"]),
        "Post": (["sqs:SendMessage"], [f"arn:aws:sqs:{HERE}:sluice-dev-outbox"]),
        "GiveUp": (["sqs:SendMessage"], [f"arn:aws:sqs:{HERE}:sluice-dev-dead-letter"]),
    },
    "incident": {
        "WriteOwnLogs": logs("incident"),
        "ReadStream": (
            [f"dynamodb:{name}" for name in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")],
            [f"{TABLE}/stream/*"],
        ),
        "ReadEvents": (["dynamodb:Query"], [TABLE]),
        "DescribeEndpoints": DESCRIBE,
        "ReadAlarmStates": (["cloudwatch:DescribeAlarms"], [ALARMS]),
        "ReadMetrics": (["cloudwatch:GetMetricData"], ["*"]),
        "CheckArtifacts": CHECK_ARTIFACTS,
        "KeepEvidence": (["s3:PutObject", "s3:GetObject"], ["arn:aws:s3:::sluice-dev-audit-*/incidents/*"]),
        "SeeWhatIsKept": (["s3:ListBucket"], ["arn:aws:s3:::sluice-dev-audit-*"]),
        "OpenIncidents": (["ssm:CreateOpsItem"], [f"arn:aws:ssm:{HERE}:opsitem/*"]),
        "GiveUp": (["sqs:SendMessage"], [f"arn:aws:sqs:{HERE}:sluice-dev-dead-letter"]),
    },
    "notify": {
        "WriteOwnLogs": logs("notify"),
        "TakeLetters": (
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            [f"arn:aws:sqs:{HERE}:sluice-dev-outbox"],
        ),
        "RememberWhatWasSent": (RECORDS, [TABLE]),
        "TellPeople": (["sns:Publish"], [TOPIC]),
        "TellPrograms": (["events:PutEvents"], [f"arn:aws:events:{HERE}:event-bus/sluice-dev-events"]),
    },
    "link": {
        "WriteOwnLogs": logs("link"),
        "CheckLinks": LINK_KEY,
        "UseRecords": ([*RECORDS, "dynamodb:Query"], [TABLE]),
        "TakeBack": (["sagemaker:UpdateEndpointWeightsAndCapacities"], [ENDPOINT]),
        "StartClocks": START_CLOCKS,
        "WriteMirror": WRITE_MIRROR,
    },
    "clock": {"InvokeTick": (["lambda:InvokeFunction"], [f"arn:aws:lambda:{HERE}:function:sluice-dev-tick"])},
    "execution": {
        "ReadArtifacts": CHECK_ARTIFACTS,
        "SeeMissingArtifacts": SEE_MISSING,
        "PullImage": (
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            ["arn:aws:ecr:eu-west-1:683313688378:repository/sagemaker-scikit-learn"],
        ),
        "LogInToRegistry": (["ecr:GetAuthorizationToken"], ["*"]),
        "WriteContainerLogs": (
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [
                f"arn:aws:logs:{HERE}:log-group:/aws/sagemaker/Endpoints/dev-Triage",
                f"arn:aws:logs:{HERE}:log-group:/aws/sagemaker/Endpoints/dev-Triage:*",
            ],
        ),
        "PublishMetrics": (["cloudwatch:PutMetricData"], ["*"]),
        "WriteCaptures": (["s3:PutObject"], ["arn:aws:s3:::captures/dev-Triage/*"]),
    },
    "caller": {
        "InvokeByWeight": (["sagemaker:InvokeEndpoint"], [ENDPOINT]),
        "ReadChampion": (["ssm:GetParameter"], [f"arn:aws:ssm:{HERE}:parameter/sluice/sluice/dev/dev-Triage"]),
        "RecordOutcomes": (["cloudwatch:PutMetricData"], ["*"]),
    },
}

NO_RESOURCE_LEVEL = {
    "sagemaker:ListModels": "a listing is of everything",
    "sagemaker:ListEndpointConfigs": "a listing is of everything",
    "cloudwatch:GetMetricData": "metrics have no ARN",
    "application-autoscaling:DescribeScalableTargets": "describing has no resource level",
    "application-autoscaling:DescribeScalingPolicies": "describing has no resource level",
    "cloudwatch:PutMetricData": "metrics have no ARN; limited by namespace",
    "ecr:GetAuthorizationToken": "a token is for a whole registry",
}
"""The only actions that may stand on `*`, and why."""


def documents() -> dict[str, Document]:
    made = {word: make(scope()) for word, make in FUNCTION_DOCUMENTS.items()}
    made["clock"] = machine_document(NAMES)
    made["execution"] = execution_document(NAMES, endpoint(), ("models",), "s3://captures/dev-Triage")
    made["caller"] = caller_document(NAMES, "dev-Triage")
    return made


CONDITIONS = {
    ("tick", "PassExecutionRoles"): {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    ("tick", "SmokeTest"): {"StringEquals": {"sagemaker:TargetVariant": ["blue", "green"]}},
    ("tick", "ChangeScaling"): OF_VARIANTS,
    ("sweep", "ChangeScaling"): OF_VARIANTS,
    ("notify", "RememberWhatWasSent"): {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["T#*"]}},
    ("execution", "PublishMetrics"): {"StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"]}},
    ("caller", "InvokeByWeight"): {"Null": {"sagemaker:TargetVariant": "true"}},
    ("caller", "RecordOutcomes"): {"StringEquals": {"cloudwatch:namespace": "Sluice/sluice/dev/outcomes"}},
}


@pytest.mark.parametrize("role", EXPECTED)
def test_a_role_may_do_exactly_what_the_table_says(role):
    statements = documents()[role]["Statement"]

    assert {s["Sid"]: (s["Action"], s["Resource"]) for s in statements} == EXPECTED[role]
    assert len({s["Sid"] for s in statements}) == len(statements)
    assert all(s["Effect"] == "Allow" for s in statements)
    for statement in statements:
        assert statement.get("Condition") == CONDITIONS.get((role, statement["Sid"]))


def test_every_action_on_everything_has_a_reason():
    everywhere = {
        action
        for made in documents().values()
        for statement in made["Statement"]
        if "*" in statement["Resource"]
        for action in statement["Action"]
    }

    assert everywhere == NO_RESOURCE_LEVEL.keys()
    assert not any("*" in action for made in documents().values() for s in made["Statement"] for action in s["Action"])


def test_only_the_named_rule_may_send_to_a_queue():
    rule = f"arn:aws:events:{HERE}:rule/sluice-dev-alarm"
    made = queue_document("AlarmRule", f"arn:aws:sqs:{HERE}:sluice-dev-alarm", [rule])
    statements = parse("queue", text(made))

    def allowed(source: str) -> bool:
        context = {"aws:SourceArn": source}
        return evaluate(statements, "sqs:SendMessage", f"arn:aws:sqs:{HERE}:sluice-dev-alarm", context).allowed

    assert statements[0].services == ("events.amazonaws.com",)
    assert allowed(rule)
    assert not allowed(f"{rule}-2")


def test_the_smoke_test_may_not_ask_by_weight():
    statements = parse("tick", text(FUNCTION_DOCUMENTS["tick"](scope())))

    assert evaluate(statements, "sagemaker:InvokeEndpoint", ENDPOINT, {"sagemaker:TargetVariant": "green"}).allowed
    assert not evaluate(statements, "sagemaker:InvokeEndpoint", ENDPOINT, {}).allowed


def test_only_where_links_are_turned_on_may_they_be_signed_and_sent():
    made = FUNCTION_DOCUMENTS["notify"](replace(scope(), links=True))["Statement"]
    more = {s["Sid"]: (s["Action"], s["Resource"]) for s in made if s["Sid"] not in EXPECTED["notify"]}

    approvals = f"arn:aws:sns:{HERE}:sluice-dev-approvals"
    assert more == {"SignLinks": LINK_KEY, "SendLinks": (["sns:Publish"], [approvals])}


def test_only_where_a_collector_wants_headers_may_they_be_read_and_nothing_beside_them():
    made = FUNCTION_DOCUMENTS["notify"](replace(scope(), collector_headers="/otlp/headers"))["Statement"]
    more = {s["Sid"]: (s["Action"], s["Resource"]) for s in made if s["Sid"] not in EXPECTED["notify"]}

    assert more == {"AuthenticateTraces": (["ssm:GetParameter"], [f"arn:aws:ssm:{HERE}:parameter/otlp/headers"])}


def test_who_tells_people_may_not_touch_what_is_told_of():
    statements = parse("notify", text(FUNCTION_DOCUMENTS["notify"](scope())))

    def allowed(key: str) -> bool:
        return evaluate(statements, "dynamodb:PutItem", TABLE, {"dynamodb:LeadingKeys": key}).allowed

    assert allowed("T#dev-triage")
    assert not allowed("E#dev-triage")


def test_a_role_trusts_one_service():
    assert trust("lambda.amazonaws.com")["Statement"] == [
        {
            "Sid": "Assume",
            "Effect": "Allow",
            "Action": ["sts:AssumeRole"],
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
    ]


def test_a_repository_is_read_from_the_image():
    image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/team/model:1.2@sha256:abc"

    assert repository_arn(image, NAMES.place) == "arn:aws:ecr:us-west-2:123456789012:repository/team/model"


def test_an_image_outside_ecr_is_refused_with_a_sentence():
    with pytest.raises(BadInput, match="SageMaker pulls from ECR only"):
        repository_arn("docker.io/library/python@sha256:abc", NAMES.place)


def test_each_endpoint_is_asked_in_its_own_slots_only():
    """Slots are by endpoint: `next` of one must not open `next` of another that has no such slot."""
    made = scope_of(NAMES, spec(ward=endpoint_document(), lab=endpoint_document(slots=["AllTraffic", "next"])))
    statements = parse("tick", text(FUNCTION_DOCUMENTS["tick"](made)))

    def allowed(name: str, slot: str) -> bool:
        arn = f"arn:aws:sagemaker:{HERE}:endpoint/dev-{name}"
        return evaluate(statements, "sagemaker:InvokeEndpoint", arn, {"sagemaker:TargetVariant": slot}).allowed

    assert [
        (name, slot)
        for name in ("ward", "lab")
        for slot in ("blue", "green", "AllTraffic", "next")
        if allowed(name, slot)
    ] == [
        ("ward", "blue"),
        ("ward", "green"),
        ("lab", "AllTraffic"),
        ("lab", "next"),
    ]


class TestPeople:
    """What the exported documents of command classes allow."""

    ALIAS = f"arn:aws:lambda:{HERE}:function:sluice-dev-command"
    THROUGH_URL = {"lambda:InvokedViaFunctionUrl": "true", "lambda:FunctionUrlAuthType": "AWS_IAM"}  # noqa: RUF012

    def may(self, document: Document, action: str, alias: str, context: dict[str, str]) -> bool:
        return evaluate(parse("document", text(document)), action, f"{self.ALIAS}:{alias}", context).allowed

    @pytest.mark.parametrize("word", list(CommandClass))
    def test_a_class_opens_its_own_url_and_no_other(self, word: CommandClass) -> None:
        document = command_document_of(NAMES, word)

        for other in (*CommandClass, PIPELINE):
            for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction"):
                assert self.may(document, action, other, self.THROUGH_URL) == (other == word)

    def test_nobody_invokes_past_the_url_where_the_caller_could_be_made_up(self) -> None:
        document = command_document_of(NAMES, CommandClass.APPROVE)

        assert not self.may(document, "lambda:InvokeFunction", "approve", {})

    def test_a_pipeline_has_the_pipelines_alias_only(self) -> None:
        document = pipeline_document_of(NAMES)

        assert self.may(document, "lambda:InvokeFunction", PIPELINE, {})
        assert not any(self.may(document, "lambda:InvokeFunction", word, self.THROUGH_URL) for word in CommandClass)


def test_hooks_are_permitted_one_by_one_and_the_key_only_to_whom_signs() -> None:
    function = "arn:aws:lambda:eu-west-1:123456789012:function:gate"
    hooks = (Hook(HookKind.LAMBDA, function, 5, 0), Hook(HookKind.HTTPS, "https://gate", 5, 0))
    with_hooks = replace(scope(), hooks=hooks)
    found = {s["Sid"]: (s["Action"], s["Resource"]) for s in FUNCTION_DOCUMENTS["tick"](with_hooks)["Statement"]}

    assert found["CallHooks"] == (["lambda:InvokeFunction"], [function])
    assert found["SignHooks"] == (["ssm:GetParameter"], [f"arn:aws:ssm:{HERE}:parameter/sluice-keys/sluice/dev"])
    for word in ("alarm", "command", "submit"):
        sids = {s["Sid"] for s in FUNCTION_DOCUMENTS[word](with_hooks)["Statement"]}
        assert not sids & {"CallHooks", "SignHooks"}, f"{word} has no business with hooks"


def test_drills_are_permitted_where_they_are_configured() -> None:
    found = {
        s["Sid"]: (s["Action"], s["Resource"])
        for s in FUNCTION_DOCUMENTS["sweep"](replace(scope(), drills=True))["Statement"]
    }

    assert found.pop("ReadDrills") == (["dynamodb:Query"], [TABLE])
    assert found.pop("SetOffDrills") == (
        ["cloudwatch:SetAlarmState"],
        [f"arn:aws:cloudwatch:{HERE}:alarm:sluice/sluice/dev/*"],
    )
    assert found == EXPECTED["sweep"]


def test_the_model_registry_is_read_by_who_asks_it_and_written_by_nobody() -> None:
    group = f"arn:aws:sagemaker:{HERE}:model-package-group/triage"
    documents = {
        word: make(replace(scope(), model_package_groups=(group,)))["Statement"]
        for word, make in FUNCTION_DOCUMENTS.items()
    }
    readers = {
        word: (statement["Action"], statement["Resource"])
        for word, statements in documents.items()
        for statement in statements
        if any("ModelPackage" in action for action in statement["Action"])
    }

    read = (["sagemaker:DescribeModelPackage"], [f"arn:aws:sagemaker:{HERE}:model-package/triage/*"])
    assert readers == {"submit": read, "tick": read, "command": read}


def test_the_page_on_security_names_every_action_that_is_allowed_on_anything() -> None:
    page = (REPOSITORY / "docs/security.md").read_text(encoding="utf-8")
    (endpoint_,) = spec().endpoints
    serving = execution_document(NAMES, endpoint_, ("models",), "s3://captures/x")
    documents = {word: make(scope()) for word, make in FUNCTION_DOCUMENTS.items()}
    documents |= {"an endpoint's": serving, "callers'": caller_document(NAMES, "dev-Triage")}

    wide = {
        (role, action)
        for role, document in documents.items()
        for statement in document["Statement"]
        if "*" in statement["Resource"]
        for action in statement["Action"]
    }
    told = {
        (role.strip("` "), action)
        for roles, action in re.findall(r"^\| (.+?) \| `([a-z-]+:\w+)` \|", page, re.MULTILINE)
        for role in roles.split(",")
    }
    assert told == wide
