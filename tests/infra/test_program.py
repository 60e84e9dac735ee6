"""The Pulumi program as registered: what is protected, what is left alone, what stands before what."""

from __future__ import annotations

import json

import pulumi
import pytest

from sluice.core.head import Submission
from sluice.core.record import decode
from sluice.core.release import release_from_tags
from tests.infra.stacks import STATUS, Recording, endpoint, endpoint_document, release_document, run_program

FUNCTIONS = ("submit", "tick", "alarm", "sweep", "command", "archive", "incident", "notify")


@pytest.fixture(scope="module")
def recorded() -> Recording:
    return run_program()


def test_roles_machine_functions_and_table_have_fixed_names_and_are_protected(recorded):
    fixed = [
        *(recorded.only("Function", word) for word in FUNCTIONS),
        *(recorded.only("Role", word) for word in (*FUNCTIONS, "clock", "serve-Triage")),
        recorded.only("StateMachine", "clock"),
        recorded.only("Table", "records"),
        recorded.only("Endpoint", "Triage"),
    ]

    assert all(r.protect for r in fixed), "running executions and live models must not lose them"
    assert {r.inputs["name"] for r in fixed} == {
        *(f"sluice-dev-{word}" for word in FUNCTIONS),
        "sluice-dev-clock",
        "sluice-dev-serve-Triage",
        "sluice-dev",
        "dev-Triage",
    }


def test_without_protection_nothing_keeps_a_stack_from_being_destroyed():
    unprotected = run_program(protect=False)

    assert not any(r.protect for r in unprotected.resources.values())
    assert unprotected.only("Table", "records").inputs["deletionProtectionEnabled"] is False
    assert unprotected.only("Bucket", "sluice-dev-capture").inputs["forceDestroy"] is True


def test_the_bootstrap_pair_ignores_every_change_is_retained_and_named_by_pulumi(recorded):
    for kind in ("Model", "EndpointConfiguration"):
        made = recorded.only(kind, "dev-Triage-bootstrap")

        assert made.ignore_changes == ("*",), "one ignored property stops protecting when another forces replacement"
        assert made.retained, "it may be live, or what a rollback returns to"
        assert "name" not in made.inputs, "a fixed name is deleted before its replacement exists"


def test_the_bootstrap_configuration_carries_its_release_and_captures_data(recorded):
    made = recorded.only("EndpointConfiguration", "dev-Triage-bootstrap").inputs

    assert release_from_tags(made["tags"]).digest == endpoint().release.digest
    assert made["dataCaptureConfig"]["destinationS3Uri"] == "s3://sluice-dev-capture-1a2b3c4/dev-Triage"
    assert made["productionVariants"] == [
        {
            "variantName": "blue",
            "modelName": "dev-Triage-bootstrap-1a2b3c4",
            "instanceType": "ml.m5.large",
            "initialInstanceCount": 1,
            "initialVariantWeight": 1,
        }
    ]


def test_the_endpoint_ignores_which_configuration_it_is_on(recorded):
    assert recorded.only("Endpoint", "Triage").ignore_changes == ("endpointConfigName",)


def test_a_release_is_submitted_only_when_its_whole_way_back_stands(recorded):
    needed = recorded.needed("Invocation", "Triage-submit")
    whole = {
        (r.type.rpartition(":")[2], r.name)
        for r in recorded.resources.values()
        if not r.type.startswith("sluice:")
        and r.type.rpartition(":")[2] not in ("Invocation", "Dashboard")
        and not _beside(r.parent)
    }

    assert whole <= needed, f"missing: {whole - needed}"
    assert ("Invocation", "Triage-adopt") in needed
    assert {"Triage/blue/errors", "Triage/green/latency"} <= {name for kind, name in needed if kind == "MetricAlarm"}


def _beside(parent: str) -> bool:
    """Settings of the buckets: no rollback needs them."""
    return parent.rpartition("::")[2] in ("sluice-dev-capture", "sluice-dev-audit")


def test_the_guard_is_made_last_so_that_destroy_asks_it_first(recorded):
    others = {
        (r.type.rpartition(":")[2], r.name) for r in recorded.resources.values() if not r.type.startswith("sluice:")
    }
    guard = recorded.only("Invocation", "guard")

    missing = others - recorded.needed("Invocation", "guard") - {("Invocation", "guard")}
    assert {kind for kind, _ in missing} <= {
        "BucketPolicy",
        "BucketPublicAccessBlock",
        "BucketServerSideEncryptionConfiguration",
        "BucketLifecycleConfiguration",
        "BucketObjectLockConfiguration",
    }
    assert guard.inputs["lifecycleScope"] == "CRUD"
    asked = {"action": "guard", "project": "sluice", "stack": "dev", "control_plane": True}
    assert json.loads(guard.inputs["input"]) == asked, "endpoints in it would make it an update per endpoint"


