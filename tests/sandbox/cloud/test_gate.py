from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from sluice.sandbox.cloud.cloud import Cloud
from sluice.sandbox.cloud.faults import OPERATOR, Delay, Fault, FunctionKilled, Kill, Raise, Throw
from sluice.sandbox.cloud.gate import Principal
from tests.sandbox.deploying import ACCOUNT, START, allow, client, put_policy, role

TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/sluice"
KEY = {"pk": {"S": "E#fraud"}}


@pytest.fixture
def cloud():
    with Cloud(START) as running:
        client("dynamodb").create_table(
            TableName="sluice",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        running.gate.calls.clear()
        yield running


def tick(*statements: dict) -> Principal:
    return Principal(role("tick", *statements), "tick", "request-1")


def get() -> dict:
    return client("dynamodb").get_item(TableName="sluice", Key=KEY)


def put() -> dict:
    return client("dynamodb").put_item(TableName="sluice", Item=KEY)


def stored() -> bool:
    return "Item" in get()


def test_the_operator_may_do_everything(cloud: Cloud) -> None:
    get()

    (call,) = cloud.gate.calls
    assert (call.function, call.role_arn, call.outcome, call.sids) == (OPERATOR, None, "ok", ())


def test_a_call_is_allowed_by_the_statements_of_the_role_and_the_log_names_them(cloud: Cloud) -> None:
    who = tick(allow("Read", "dynamodb:GetItem", TABLE))

    with cloud.gate.acting_as(who):
        get()

    (call,) = cloud.gate.made("GetItem")
    assert (call.function, call.role_arn, call.service, call.outcome) == ("tick", who.role_arn, "dynamodb", "ok")
    assert call.sids == ("Read",)
    assert call.params["TableName"] == "sluice"
    assert call.effective


def test_a_call_without_a_statement_fails_as_on_aws_and_has_no_effect(cloud: Cloud) -> None:
    with cloud.gate.acting_as(tick(allow("Read", "dynamodb:GetItem", TABLE))), pytest.raises(ClientError) as caught:
        put()

    error = caught.value.response
    assert error["Error"]["Code"] == "AccessDeniedException"
    assert error["Error"]["Message"] == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/tick/tick is not authorized to perform: dynamodb:PutItem on resource: "
        f"{TABLE} because no identity-based policy allows the dynamodb:PutItem action"
    )
    assert not stored()
    assert cloud.gate.made("PutItem")[0].effective is False


