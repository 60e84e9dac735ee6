"""Gates and hooks over the wire: what is sent, how it is signed, and that everything but a plain yes is no."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sluice.aws.hooks import SIGNATURE_HEADER, CalledHooks
from sluice.core.conditions import Hook, HookKind

KEY = "key-of-the-stack"
CALL = {"at": 1_800_000_000, "kind": "gate", "endpoint": "shop"}
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:gate"


class Other:
    """Somebody else's code. `status`, `headers` and `body` are its answer, `held` keeps it from answering; `asked` is what came in."""

    def __init__(self) -> None:
        self.status, self.headers, self.body = 200, dict[str, str](), b'{"agree": true}'
        self.held = threading.Event()
        self.held.set()
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        other = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                other.asked.append((self.path, dict(self.headers.items()), body))
                other.held.wait()
                self.send_response(other.status)
                for name, value in {**other.headers, "Content-Length": str(len(other.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(other.body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    def serve(self) -> None:
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def other() -> Iterator[Other]:
    made = Other()
    yield made
    made.held.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, with its key behind it in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


@pytest.fixture
def https(other: Other, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Hook:
    """A hook that leads to `other` over TLS, with a certificate that this process trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    other.server.socket = context.wrap_socket(other.server.socket, server_side=True)
    other.serve()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    boto3.client("ssm").put_parameter(Name="/key", Value=KEY, Type="SecureString")
    return Hook(HookKind.HTTPS, f"https://127.0.0.1:{other.port}/gate", 5, 0)


@pytest.fixture
def function(other: Other, monkeypatch: pytest.MonkeyPatch) -> Hook:
    """A hook that is a function; `other` answers in Lambda's place."""
    other.serve()
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", f"http://127.0.0.1:{other.port}")
    return Hook(HookKind.LAMBDA, FUNCTION, 5, 0)


HOOKS = CalledHooks("/key")


def test_a_url_is_sent_the_call_signed_with_its_time(other: Other, https: Hook) -> None:
    answer = HOOKS.ask(https, CALL)

    ((path, headers, body),) = other.asked
    assert (answer.agreed, answer.text, path) == (True, "agreed", "/gate")
    assert json.loads(body) == CALL
    expected = hmac.new(KEY.encode(), f"{CALL['at']}.{body.decode()}".encode(), hashlib.sha256).hexdigest()
    assert headers[SIGNATURE_HEADER] == f"t={CALL['at']},v1={expected}"


@pytest.mark.parametrize("hook", ["https", "function"])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"agree": "yes"}', "does not agree"),
        (b'{"agree": 1, "because": "later"}', "does not agree: later"),
        (b"{}", "does not agree"),
        (b"", "does not agree"),
        (b"[true]", "does not agree"),
        (b"true", "does not agree"),
        (b"<html>", "does not agree: its answer is no JSON"),
        (b'{"agree": false, "because": "' + b"x" * 500 + b'"}', "does not agree: " + "x" * 200),
        (b'{"agree": true, "pad": "' + b"x" * 70_000 + b'"}', "does not agree: its answer is no JSON"),
    ],
)
def test_only_a_plain_true_is_agreement(
    other: Other, request: pytest.FixtureRequest, hook: str, body: bytes, text: str
) -> None:
    found: Hook = request.getfixturevalue(hook)
    other.body = body

    answer = HOOKS.ask(found, CALL)

    assert (answer.agreed, answer.text) == (False, text)


@pytest.mark.parametrize(
    ("status", "headers", "text"),
    [
        (500, {}, "gave no answer (Failed: HTTP 500)"),
        (403, {}, "gave no answer (Failed: HTTP 403)"),
        (302, {"Location": "/elsewhere"}, "gave no answer (Failed: HTTP 302)"),
    ],
)
def test_a_url_that_refuses_or_leads_elsewhere_gave_no_answer(
    other: Other, https: Hook, status: int, headers: dict[str, str], text: str
) -> None:
    other.status, other.headers = status, headers

    assert (HOOKS.ask(https, CALL).agreed, HOOKS.ask(https, CALL).text) == (False, text)
    assert not HOOKS.tell(https, CALL).agreed
    assert {path for path, _, _ in other.asked} == {"/gate"}, "a signed call goes nowhere else"


def test_a_function_is_asked_once_and_its_failure_is_no_answer(other: Other, function: Hook) -> None:
    other.headers = {"X-Amz-Function-Error": "Unhandled"}
    other.body = b'{"errorMessage": "no such flag"}'

    answer = HOOKS.ask(function, CALL)

    ((path, _, body),) = other.asked
    assert (answer.agreed, json.loads(body)) == (False, CALL)
    assert answer.text.startswith('gave no answer (Failed: it failed: {"errorMessage": "no such flag"}')
    assert path.startswith("/2015-03-31/functions/arn")


@pytest.mark.parametrize("hook", ["https", "function"])
def test_what_does_not_answer_in_time_gave_no_answer(other: Other, request: pytest.FixtureRequest, hook: str) -> None:
    found: Hook = request.getfixturevalue(hook)
    impatient = Hook(found.kind, found.target, 1, 0)
    other.held.clear()

    answer = HOOKS.ask(impatient, CALL)

    assert not answer.agreed
    assert answer.text.startswith("gave no answer (")
    assert len(other.asked) == 1, "the next tick tries again, not this one"


@pytest.mark.parametrize("hook", ["https", "function"])
def test_whoever_is_only_told_took_the_call_whatever_it_says(
    other: Other, request: pytest.FixtureRequest, hook: str
) -> None:
    found: Hook = request.getfixturevalue(hook)
    other.body = b"thanks"

    answer = HOOKS.tell(found, CALL)

    assert (answer.agreed, answer.text) == (True, "took the call")


def test_nothing_is_sent_unsigned(other: Other, https: Hook) -> None:
    without, wrong = CalledHooks(None).ask(https, CALL), CalledHooks("/gone").ask(https, CALL)

    assert without.text == "gave no answer (Failed: this stack has no key to sign with: run `pulumi up`)"
    assert "ParameterNotFound" in wrong.text
    assert [without.agreed, wrong.agreed] == [False, False]
    assert other.asked == []


def test_nobody_there_and_a_certificate_nobody_knows_gave_no_answer(
    other: Other, https: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    nobody = Hook(HookKind.HTTPS, "https://127.0.0.1:9/gate", 5, 0)

    assert "CERTIFICATE_VERIFY_FAILED" in HOOKS.ask(https, CALL).text
    assert HOOKS.ask(nobody, CALL).text.startswith("gave no answer (URLError")
    assert other.asked == []