def test_endpoints_go_before_their_remains_are_cleaned_up(recorded):
    assert ("Invocation", "clean") in recorded.needed("Endpoint", "Triage")
    assert recorded.only("Invocation", "clean").inputs["lifecycleScope"] == "CRUD"
    assert {("Function", "submit"), ("RolePolicy", "submit"), ("Table", "records")} <= recorded.needed(
        "Invocation", "clean"
    )


def test_only_release_and_nonce_submit_again(recorded):
    again = run_program(log_retention_days=7, endpoints={"Triage": endpoint_document(policy="standard", instances=3)})

    before, after = recorded.only("Invocation", "Triage-submit"), again.only("Invocation", "Triage-submit")
    assert before.inputs["triggers"] == after.inputs["triggers"] == {"release": endpoint().release.digest, "nonce": "1"}
    assert after.ignore_changes == ("input",), "policy, code and tags are in it"
    assert before.inputs["input"] != after.inputs["input"], "the test changed something that is handed over"


def test_the_submission_reads_back_as_the_snapshot_a_rollout_runs_on(recorded):
    given = json.loads(recorded.only("Invocation", "Triage-submit").inputs["input"])
    submission = decode(Submission, given["submission"])

    assert given["action"] == "submit"
    assert submission.release == endpoint().release
    assert submission.policy == endpoint().policy
    assert submission.alarms["green"].relative == (
        "sluice/sluice/dev/dev-Triage/green/errors",
        "sluice/sluice/dev/dev-Triage/green/latency",
    )
    assert (
        submission.settings.execution_role_arn
        == "arn:aws:iam::123456789012:role/sluice/sluice-dev/sluice-dev-serve-Triage"
    )
    assert submission.settings.data_capture["DestinationS3Uri"] == "s3://sluice-dev-capture-1a2b3c4/dev-Triage"


def test_every_submitted_alarm_is_made(recorded):
    submission = decode(
        Submission, json.loads(recorded.only("Invocation", "Triage-submit").inputs["input"])["submission"]
    )
    submitted = {name for slot in submission.alarms.values() for name in (*slot.relative, *slot.rails)}

    assert submitted <= {r.inputs["name"] for r in recorded.of("MetricAlarm").values()}


def test_alarms_of_the_control_plane_take_no_traffic_back(recorded):
    rule = json.loads(recorded.only("EventRule", "alarm").inputs["eventPattern"])
    prefix = rule["detail"]["alarmName"][0]["prefix"]
    pages = [r.inputs for name, r in recorded.of("MetricAlarm").items() if name.startswith("page-")]

    assert len(pages) == 6
    assert all(not alarm["name"].startswith(prefix) and alarm["alarmActions"] == ["arn:of:pages"] for alarm in pages)


def test_a_new_stack_does_not_begin_with_a_page_but_a_silent_sweep_pages(recorded):
    overdue = recorded.only("MetricAlarm", "page-overdue").inputs

    assert overdue["treatMissingData"] == "missing", "breaching would page before the first sweep"
    assert overdue["insufficientDataActions"] == ["arn:of:pages"]
    assert overdue["namespace"] == "Sluice/sluice/dev", "another stack's sweep must not hide this one's silence"


