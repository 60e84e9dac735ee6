"""Notifications on the whole system: every event on the bus as its schema says, people told once, and never in a rollback's way."""

from __future__ import annotations

import html
import http.client
import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import boto3
from jsonschema import Draft202012Validator

from sluice.core.messages import DETAIL_TYPES, MARK_EXPIRES, MARK_SECONDS, MARKS
from sluice.core.rollout import Phase
from sluice.sandbox.cloud.faults import Fault, Raise
from sluice.sandbox.sandbox import REPOSITORY
from sluice.sandbox.server.mail import mail
from sluice.sandbox.server.server import Key, Server
from sluice.sandbox.triage import ENDPOINT
from sluice.schema.event_schema import event_schema
from tests.acceptance.conftest import Stage

BUS, TOPIC = "sluice-dev-events", "arn:aws:sns:us-east-1:123456789012:sluice-dev-pages"
SCHEMAS = {name: Draft202012Validator(json.loads(event_schema(kind))) for kind, name in DETAIL_TYPES.items()}


def listen(pattern: dict[str, Any] | None = None) -> str:
    """A queue to which a rule of somebody else's sends what is on the bus; the queue's URL."""
    arn = "arn:aws:sqs:us-east-1:123456789012:watcher"
    send = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**send, "Resource": arn}]})
    url: str = boto3.client("sqs").create_queue(QueueName="watcher", Attributes={"Policy": policy})["QueueUrl"]
    events = boto3.client("events")
    events.put_rule(Name="watch", EventBusName=BUS, EventPattern=json.dumps(pattern or {"source": ["sluice"]}))
    events.put_targets(Rule="watch", EventBusName=BUS, Targets=[{"Id": "q", "Arn": arn}])
    return url


def subscribe(severity: str) -> str:
    arn = f"arn:aws:sqs:us-east-1:123456789012:{severity}s"
    url: str = boto3.client("sqs").create_queue(QueueName=f"{severity}s")["QueueUrl"]
    only = {"FilterPolicy": json.dumps({"severity": [severity]})}
    boto3.client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn, Attributes=only)
    return url


