"""Running the sandbox as a server with the example on it, and asking a running one for what only a sandbox can do."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import signal
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import get_session

from sluice.cli.text import moment
from sluice.core.errors import BadInput, SluiceError

_RELEASES = ("v1", "v2", "v3", "v4", "v5")
_SERVICE = "sandbox"


def run(speed: float, port: int, requests_per_minute: float, env: Path | None) -> int:
    """Serve until a signal says otherwise; 1 when the sandbox itself broke."""
    from sluice.sandbox.server.server import Key

    key, colleague = (
        Key(f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20), user) for user in ("operator", "colleague")
    )
    with serving((key, colleague), speed, port, requests_per_minute) as server:
        lines = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in server.environment.items())
        if env is not None:
            env.write_text(lines, encoding="utf-8")
        print(
            f"# dev-triage serves v1; {_pace(speed)} In another shell:\n{lines}"
            "# The last two are the key of a colleague, who may approve what you submit.\n",
            end="",
            flush=True,
        )
        _wait(server.stopped)
        if server.fault is not None:
            print(f"the sandbox stopped: {type(server.fault).__name__}: {server.fault}", file=sys.stderr)
            return 1
    return 0


@contextmanager
def serving(
    keys: tuple[Any, Any], speed: float, port: int, requests_per_minute: float, start: datetime | None = None
) -> Iterator[Any]:
    """The server with v1 of the example live and clients that send; virtual time begins now unless told otherwise.

    `keys` are the operator's, and that of a colleague who approves.
    """
    from sluice.sandbox.sandbox import Sandbox, Setting
    from sluice.sandbox.server.server import Server
    from sluice.sandbox.triage import ENDPOINT, train

    setting = Setting(start=start or datetime.now(UTC).replace(microsecond=0))
    with tempfile.TemporaryDirectory(prefix="sluice-sandbox-") as folder, Sandbox(setting) as sandbox:
        example = train(Path(folder))
        example.upload(sandbox, *_RELEASES)
        sandbox.config["endpoints"] = example.endpoints("v1")
        sandbox.up()
        if requests_per_minute > 0:
            sandbox.traffic(ENDPOINT, example.load(requests_per_minute))

        def up(asked: Mapping[str, Any]) -> Mapping[str, Any]:
            wanted, before = _known(asked["release"]), dict(sandbox.config)
            endpoints = example.endpoints(wanted, asked["policy"], nonce=asked["nonce"])
            sandbox.config.update({**asked["config"], "endpoints": endpoints})
            try:
                made = sandbox.up()
            except Exception:
                sandbox.config = before  # what was wrong must not stand in the way of the next one
                raise
            steps = [f"{step.op} {step.name}" for step in made.steps if step.op != "same"]
            return {"result": f"pulumi up with {wanted}: {', '.join(steps) or 'nothing to do'}"}

        def release(asked: Mapping[str, Any]) -> Mapping[str, Any]:
            return example.document(_known(asked["release"]))

        with Server(sandbox, keys[0], speed, port, keys[1], {"up": up, "release": release}) as server:
            yield server


def settings(given: Iterable[str]) -> dict[str, Any]:
    """Stack configuration from `KEY=VALUE`, the value as YAML; raises BadInput for what is none."""
    found, faults = {}, []
    for one in given:
        key, equals, value = one.partition("=")
        try:
            if not key or not equals or key == "endpoints":
                raise ValueError("must be KEY=VALUE with a key of the stack's configuration other than `endpoints`")
            found[key] = yaml.safe_load(value)
        except (ValueError, yaml.YAMLError) as fault:
            faults.append(f"--config: {' '.join(str(fault).split())}, got {one!r}")
    if faults:
        raise BadInput(tuple(faults))
    return found


def mail_lines(messages: list[dict[str, Any]], last: int) -> Iterator[str]:
    """The newest messages, oldest first, as a mail program would show them."""
    if not messages:
        yield "nobody was told anything yet"
    if len(messages) > last:
        yield f"{len(messages) - last} older: sluice sandbox mail --last {len(messages)}"
        yield ""
    for number, message in enumerate(messages[-last:]):
        if number:
            yield ""
        severity = f"  {message['severity']}" if message["severity"] else ""
        yield f"{moment(message['at'])} UTC  to {message['topic']}{severity}"
        yield message["subject"]
        yield from (f"  {line}" if line else "" for line in message["text"].splitlines())


def _known(release: str) -> str:
    if release not in _RELEASES:
        raise BadInput((f"release: must be one of {', '.join(_RELEASES)}, got {release!r}",))
    return release


def _pace(speed: float) -> str:
    return f"time passes {speed:g} times as fast." if speed else "time stands still until `sluice sandbox advance`."


def ask_sandbox(word: str, **asked: object) -> dict[str, Any]:
    """An operation of the running sandbox; raises BadInput when none runs or it refuses."""
    address = os.environ.get("AWS_ENDPOINT_URL")
    credentials = get_session().get_credentials()
    if not address or credentials is None:
        raise BadInput(
            ("AWS_ENDPOINT_URL and keys: not set. Run `sluice sandbox serve`, and take over what it prints.",)
        )
    url = f"{address.rstrip('/')}/{word}"
    request = AWSRequest("POST", url, data=json.dumps(asked).encode())
    SigV4Auth(credentials, _SERVICE, "us-east-1").add_auth(request)
    sent = urllib.request.Request(url, request.data, dict(request.headers.items()))  # noqa: S310 - the person's own address
    try:
        with urllib.request.urlopen(sent, timeout=300) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as fault:
        told = json.loads(fault.read())
        if told.get("is_bad_input"):
            raise BadInput(tuple(told["message"].splitlines())) from None
        raise SluiceError(str(told.get("message"))) from None
    except OSError as fault:
        raise BadInput((f"no sandbox answers at {address}: {fault}",)) from None
    return found


def _wait(stopped: threading.Event) -> None:
    """Until SIGINT or SIGTERM, or the server stopped by itself."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    while not stopped.wait(0.5):
        pass