def test_a_failed_rollback_is_delivered_again_within_seconds_for_more_than_an_hour(recorded):
    queue, function = recorded.only("Queue", "alarm").inputs, recorded.only("Function", "alarm").inputs
    redrive = json.loads(queue["redrivePolicy"])
    pause = queue["visibilityTimeoutSeconds"]

    assert function["timeout"] <= pause <= 15, "Lambda refuses a mapping with less"
    assert redrive["maxReceiveCount"] * pause > 2 * 3600
    assert queue["messageRetentionSeconds"] == 14 * 24 * 3600
    assert recorded.only("EventSourceMapping", "alarm").inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_archive_is_locked_retained_and_fed_by_audit_events_alone(recorded):
    bucket = recorded.only("Bucket", "sluice-dev-audit")
    lock = recorded.only("BucketObjectLockConfiguration", "audit").inputs["rule"]
    mapping = recorded.only("EventSourceMapping", "archive").inputs

    assert bucket.inputs["objectLockEnabled"] is True
    assert bucket.retained, "S3 refuses to delete what is locked: the trail outlives the stack"
    assert lock == {"defaultRetention": {"mode": "GOVERNANCE", "days": 400}}
    assert recorded.only("Table", "records").inputs["streamViewType"] == "NEW_IMAGE"
    assert mapping["startingPosition"] == "TRIM_HORIZON"
    assert [json.loads(f["pattern"]) for f in mapping["filterCriteria"]["filters"]] == [
        {"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "V#"}]}}}}
    ]
    assert mapping["destinationConfig"] == {"onFailure": {"destinationArn": "arn:of:dead-letter"}}
    locked = ("BucketObjectLockConfiguration", "audit")
    assert locked in recorded.needed("EventSourceMapping", "archive"), "what is written before the lock stays unlocked"
    assert recorded.only("Function", "archive").inputs["environment"]["variables"]["SLUICE_ARCHIVE"]


def test_how_long_and_how_hard_the_archive_is_locked_is_configuration():
    strict = run_program(audit={"retention_days": 2557, "mode": "compliance"})

    lock = strict.only("BucketObjectLockConfiguration", "audit").inputs["rule"]
    assert lock == {"defaultRetention": {"mode": "COMPLIANCE", "days": 2557}}


def test_every_bucket_is_private_encrypted_and_reached_over_tls_only(recorded):
    for word in ("capture", "audit"):
        closed = recorded.only("BucketPublicAccessBlock", word).inputs
        assert [value for key, value in closed.items() if key != "bucket"] == [True] * 4
        (rule,) = recorded.only("BucketServerSideEncryptionConfiguration", word).inputs["rules"]
        assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
        (refused,) = json.loads(recorded.only("BucketPolicy", word).inputs["policy"])["Statement"]
        name = f"sluice-dev-{word}-1a2b3c4"
        assert refused["Effect"] == "Deny"
        assert refused["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert refused["Resource"] == [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    assert len(recorded.of("Bucket")) == 2


def test_services_that_say_for_whom_they_act_get_roles_for_this_account_alone(recorded):
    trusted = {r.name: json.loads(r.inputs["assumeRolePolicy"])["Statement"][0] for r in recorded.of("Role").values()}

    limited = {name for name, statement in trusted.items() if "Condition" in statement}
    assert limited == {"clock", "serve-Triage"}
    for name in limited:
        assert trusted[name]["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert {trusted[name]["Principal"]["Service"] for name in trusted.keys() - limited} == {"lambda.amazonaws.com"}


def test_signed_links_are_off_and_nothing_is_public(recorded):
    assert {r.inputs["authorizationType"] for r in recorded.of("FunctionUrl").values()} == {"AWS_IAM"}
    assert "link" not in recorded.of("Function")
    assert "approvals" not in recorded.of("Topic")
    assert not any(name.startswith("SLUICE_LINK") for name in told(recorded, "notify"))
    assert recorded.exports["control_plane"]["approvals_topic_arn"] is None


def test_what_takes_traffic_back_alone_has_concurrency_that_nobody_else_in_the_account_can_use_up(recorded):
    for word in ("alarm", "sweep"):
        assert recorded.only("Function", word).inputs["reservedConcurrentExecutions"] >= 3, word


def test_with_signed_links_one_small_function_is_public_and_no_other():
    made = run_program(notifications={"links": "4h"})

    public = {name for name, r in made.of("FunctionUrl").items() if r.inputs["authorizationType"] == "NONE"}
    assert public == {"link"}
    function = made.only("Function", "link").inputs
    assert (function["name"], function["reservedConcurrentExecutions"]) == ("sluice-dev-link", 2)
    opened = [r.inputs for r in made.of("Permission").values() if r.inputs["principal"] == "*"]
    assert {(p["action"], p.get("functionUrlAuthType"), p.get("invokedViaFunctionUrl")) for p in opened} == {
        ("lambda:InvokeFunctionUrl", "NONE", None),
        ("lambda:InvokeFunction", None, True),
    }
    assert told(made, "notify")["SLUICE_LINK_SECONDS"] == "14400"
    assert told(made, "link")["SLUICE_LINK_KEY"] == told(made, "notify")["SLUICE_LINK_KEY"]
    assert made.only("Parameter", "link-key").inputs["type"] == "SecureString"
    assert made.exports["control_plane"]["approvals_topic_arn"]
    assert made.only("Topic", "approvals").inputs["kmsMasterKeyId"] == "alias/aws/sns", "a link is as good as a key"


def test_a_collector_is_told_to_one_function_alone():
    made = run_program(notifications={"collector": "https://collector.example.com/v1/traces"})

    assert [word for word in FUNCTIONS if "SLUICE_COLLECTOR" in told(made, word)] == ["notify"]
    assert "SLUICE_COLLECTOR_HEADERS" not in told(made, "notify")


def test_of_the_collectors_headers_the_function_is_told_the_place_and_not_what_is_there():
    notifications = {"collector": "https://collector.example.com/v1/traces", "collector_headers": "/otlp/headers"}
    made = run_program(notifications=notifications)

    assert told(made, "notify")["SLUICE_COLLECTOR_HEADERS"] == "/otlp/headers"
    assert [word for word in FUNCTIONS if "SLUICE_COLLECTOR_HEADERS" in told(made, word)] == ["notify"]


def told(made: Recording, word: str):
    return made.only("Function", word).inputs["environment"]["variables"]


def test_events_are_sent_only_once_the_queue_lets_the_rule_in(recorded):
    assert {("QueuePolicy", "alarm"), ("QueuePolicy", "dead-letter")} <= recorded.needed("EventTarget", "alarm")
    assert recorded.only("EventTarget", "alarm").inputs["deadLetterConfig"] == {"arn": "arn:of:dead-letter"}


def test_functions_wait_for_their_permissions_and_their_log_group(recorded):
    for word in FUNCTIONS:
        assert {("RolePolicy", word), ("LogGroup", word), ("Role", word)} <= recorded.needed("Function", word)
        assert recorded.only("LogGroup", word).inputs["retentionInDays"] == 30


def test_the_clock_exists_only_once_it_may_tick(recorded):
    assert {("RolePolicy", "clock"), ("Function", "tick")} <= recorded.needed("StateMachine", "clock")


def test_whoever_runs_up_is_who_may_not_approve(recorded):
    submitted = recorded.only("Invocation", "Triage-submit")

    assert (
        json.loads(submitted.inputs["input"])["submission"]["submitted_by"]
        == "arn:aws:sts::123456789012:assumed-role/ci/up"
    )


def test_every_class_of_commands_has_a_signed_url_of_its_own(recorded):
    for word in ("observe", "operate", "approve", "force"):
        url = recorded.only("FunctionUrl", f"command-{word}").inputs
        assert (url["authorizationType"], url["qualifier"]) == ("AWS_IAM", word)
    assert recorded.only("Alias", "command-pipeline").inputs["functionVersion"] == "$LATEST"
    exported = recorded.exports["control_plane"]
    assert set(exported["commands"]) == {"observe", "operate", "approve", "force"}
    for word in ("observe", "operate", "approve", "force", "pipeline"):
        assert recorded.only("Policy", f"command-{word}").inputs["name"] == f"sluice-dev-command-{word}"
        assert exported["command_policy_arns"][word] == f"arn:of:command-{word}"


def test_functions_know_the_names_they_work_with(recorded):
    assert recorded.only("Function", "tick").inputs["environment"]["variables"] == {
        "SLUICE_TABLE": "sluice-dev",
        "SLUICE_ARCHIVE": "sluice-dev-audit-1a2b3c4",
        "SLUICE_KEY_PARAMETER": "/sluice-keys/sluice/dev",
        "SLUICE_MACHINE_ARN": "arn:aws:states:eu-west-1:123456789012:stateMachine:sluice-dev-clock",
        "SLUICE_PARAMETER_ROOT": "/sluice/sluice/dev/",
        "POWERTOOLS_SERVICE_NAME": "tick",
        "POWERTOOLS_METRICS_NAMESPACE": "Sluice/sluice/dev",
    }
    handlers = {word: recorded.only("Function", word).inputs["handler"] for word in FUNCTIONS}
    assert handlers == {word: f"lambdas.{word}.handler" for word in FUNCTIONS}


def test_the_index_of_live_rollouts_is_the_one_the_store_queries(recorded):
    table = recorded.only("Table", "records").inputs

    assert table["pointInTimeRecovery"] == {"enabled": True}
    assert table["globalSecondaryIndexes"] == [
        {
            "name": "live",
            "keySchemas": [
                {"attributeName": "live", "keyType": "HASH"},
                {"attributeName": "pk", "keyType": "RANGE"},
            ],
            "projectionType": "KEYS_ONLY",
        }
    ]


def test_the_exports_are_the_contract(recorded):
    exported = recorded.exports["endpoints"]["Triage"]

    assert recorded.exports["contract_version"] == 1
    assert set(exported) == {
        "endpoint_name",
        "endpoint_arn",
        "region",
        "slots",
        "desired",
        "live",
        "last_outcome",
        "champion_parameter",
        "invoke_policy_arn",
        "outcome_namespace",
        "contract",
        "event_bus_arn",
        "rollout_bus_arn",
        "topic_arn",
        "dashboard_url",
    }
    assert exported["desired"] == exported["live"] == {"release": "v1", "digest": endpoint().release.digest}
    assert exported["champion_parameter"] == "/sluice/sluice/dev/dev-Triage"
    assert recorded.exports["control_plane"]["command_function"] == "sluice-dev-command"


def test_no_export_is_a_document_so_that_a_person_can_read_them_all(recorded):
    """`pulumi up` and `preview` print them, and take JSON in a text apart, a line for each of its parts."""
    shown = (
        json.dumps(recorded.exports["endpoints"]["Triage"], indent=2),
        json.dumps(recorded.exports["control_plane"], indent=2),
    )

    assert "Statement" not in "".join(shown)
    assert [len(text.splitlines()) < 50 for text in shown] == [True, True]


def test_every_run_asks_how_things_stand_and_says_so_when_they_are_not_as_configured(recorded):
    asked = [json.loads(args["input"]) for token, args in recorded.invoked if "getInvocation" in token]
    differs = run_program({**STATUS, "live": {"release": "v0", "digest": "0" * 64}})

    assert asked == [{"action": "status", "endpoint": "dev-Triage"}]
    assert recorded.said == []
    assert [level for level, _ in differs.said] == ["warning"]
    assert differs.said[0][1].startswith("dev-Triage: v0 serves but the configuration asks for v1")


def test_two_runs_in_one_process_register_the_same(recorded):
    assert run_program().resources == recorded.resources


def test_several_endpoints_share_one_control_plane():
    two = run_program(endpoints={"a": endpoint_document(), "b": endpoint_document()})

    assert set(two.of("Endpoint")) == {"a", "b"}
    assert set(two.of("StateMachine")) == {"clock"}
    assert set(two.exports["endpoints"]) == {"a", "b"}


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"protect": "maybe"}, "Pulumi.dev.yaml: sluice:protect: must be true or false, got 'maybe'"),
        ({"log_retention_days": 10}, "sluice:log_retention_days"),
        ({"log_retention_day": 7}, "Pulumi.dev.yaml: sluice:log_retention_day: unknown key"),
        ({"endpoints": {}}, "sluice:endpoints"),
        ({"endpoints": {"a": endpoint_document(policy="nosuch")}}, "sluice:endpoints.a.policy"),
        (
            {
                "endpoints": {
                    "a": {"release": release_document(image="docker.io/x@sha256:" + "c" * 64), "policy": "demo"}
                }
            },
            "sluice:endpoints.a.release: image 'docker.io/x@sha256:",
        ),
    ],
)
def test_a_bad_value_stops_the_run_with_a_sentence_naming_its_key(config, sentence):
    with pytest.raises(pulumi.RunError) as stopped:
        run_program(**config)

    assert sentence in str(stopped.value)


def test_drills_are_begun_by_the_sweep_and_their_age_opens_a_ticket(recorded):
    made = run_program(drills={"schedule": "cron(0 10 ? * TUE *)", "too_old": "10d"})

    rule, target = made.only("EventRule", "drill").inputs, made.only("EventTarget", "drill").inputs
    alarm = made.only("MetricAlarm", "page-drill-too-old").inputs
    assert (rule["name"], rule["scheduleExpression"]) == ("sluice-dev-drill", "cron(0 10 ? * TUE *)")
    assert json.loads(target["input"]) == {"drill": True}
    assert made.only("Permission", "drill").inputs["principal"] == "events.amazonaws.com"
    assert (alarm["metricName"], alarm["threshold"], alarm["period"]) == ("DaysSinceDrill", 10, 3600)
    assert alarm["alarmDescription"].startswith("Ticket: The way back was not drilled for too long")
    assert made.only("Function", "sweep").inputs["environment"]["variables"]["SLUICE_DRILLS"]
    assert not [name for name in recorded.of("EventRule") if name == "drill"], "only where they are configured"