def received(url: str) -> list[dict[str, Any]]:
    """Everything that lies in a queue."""
    sqs, found = boto3.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        found += [json.loads(message["Body"]) for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_every_event_of_a_rollout_that_goes_back_is_told_once_as_its_schema_says(stage: Stage) -> None:
    watcher, pages, tickets = listen(), subscribe("page"), subscribe("ticket")
    stage.up("v3")
    stage.until_ended()
    stage.sandbox.run_until(lambda: False, 120)

    told, paged = received(watcher), received(pages)

    faults = [error.message for event in told for error in SCHEMAS[event["detail-type"]].iter_errors(event)]
    assert faults == []
    assert max(Counter(event["detail"]["id"] for event in told).values()) == 1
    trail = {f"{ENDPOINT}/{event.seq}" for event in stage.sandbox.events(ENDPOINT)}
    assert {event["detail"]["id"] for event in told if event["detail-type"] != "Sluice Notice"} == trail
    phases = [event["detail"]["rollout"]["phase"] for event in told if event["detail-type"].endswith("Phase Change")]
    assert phases[-3:] == [Phase.ROLLING_BACK, Phase.VERIFYING, Phase.ROLLED_BACK]
    assert [page["Subject"] for page in paged] == [f"{ENDPOINT}: rolling back v3"]
    assert f"{ENDPOINT}: v3 was rolled back" in [ticket["Subject"] for ticket in received(tickets)], (
        "nobody is woken twice"
    )
    only_notes_of_what_was_sent_expire()


def only_notes_of_what_was_sent_expire() -> None:
    """What DynamoDB deletes by itself must never be a record or an audit event."""
    table = boto3.client("dynamodb").describe_time_to_live(TableName="sluice-dev")["TimeToLiveDescription"]
    items = boto3.client("dynamodb").scan(TableName="sluice-dev")["Items"]

    notes = [item for item in items if item["pk"]["S"].startswith(MARKS)]
    assert (table["TimeToLiveStatus"], table["AttributeName"]) == ("ENABLED", MARK_EXPIRES)
    assert {int(note[MARK_EXPIRES]["N"]) - int(note["at"]["N"]) for note in notes} == {MARK_SECONDS}
    assert [item["sk"] for item in items if MARK_EXPIRES in item and item not in notes] == []


def test_with_the_topic_down_the_rollback_is_as_fast_and_people_are_told_when_it_is_back(stage: Stage) -> None:
    pages = subscribe("page")
    down = stage.sandbox.cloud.gate.inject(Fault(Raise("InternalError", status=500), service="sns", times=None))
    stage.up("v3")
    stage.until_ended()
    stage.sandbox.run_until(lambda: False, 300)
    assert stage.head.outcome.phase is Phase.ROLLED_BACK
    assert received(pages) == []

    stage.sandbox.cloud.gate.faults.remove(down)
    stage.sandbox.run_until(lambda: False, 120)

    assert [page["Subject"] for page in received(pages)] == [f"{ENDPOINT}: rolling back v3"]
    told = [call for call in stage.sandbox.cloud.gate.made("PutEvents") if "rolling_back" in str(call.params)]
    assert len({call.params["Entries"][0]["Detail"] for call in told}) == len(told), (
        "the bus was not down, and not told twice"
    )


def browse(url: str, form: dict[str, str] | None = None) -> tuple[int, str]:
    """By somebody's browser, over HTTP: nothing is signed. With a form it is sent."""
    parts = urlsplit(url)
    line = http.client.HTTPConnection(str(parts.hostname), parts.port)
    sent = None if form is None else urlencode(form)
    line.request("GET" if form is None else "POST", f"{parts.path}?{parts.query}", sent)
    answer = line.getresponse()
    page = answer.read().decode()
    line.close()
    return answer.status, html.unescape(page)


def links_in(messages: list[dict[str, Any]]) -> dict[str, str]:
    """The addresses in what was sent to those who may approve, by what they do."""
    (told,) = (message for message in messages if message["topic"].endswith("-approvals"))
    return dict(re.findall(r"^(approve|abort): (\S+)$", told["text"], re.MULTILINE))


def test_a_link_that_was_sent_is_opened_on_the_served_sandbox_and_works_once(stage: Stage, tmp_path: Path) -> None:
    policy = tmp_path / "asking.yaml"
    text = (REPOSITORY / "policies" / "rollouts" / "demo.yaml").read_text()
    policy.write_text(text.replace("{weight: 25,", "{weight: 25, approval: {by: [link], timeout: 2h},"))
    assert "approval" in policy.read_text()
    stage.sandbox.config["notifications"] = {"links": "5m"}
    stage.up("v1")
    stage.up("v2", policy=str(policy))
    assert stage.sandbox.run_until(lambda: stage.rollout.phase is Phase.AWAITING_APPROVAL, 3600)
    stage.sandbox.run_until(lambda: False, 30)

    with Server(stage.sandbox, Key("AKIAOPERATOR", "one"), speed=0) as server:
        links = links_in(list(mail(stage.sandbox.cloud, server.url)))
        a_link_works_once(stage, links["approve"])
        one_that_is_altered_or_late_changes_nothing(stage, links)


def a_link_works_once(stage: Stage, url: str) -> None:
    form, before = {"token": url.partition("token=")[2], "reason": "looks good"}, stage.head

    shown = browse(url)
    without = browse(url, {**form, "reason": " "})

    assert (shown[0], stage.head) == (200, before), "opening it changes nothing"
    assert f"Let v2 go on to 25 % on {ENDPOINT}." in shown[1]
    assert (without[0], "reason: missing" in without[1]) == (400, True)
    done, again = browse(url, form), browse(url, form)
    assert (done[0], "25 % approved by unproven:link: looks good" in done[1]) == (200, True)
    assert (again[0], "this link was used already" in again[1]) == (409, True)
    assert stage.sandbox.run_until(lambda: stage.rollout.canary_parts == 2500, 900)


def one_that_is_altered_or_late_changes_nothing(stage: Stage, links: Mapping[str, str]) -> None:
    token = links["abort"].partition("token=")[2]
    of_approve = links["approve"].partition("token=")[2]
    swapped = f"{token.partition('.')[0]}.{of_approve.partition('.')[2]}"
    before = stage.head

    altered = browse(links["abort"].replace(token, swapped))
    cut = browse(links["abort"].replace(token, token.partition(".")[0]))
    seen = stage.head
    stage.sandbox.run_until(lambda: False, 300)
    late = browse(links["abort"], {"token": token, "reason": "too slow"})
    once_more = browse(links["abort"], {"token": token, "reason": "too slow"})

    assert (altered[0], "this link was altered" in altered[1]) == (403, True)
    assert (cut[0], "cannot be read" in cut[1]) == (400, True)
    assert seen == before, "strangers write no audit trail and change nothing"
    assert late == once_more
    assert (late[0], "has expired" in late[1]) == (403, True)
    refused = [event for event in stage.sandbox.events(ENDPOINT) if event.kind == "command_refused"]
    assert [(event.by, event.facts["action"]) for event in refused] == [("unproven:link", "abort")]
    assert stage.rollout.canary_parts == 2500
