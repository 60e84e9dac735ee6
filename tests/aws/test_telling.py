"""The ways out as AWS takes them: attributes that filter, events that match, marks that stay apart from the records."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import boto3
import pytest
from jsonschema import Draft202012Validator

from sluice.aws.signing import ParameterSigner
from sluice.aws.telling import LinkPost, Marks, SqsOutbox, TopicAndBus
from sluice.core.actions import Asks, Severity
from sluice.core.links import Link
from sluice.core.messages import Letter, Notice, PhaseChange
from sluice.link import read
from sluice.schema.event_schema import event_schema, examples

CHANGE = next(message for message in examples() if isinstance(message, PhaseChange))
PAGE = next(message for message in examples() if isinstance(message, Notice))
LETTER = Letter(CHANGE.endpoint, CHANGE.event, CHANGE.rollout, ())


def queue(name: str) -> tuple[str, str]:
    url = boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:123456789012:{name}"


def received(url: str) -> list[dict[str, object]]:
    found = boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in found]


@pytest.fixture
def ways() -> TopicAndBus:
    topic = boto3.client("sns").create_topic(Name="pages")["TopicArn"]
    boto3.client("events").create_event_bus(Name="events")
    return TopicAndBus(topic, "events")


def test_a_pager_that_subscribes_to_pages_gets_no_tickets(ways: TopicAndBus) -> None:
    url, arn = queue("pager")
    boto3.client("sns").subscribe(
        TopicArn=ways.topic_arn,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"FilterPolicy": json.dumps({"severity": ["page"]})},
    )

    ways.notify(LETTER, PAGE)
    ways.notify(LETTER, replace(PAGE, severity=Severity.TICKET))

    (told,) = received(url)
    attributes = {name: value["Value"] for name, value in told["MessageAttributes"].items()}  # type: ignore[attr-defined]
    assert attributes == {
        "severity": "page",
        "endpoint": "dev-triage",
        "kind": "rolling_back",
        "rollout": CHANGE.rollout.id,
        "dedup": PAGE.dedup,
    }
    assert str(told["Message"]).startswith("rolling back v3 from 5 %")


def test_sns_takes_any_subject(ways: TopicAndBus) -> None:
    url, arn = queue("all")
    boto3.client("sns").subscribe(TopicArn=ways.topic_arn, Protocol="sqs", Endpoint=arn)

    ways.notify(replace(LETTER, rollout=None), replace(PAGE, subject="größer " + "x" * 200))

    (told,) = received(url)
    assert (len(str(told["Subject"])), str(told["Subject"])[:7]) == (100, "gr??er ")


def test_the_bus_carries_events_as_their_schema_says(ways: TopicAndBus) -> None:
    url, arn = queue("watcher")
    events = boto3.client("events")
    pattern = {"source": ["sluice"], "detail-type": ["Sluice Rollout Phase Change"]}
    events.put_rule(Name="all", EventBusName="events", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="all", EventBusName="events", Targets=[{"Id": "q", "Arn": arn}])

    ways.publish(LETTER, CHANGE)
    ways.publish(LETTER, PAGE)

    (told,) = received(url)
    assert list(Draft202012Validator(json.loads(event_schema(PhaseChange))).iter_errors(told)) == []
    assert told["resources"] == ["arn:aws:sagemaker:us-east-1:123456789012:endpoint/dev-triage"]


def test_what_the_bus_refuses_is_an_error(ways: TopicAndBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluice.aws.telling.SOURCE", "")

    with pytest.raises(RuntimeError, match="bus events: InvalidArgument"):
        ways.publish(LETTER, CHANGE)


def test_what_was_sent_is_remembered_by_endpoint() -> None:
    boto3.client("dynamodb").create_table(
        TableName="records",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )
    marks = Marks("records")
    assert not marks.has("shop", "people/shop/r/x")

    marks.keep("shop", "people/shop/r/x")
    marks.keep("shop", "people/shop/r/x")

    assert marks.has("shop", "people/shop/r/x")
    assert not marks.has("ward", "people/shop/r/x")
    (item,) = boto3.client("dynamodb").scan(TableName="records")["Items"]
    assert item["pk"] == {"S": "T#shop"}, "beside the records, never among them"


def test_a_letter_goes_to_the_outbox() -> None:
    url, _ = queue("outbox")

    SqsOutbox(url).put('{"a": 1}')

    assert received(url) == [{"a": 1}]


class TestLinks:
    LETTER = replace(LETTER, event=replace(CHANGE.event, at=1_800_000_000))

    @pytest.fixture
    def post(self) -> LinkPost:
        boto3.client("ssm").put_parameter(Name="/key", Value="secret", Type="SecureString")
        topic = boto3.client("sns").create_topic(Name="approvals")["TopicArn"]
        return LinkPost(topic, "https://x.lambda-url.on.aws/", 3600, ParameterSigner("/key"))

    def sent(self, post: LinkPost, asks: Asks) -> str:
        url, arn = queue("approver")
        boto3.client("sns").subscribe(TopicArn=post.topic_arn, Protocol="sqs", Endpoint=arn)
        TopicAndBus("arn:aws:sns:us-east-1:123456789012:pages", "events", post).offer(self.LETTER, asks, PAGE)
        (told,) = received(url)
        return str(told["Message"])

    def test_links_are_signed_bound_and_good_for_so_long_after_the_event(self, post: LinkPost) -> None:
        text = self.sent(post, Asks(2, by_link=True))

        tokens = dict(re.findall(r"^(approve|abort): https://x.lambda-url.on.aws/\?token=(\S+)$", text, re.MULTILINE))
        approve, abort = (read(post.signer, tokens[word]) for word in ("approve", "abort"))
        rollout = CHANGE.rollout.id
        assert approve == Link("approve", "dev-triage", rollout, 2, 1_800_003_600)
        assert abort == Link("abort", "dev-triage", rollout, None, 1_800_003_600)
        assert "Good until 2027-01-15 09:00 UTC, once." in text

    def test_where_the_policy_names_people_only_the_way_back_has_a_link(self, post: LinkPost) -> None:
        text = self.sent(post, Asks(2, by_link=False))

        assert "\nabort: https://" in text
        assert "approve: " not in text

    def test_another_key_signs_otherwise(self, post: LinkPost) -> None:
        mac = post.signer.sign(b"text")
        assert post.signer.is_mine(b"text", mac)

        boto3.client("ssm").put_parameter(Name="/key", Value="another", Type="SecureString", Overwrite=True)

        assert not post.signer.is_mine(b"text", mac), "whoever changes the key takes back every link that is on its way"