def test_an_explicit_deny_says_so(cloud: Cloud) -> None:
    deny = {"Sid": "Never", "Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}

    with (
        cloud.gate.acting_as(tick(allow("All", "*", "*"), deny)),
        pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"),
    ):
        put()


def test_a_statement_taken_away_is_felt_by_the_next_call(cloud: Cloud) -> None:
    who = tick(allow("Read", "dynamodb:GetItem", TABLE))
    with cloud.gate.acting_as(who):
        get()
    put_policy("tick", allow("Other", "s3:GetObject", "*"))

    with cloud.gate.acting_as(who), pytest.raises(ClientError, match="dynamodb:GetItem"):
        get()


def test_services_with_error_codes_of_their_own_keep_them(cloud: Cloud) -> None:
    with cloud.gate.acting_as(tick()), pytest.raises(ClientError) as caught:
        client("s3").get_object(Bucket="b", Key="k")

    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_the_principal_ends_with_its_block(cloud: Cloud) -> None:
    with cloud.gate.acting_as(tick()):
        pass

    assert cloud.gate.principal is None
    assert put()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_an_injected_error_before_the_call_keeps_it_from_happening(cloud: Cloud) -> None:
    cloud.gate.inject(Fault(Raise("ThrottlingException", "slow down"), service="dynamodb", operation="PutItem"))

    with cloud.gate.acting_as(tick(allow("Write", "dynamodb:PutItem", TABLE))):
        with pytest.raises(ClientError, match="slow down"):
            put()
        assert cloud.gate.made("PutItem")[0].outcome == "ThrottlingException"
        put()

    assert [call.effective for call in cloud.gate.made("PutItem")] == [False, True]


def test_an_injected_error_after_the_call_hides_that_it_happened(cloud: Cloud) -> None:
    cloud.gate.inject(Fault(Throw(ConnectTimeoutError(endpoint_url="x")), operation="PutItem", moment="after"))

    with (
        cloud.gate.acting_as(tick(allow("Write", "dynamodb:PutItem", TABLE))),
        pytest.raises(ConnectTimeoutError),
    ):
        put()

    (call,) = cloud.gate.made("PutItem")
    assert (call.outcome, call.effective) == ("ConnectTimeoutError", True)
    assert stored()


def test_a_fault_hits_the_nth_matching_call_of_the_named_function(cloud: Cloud) -> None:
    fault = cloud.gate.inject(
        Fault(Raise("Lost"), function="tick", operation="PutItem", where=lambda p: p["TableName"] == "sluice", nth=2)
    )
    put()
    outcomes = []
    with cloud.gate.acting_as(tick(allow("Write", "dynamodb:PutItem", TABLE))):
        for _ in range(3):
            try:
                put()
                outcomes.append("ok")
            except ClientError as error:
                outcomes.append(error.response["Error"]["Code"])

    assert outcomes == ["ok", "Lost", "ok"], "the operator's call before did not count"
    assert fault.applied == 1


def test_a_lasting_fault_hits_every_call_after_it(cloud: Cloud) -> None:
    cloud.gate.inject(Fault(Raise("Down"), service="dynamodb", times=None))

    with cloud.gate.acting_as(tick(allow("All", "dynamodb:*", "*"))):
        for _ in range(3):
            with pytest.raises(ClientError, match="Down"):
                put()

    assert not stored()


def test_the_operators_calls_are_hit_only_when_a_fault_names_them(cloud: Cloud) -> None:
    cloud.gate.inject(Fault(Raise("Down"), service="dynamodb", function=OPERATOR))

    with pytest.raises(ClientError, match="Down"):
        put()


def test_a_killed_function_cannot_go_on_whatever_it_catches(cloud: Cloud) -> None:
    cloud.gate.inject(Fault(Kill(), operation="PutItem", moment="after"))

    with cloud.gate.acting_as(tick(allow("All", "dynamodb:*", "*"))):
        caught = []
        try:
            put()
        except Exception:
            caught.append("Exception")
        except FunctionKilled:
            caught.append("FunctionKilled")
        with pytest.raises(FunctionKilled):
            get()

    assert caught == ["FunctionKilled"], "a handler's `except Exception` does not see it"
    assert stored(), "the call itself took effect"


def test_a_delayed_call_takes_virtual_time_while_the_world_goes_on(cloud: Cloud) -> None:
    cloud.gate.inject(Fault(Delay(20), operation="PutItem"))
    seen: list[bool] = []
    cloud.clock.call_after(10, lambda: seen.append(stored()), "onlooker")

    with cloud.gate.acting_as(tick(allow("Write", "dynamodb:PutItem", TABLE))):
        put()

    (call,) = cloud.gate.made("PutItem")
    assert (call.at - call.asked_at).total_seconds() == 20
    assert seen == [False]


def test_the_world_that_runs_meanwhile_has_no_principal(cloud: Cloud) -> None:
    seen: list[object] = []
    cloud.clock.call_after(1, lambda: seen.append(cloud.gate.principal), "onlooker")

    with cloud.gate.acting_as(tick()):
        cloud.clock.run_for(2)
        seen.append(cloud.gate.principal and cloud.gate.principal.function)

    assert seen == [None, "tick"]


def test_calls_are_found_by_operation_service_and_function(cloud: Cloud) -> None:
    put()
    get()

    assert [c.operation for c in cloud.gate.made(service="dynamodb")] == ["PutItem", "GetItem"]
    assert cloud.gate.made("GetItem", function="tick") == []


def test_only_an_invocation_can_be_killed(cloud: Cloud) -> None:
    cloud.gate.inject(Fault(Kill(), function=OPERATOR))

    with pytest.raises(RuntimeError, match="only an invocation can be killed, not operator"):
        put()
