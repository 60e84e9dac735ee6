"""The server: requests one at a time between the world's steps, virtual time at a speed, and a door for what only a sandbox can do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from sluice.core.errors import BadInput
from sluice.sandbox.cloud.backends import session_secret
from sluice.sandbox.cloud.urls import OPERATOR
from sluice.sandbox.sandbox import Sandbox
from sluice.sandbox.server.function_urls import (
    called,
    called_by_anybody,
    is_for_a_function,
    is_for_anybody,
    told_here,
)
from sluice.sandbox.server.mail import mail
from sluice.sandbox.server.routes import Answered, forward
from sluice.sandbox.server.signatures import BadSignature, HttpRequest, checked

BEAT_SECONDS = 0.05
"""How often time is moved on, in real seconds: short, so that a request never waits long for its turn."""
OWN_SERVICE = "sandbox"
"""What requests to the sandbox itself are signed for."""

Operation = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Key:
    """An access key that the server takes, as printed for clients, and the name of the user whose it is."""

    access_key: str
    secret: str
    user: str = OPERATOR


@dataclass
class Server:
    """Use as a context manager inside the sandbox's. `speed`: virtual seconds for each real one; 0 leaves time to `advance`.

    `colleague` is somebody else's key. `stopped` is set at the end, also when the world broke while time passed; then `fault`
    is what broke it.
    """

    sandbox: Sandbox
    key: Key
    speed: float
    port: int = 0
    colleague: Key | None = None
    operations: dict[str, Operation] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    fault: BaseException | None = None
    _moving: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Server:
        self.operations.setdefault("advance", self._advance)
        self.operations.setdefault("mail", lambda _: {"messages": list(mail(self.sandbox.cloud, self.url))})
        self._http = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self.port = self._http.server_address[1]
        for run in (self._http.serve_forever, self._pass_time):
            thread = threading.Thread(target=run, name=f"sandbox server {run.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._http.shutdown()
        self._http.server_close()
        for thread in self._threads:
            thread.join(timeout=10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs to reach it; set like this, every AWS client of a shell does."""
        other = self.colleague
        somebody_else = {"COLLEAGUE_KEY": other.access_key, "COLLEAGUE_SECRET": other.secret} if other else {}
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.key.access_key,
            "AWS_SECRET_ACCESS_KEY": self.key.secret,
            "AWS_DEFAULT_REGION": self.sandbox.cloud.place.region,
            **somebody_else,
        }

    def answer(self, request: HttpRequest) -> Answered:
        """Nothing is answered to a request whose signature is wrong; it is noted. Some functions ask for none."""
        with self.sandbox.cloud.clock.turn():
            if is_for_anybody(self.sandbox.cloud, request):
                return called_by_anybody(self.sandbox.cloud, request)
        try:
            signer = checked(request, self._secret)
        except BadSignature as fault:
            self.refusals.append(f"{request.method} {urlsplit(request.url).path}: {fault}")
            return 403, _JSON, json.dumps({"__type": "InvalidSignatureException", "message": str(fault)}).encode()
        if signer.service == OWN_SERVICE:
            return self._operated(request)
        with self.sandbox.cloud.clock.turn():
            if is_for_a_function(request):
                key = self._key(signer.access_key)
                return called(self.sandbox.cloud, request, signer, key.user if key else OPERATOR)
            status, headers, body = forward(request, signer)
        return status, headers, told_here(body, self.url) if signer.service == "lambda" else body

    def _operated(self, request: HttpRequest) -> Answered:
        """Without the clock's turn: a deployment has threads of its own, which take theirs. Time stands still meanwhile."""
        word = urlsplit(request.url).path.strip("/")
        operation = self.operations.get(word)
        if operation is None:
            return (
                404,
                _JSON,
                json.dumps({"message": f"{word!r} is none of {', '.join(sorted(self.operations))}"}).encode(),
            )
        try:
            with self._moving:
                return 200, _JSON, json.dumps(operation(json.loads(request.body or b"{}"))).encode()
        except Exception as fault:  # the client asked for it, and is told what became of it
            told = {"message": str(fault), "is_bad_input": isinstance(fault, BadInput)}
            return 400, _JSON, json.dumps(told).encode()

    def _key(self, access_key: str) -> Key | None:
        return next((key for key in (self.key, self.colleague) if key and key.access_key == access_key), None)

    def _secret(self, access_key: str) -> str | None:
        """Of one of the keys, or of a session that STS gave out. At function URLs roles are limited by their IAM documents; users are
        not, and neither are direct calls of AWS's services from outside.
        """
        key = self._key(access_key)
        return key.secret if key else session_secret(self.sandbox.cloud.place, access_key)

    def _advance(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Let virtual time pass at once."""
        self.sandbox.cloud.clock.run_for(float(asked["seconds"]))
        return {"now": self.sandbox.cloud.clock.now().timestamp()}

    def _pass_time(self) -> None:
        """`time.sleep` and the clocks are virtual here; waiting for an event is not."""
        try:
            while not self.stopped.wait(BEAT_SECONDS):
                if self.speed > 0:
                    with self._moving:
                        self.sandbox.cloud.clock.run_for(self.speed * BEAT_SECONDS)
        except (
            BaseException
        ) as fault:  # whoever waits for `stopped` reports it: a world whose time stands still must not look alive
            self.fault = fault
            self.stopped.set()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                # botocore asks before it sends a large body; http.server has answered by now.
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                url = f"http://{self.headers['Host']}{self.path}"
                status, headers, answer = server.answer(
                    HttpRequest(self.command, url, dict(self.headers.items()), body)
                )
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _any

            def log_message(self, *_: object) -> None:
                """Nobody reads an access log of one machine."""

        return Handler


_JSON = {"Content-Type": "application/x-amz-json-1.1"}
