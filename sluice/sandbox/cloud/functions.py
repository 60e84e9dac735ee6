"""The Lambda service: handlers from the deployed zips, run as their role, with Lambda's answers, errors and logs.

Decides how an invocation goes; `invocations` is who asks for one and is told, `containers` what a handler runs in, `handoff` what
becomes of asynchronous ones.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sluice.sandbox.cloud import backends
from sluice.sandbox.cloud.actions import Place
from sluice.sandbox.cloud.clock import Clock, Overslept
from sluice.sandbox.cloud.containers import Code, Container, HandlerNotFound, Stage, unpack
from sluice.sandbox.cloud.emf import metrics_in
from sluice.sandbox.cloud.faults import FunctionKilled
from sluice.sandbox.cloud.gate import Gate, Principal
from sluice.sandbox.cloud.iam import Authorizer, allows_service
from sluice.sandbox.cloud.ids import id_of

LAMBDA = "lambda.amazonaws.com"
_ANSWER_LIMIT = 6_291_556  # bytes
_OWN_FRAMES = 2  # the runtime's, at the top of a handler's traceback
OnMetrics = Callable[[str, list[dict[str, Any]]], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended. `error` is the error's type, None for a success; `payload` what the caller gets.

    `refused`: Lambda could not even begin, and answers the call with an error of its own.
    """

    payload: bytes
    error: str | None
    request_id: str
    log: tuple[str, ...] = ()
    refused: bool = False


@dataclass(frozen=True, slots=True)
class LogLine:
    at: datetime
    request_id: str
    text: str


class Context:
    """The context object of a handler."""

    def __init__(self, function: Any, request_id: str, arn: str, stream: str, remaining: Callable[[], float]) -> None:
        self.function_name: str = function.function_name
        self.function_version = str(function.version)
        self.invoked_function_arn = arn
        self.memory_limit_in_mb = str(function.memory_size)
        self.aws_request_id = request_id
        self.log_group_name = f"/aws/lambda/{function.function_name}"
        self.log_stream_name = stream
        self.identity = None
        self.client_context = None
        self._remaining = remaining

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round(self._remaining() * 1000))


@dataclass(slots=True)
class _Environment:
    """A container and the log stream it writes to."""

    container: Container
    stream: str


@dataclass(slots=True)
class _Result:
    value: Any = None
    error: str | None = None
    fatal: bool = False  # the container does not survive: killed, timed out, or never loaded


