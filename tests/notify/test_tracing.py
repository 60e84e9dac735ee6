"""Spans on the wire: OTLP as its own parser reads it, tried once, and in nobody's way."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from lambdas import notify
from sluice.aws import collector
from sluice.core.audit import Event
from sluice.core.messages import letter_of
from sluice.core.record import canonical, encode
from sluice.core.spans import spans_of


class Collector(HTTPServer):
    """Keeps what it gets, and answers as told."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self.elsewhere: str | None = None
        super().__init__(("127.0.0.1", 0), Answering)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"


class Answering(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        assert self.headers["Content-Type"] == "application/json"
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(self.server.status)
        if self.server.elsewhere:
            self.send_header("Location", self.server.elsewhere)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def listening() -> Iterator[Collector]:
    with Collector() as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


def read(document: Any) -> list[Any]:
    """OTLP writes ids in hex where protobuf's JSON has base64; all else is protobuf's own JSON, and unknown keys are errors."""
    text = json.loads(json.dumps(document))
    for span in text["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for key in ("traceId", "spanId", "parentSpanId"):
            if key in span:
                span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
    (resource,) = ParseDict(text, ExportTraceServiceRequest()).resource_spans
    return list(resource.scope_spans[0].spans)


def test_a_whole_rollout_is_one_trace_in_which_every_parent_is_told(events: list[Event]) -> None:
    documents = [spans_of(letter_of(event)) for event in events]
    spans = [span for document in documents if document for span in read(document)]

    ids = [span.span_id for span in spans]
    roots = [span for span in spans if not span.parent_span_id]
    assert len({span.trace_id for span in spans}) == 1
    assert len(set(ids)) == len(ids)
    assert {span.parent_span_id for span in spans if span.parent_span_id} <= set(ids)
    assert [span.name for span in roots] == ["rollout v2"]
    names = [span.name for span in spans]
    assert names.index("baking") < names.index("rolling_back") < names.index("verifying")
    told = {event.name for span in spans for event in span.events}
    assert {event.kind for event in events if event.rollout} - {"submitted"} <= told
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)


def test_a_collector_gets_the_spans_and_its_refusal_is_a_sentence(listening: Collector, events: list[Event]) -> None:
    spans = spans_of(letter_of(events[-1]))

    assert collector.export(listening.url, spans) is None
    listening.status = 503
    assert "HTTP Error 503" in str(collector.export(listening.url, spans))
    assert listening.bodies == [spans, spans]


def test_a_collector_that_is_not_there_holds_up_nothing(events: list[Event]) -> None:
    assert "URLError" in str(collector.export("http://127.0.0.1:9/v1/traces", spans_of(letter_of(events[-1]))))


class Parameters:
    """Parameter Store with one parameter."""

    def __init__(self, value: str, kind: str = "SecureString") -> None:
        self.found = {"Parameter": {"Value": value, "Type": kind}}

    def get_parameter(self, **asked: Any) -> Any:
        assert asked == {"Name": "/otlp/headers", "WithDecryption": True}
        return self.found


def told(listening: Collector, events: list[Event], store: Parameters, monkeypatch: pytest.MonkeyPatch) -> str | None:
    monkeypatch.setattr(collector, "client", lambda _service: store)
    return collector.export(listening.url, spans_of(letter_of(events[-1])), "/otlp/headers")


def test_a_collector_that_wants_a_key_gets_it_from_parameter_store(
    listening: Collector, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(listening, events, Parameters("api-key=s3cret, x-tenant=a%20b%3D"), monkeypatch) is None

    (headers,) = listening.headers
    assert (headers["api-key"], headers["x-tenant"]) == ("s3cret", "a b=")
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("store", "sentence"),
    [
        (Parameters("s3cret"), "entry 1 is not name=value"),
        (Parameters("a=b,api-key=s3cret%0D%0Ax"), "entry 2 is not name=value"),
        (Parameters("api key=s3cret"), "entry 1 is not name=value"),
        (Parameters("api-key=s3cret", "String"), "is a String, and must be a SecureString"),
    ],
)
def test_headers_that_are_wrong_are_told_without_what_is_in_them(
    listening: Collector, events: list[Event], monkeypatch: pytest.MonkeyPatch, store: Parameters, sentence: str
) -> None:
    said = str(told(listening, events, store, monkeypatch))

    assert f"its headers in parameter /otlp/headers: {sentence}" in said
    assert "s3cret" not in said
    assert listening.bodies == []


def test_a_key_does_not_follow_a_redirection(
    listening: Collector, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    listening.status, listening.elsewhere = 302, listening.url

    said = str(told(listening, events, Parameters("api-key=s3cret"), monkeypatch))

    assert "HTTP Error 302" in said
    assert "s3cret" not in said
    assert len(listening.headers) == 1


def test_the_function_traces_what_it_sent_once_and_a_failure_brings_no_letter_back(
    listening: Collector, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: set[str] = set()
    said: list[Any] = []

    class Nowhere:
        sends_links = False

        def publish(self, *_: object) -> None: ...

        def notify(self, *_: object) -> None: ...

        def has(self, _endpoint: str, key: str) -> bool:
            return key in kept

        def keep(self, _endpoint: str, key: str) -> None:
            kept.add(key)

    monkeypatch.setattr(notify, "TopicAndBus", lambda *_: Nowhere())
    monkeypatch.setattr(notify, "Marks", lambda _: Nowhere())
    monkeypatch.setattr(notify, "report", lambda _, counted, **more: said.append((counted, more["faults"])))
    environment = {"SLUICE_TOPIC_ARN": "t", "SLUICE_BUS": "b", "SLUICE_TABLE": "x", "SLUICE_COLLECTOR": listening.url}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    record = {"messageId": "m", "body": canonical(encode(letter_of(events[-1])))}

    first, again = (notify.handler({"Records": [record]}, None) for _ in range(2))
    kept.clear()
    listening.status = 500
    refused = notify.handler({"Records": [record]}, None)

    assert first == again == refused == {"batchItemFailures": []}
    assert len(listening.bodies) == 2
    assert said[-1][0]["NotTraced"] == ("Count", 1.0)
    assert "HTTP Error 500" in said[-1][1][0]
    assert "NotTraced" not in said[0][0]