@dataclass(slots=True)
class Runtime:
    """Runs functions. Embedded metrics go to `on_metrics`; `logs` holds what each function wrote."""

    clock: Clock
    gate: Gate
    authorizer: Authorizer
    place: Place = field(default_factory=Place)
    on_metrics: OnMetrics | None = None
    logs: dict[str, list[LogLine]] = field(default_factory=dict)
    lost_logs: dict[str, list[str]] = field(default_factory=dict)  # written without permission to write logs
    asynchronously: Callable[[str, bytes], None] | None = None  # set by `handoff`
    _idle: dict[tuple[Any, ...], list[_Environment]] = field(default_factory=dict)
    _stage: Stage = field(default_factory=Stage)
    _numbers: int = 0

    def install(self) -> None:
        self.clock.guards.append(self._stage)

    def uninstall(self) -> None:
        if self._stage in self.clock.guards:
            self.clock.guards.remove(self._stage)
        self._idle.clear()

    def text(self, function: str) -> str:
        """What a function logged, as text."""
        return "\n".join(line.text for line in self.logs.get(function, []))

    def function(self, name_or_arn: str, qualifier: str | None = None) -> Any:
        """moto's function; raises what Lambda answers when there is none."""
        return backends.functions(self.place).get_function(name_or_arn, qualifier)

    def find(self, name_or_arn: str) -> Any | None:
        """The function, None when there is none."""
        from moto.awslambda.exceptions import UnknownFunctionException

        try:
            return self.function(name_or_arn)
        except UnknownFunctionException:
            return None

    def permits(self, function_arn: str, service: str, source_arn: str) -> bool:
        """Whether the function's resource policy lets a service invoke it on behalf of a source."""
        document = json.dumps({"Statement": self.function(function_arn).policy.statements})
        context = {"aws:SourceArn": source_arn, "aws:SourceAccount": self.place.account}
        named = f"policy of {function_arn}"
        return allows_service(named, document, service, "lambda:InvokeFunction", function_arn, context).allowed

    def may_run(self, function: Any) -> bool:
        """Whether Lambda may assume the function's role."""
        return self.authorizer.trusts(function.role, LAMBDA)

    def run(self, function: Any, body: bytes, invoked_arn: str) -> Outcome:
        """Invoke now and wait for the answer, on the calling thread."""
        started, request_id = self.clock.now(), self._request_id(function)
        if not self.may_run(function):
            sentence = b"The role defined for the function cannot be assumed by Lambda."
            return Outcome(sentence, "AccessDeniedException", request_id, refused=True)
        environment = self._environment(function)
        deadline = started + timedelta(seconds=function.timeout)
        context = Context(
            function,
            request_id,
            invoked_arn,
            environment.stream,
            lambda: (deadline - self.clock.now()).total_seconds(),
        )
        principal = Principal(function.role, function.function_name, request_id, deadline)
        with self._stage.entered(environment.container), self.gate.acting_as(principal):
            result = self._attempt(environment.container, json.loads(body or b"{}"), context)
            if result.error is None and self.clock.now() > deadline:
                result = _timed_out(context, function.timeout)
            lines = tuple(environment.container.output.take())
        if not result.fatal:
            self._idle.setdefault(_key(function), []).append(environment)
        self._keep_log(function, environment.stream, request_id, lines)
        return Outcome(json.dumps(result.value).encode(), result.error, request_id, lines)

    def _attempt(self, container: Container, event: Any, context: Context) -> _Result:
        try:
            if not container.loaded:
                container.load()
            answer = container.call(event, context)
        except FunctionKilled:
            return _failure(
                "Runtime.ExitError", f"RequestId: {context.aws_request_id} Error: Runtime exited", fatal=True
            )
        except Overslept:
            return _timed_out(context, self.function(context.function_name).timeout)
        except HandlerNotFound as error:
            return _failure("Runtime.HandlerNotFound", str(error), fatal=True)
        except Exception as error:
            if not container.loaded:
                return _failure("Runtime.ImportModuleError", f"Unable to import the handler: {error}", fatal=True)
            trace = traceback.format_tb(error.__traceback__)[_OWN_FRAMES:]
            print(f"[ERROR] {type(error).__name__}: {error}\nTraceback (most recent call last):\n{''.join(trace)}")  # noqa: T201  into the function's log
            return _failure(type(error).__name__, str(error), trace=trace)
        try:
            said = json.dumps(answer, default=_number)
        except (TypeError, ValueError) as error:
            return _failure("Runtime.MarshalError", f"Unable to marshal response: {error}")
        return _Result(json.loads(said)) if len(said) <= _ANSWER_LIMIT else _too_large()

    def _environment(self, function: Any) -> _Environment:
        idle = self._idle.get(_key(function))
        if idle:
            return idle.pop()
        code = unpack(function.code_digest, function.code_bytes)
        day, number = f"{self.clock.now():%Y/%m/%d}", self._next("stream")
        stream = f"{day}/[{function.version}]{number.replace('-', '')}"
        return _Environment(Container(code, function.handler, _environ(self.place, function, stream, code)), stream)

    def _keep_log(self, function: Any, stream: str, request_id: str, lines: tuple[str, ...]) -> None:
        """Lambda writes logs, and the metrics embedded in them, with the function's own permissions."""
        if not lines:
            return
        name = function.function_name
        if not self._may_log(function, stream):
            self.lost_logs.setdefault(name, []).extend(lines)
            return
        at = self.clock.now()
        self.logs.setdefault(name, []).extend(LogLine(at, request_id, line) for line in lines)
        if self.on_metrics is not None:
            for namespace, data in [found for line in lines for found in metrics_in(line)]:
                self.on_metrics(namespace, data)

    def _may_log(self, function: Any, stream: str) -> bool:
        group = self.place.arn("logs", f"log-group:/aws/lambda/{function.function_name}")
        needs = [
            ("logs:CreateLogStream", f"{group}:log-stream:{stream}"),
            ("logs:PutLogEvents", f"{group}:log-stream:{stream}"),
        ]
        if not backends.has_log_group(self.place, f"/aws/lambda/{function.function_name}"):
            needs.append(("logs:CreateLogGroup", group))
        return all(self.authorizer.decide(function.role, action, resource).allowed for action, resource in needs)

    def _request_id(self, function: Any) -> str:
        return self._next(f"request/{function.function_name}")

    def _next(self, what: str) -> str:
        # Numbered instead of random, so that equal runs have equal ids.
        self._numbers += 1
        return id_of(f"{what}/{self._numbers}")


def _key(function: Any) -> tuple[Any, ...]:
    """What makes a warm container usable: same function, version, code, handler and configuration."""
    environment = tuple(sorted(function.environment_vars.items()))
    return function.function_arn, str(function.version), function.code_digest, function.handler, environment


def _failure(kind: str, message: str, *, trace: list[str] | None = None, fatal: bool = False) -> _Result:
    return _Result({"errorMessage": message, "errorType": kind, "stackTrace": trace or []}, kind, fatal)


def _timed_out(context: Context, seconds: int) -> _Result:
    message = f"RequestId: {context.aws_request_id} Error: Task timed out after {seconds:.2f} seconds"
    return _failure("Sandbox.Timedout", message, fatal=True)


def _too_large() -> _Result:
    sentence = f"Response payload size exceeded maximum allowed payload size ({_ANSWER_LIMIT} bytes)."
    return _failure("Function.ResponseSizeTooLarge", sentence)


def _number(value: Any) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _environ(place: Place, function: Any, stream: str, code: Code) -> dict[str, str]:
    """Lambda's standard variables and the function's own, which may not override them."""
    return {
        **function.environment_vars,
        "AWS_ACCESS_KEY_ID": "ASIASANDBOX",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_SESSION_TOKEN": "sandbox",
        "AWS_DEFAULT_REGION": place.region,
        "AWS_REGION": place.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.function_name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "LAMBDA_TASK_ROOT": str(code.root),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
        "_HANDLER": function.handler,
        "HOME": str(code.root),  # not Lambda's: keeps ~/.aws of whoever runs the sandbox out of boto3's sight
    }
