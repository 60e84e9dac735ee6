"""Containers that answer requests with the release's own code, and InvokeEndpoint in front of them.

Decides what one request comes to: status, body, cost. Every minute's requests really run through the release's handlers;
many at once, and equal ones once, where the release was seen to answer a request the same alone and among others. Which of those need
not be asked again every minute is left to `steady`, loading code to `loading`, publishing metrics to `meter`.

Latency is modelled, since sandbox hardware says nothing: lognormal around the container's environment variable
SANDBOX_LATENCY_MS (20 by default) with SANDBOX_LATENCY_SIGMA (0.25), drawn from the container's own seeded generator. A
release is made slow by its environment, which is part of its digest.
"""

import json
import math
import re
import zlib
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from sluice.sandbox.hosting.loading import CSV, JSON, ContainerSpec, Program
from sluice.sandbox.hosting.steady import OK, Answer, Steady
from sluice.sandbox.watch.meter import Meter, Statuses
from sluice.sandbox.watch.statistic import Floats

Chosen = NDArray[np.int64]
"""Which payload each request has, as an index."""

LATENCY_MS, LATENCY_SIGMA, OVERHEAD_MS = 20.0, 0.25, 2.0
_LOG_OVERHEAD_US = np.log(1000 * OVERHEAD_MS)
SMALL_BATCH = 8
"""A failing batch of this size or less is served one by one; a larger one is halved first."""


class Served(NamedTuple):
    """What one request came to. Latencies in microseconds, as CloudWatch has them."""

    status: int
    model_us: float
    overhead_us: float
    body: bytes
    content_type: str
    fault: str = ""


class Outcomes(NamedTuple):
    """What many requests came to: one entry per request in each array, and one per answer, which equal requests share, in the lists."""

    statuses: Statuses
    model_us: Floats
    overhead_us: Floats
    which: Chosen
    """The answer that each request got, as an index."""
    payloads: Sequence[int]
    """The payload, as an index, that each answer is to."""
    bodies: tuple[bytes, ...]


class Container:
    """One slot's running container."""

    def __init__(self, program: Program, slot: str, seed: int) -> None:
        self._program = program
        self._seed = [seed, zlib.crc32(program.spec.model_name.encode()), zlib.crc32(slot.encode())]
        self._generator = np.random.default_rng(self._seed)
        environment = program.spec.environment
        self._log_us = np.log(1000 * float(environment.get("SANDBOX_LATENCY_MS", LATENCY_MS)))
        self._sigma = float(environment.get("SANDBOX_LATENCY_SIGMA", LATENCY_SIGMA))
        self._takes_batches: bool | None = None  # not known before the first batch was compared with single requests
        self.broken: str | None = None
        """A fault that makes every answer an HTTP 500: a dependency that is gone, a full disk."""
        self._steady: dict[tuple[str, str], Steady] = {}  # by what is sent and what is accepted
        self._failed: set[bytes] = set()  # requests that failed when they were last served alone

    @property
    def spec(self) -> ContainerSpec:
        return self._program.spec

    def serve(self, requests: Sequence[bytes], content_type: str = CSV, accept: str = CSV) -> list[Served]:
        """Serve each request; one that raises fails alone. Rows of CSV requests go through the handlers together."""
        answers = self._answers(requests, content_type, accept)
        latencies = (latency.tolist() for latency in self._latencies(len(requests)))
        return [
            Served(status, model_us, overhead_us, body, written, fault)
            for (status, body, written, fault), model_us, overhead_us in zip(answers, *latencies, strict=True)
        ]

    def meet(self, payloads: Sequence[bytes], chosen: Chosen, content_type: str = CSV, accept: str = CSV) -> Outcomes:
        """What requests with the payloads at `chosen` come to.

        Where the release can take requests together, equal ones among them go through the handlers once.
        """
        bodies = self._by_heart(payloads, chosen, content_type, accept)
        if bodies is not None:
            each = np.full(len(chosen), OK)
            return Outcomes(each, *self._latencies(len(chosen)), chosen, range(len(payloads)), bodies)
        distinct, which = _distinct(chosen) if self._takes_batches else (chosen, np.arange(len(chosen)))
        asked: list[int] = distinct.tolist()
        answers = self._met(list(map(payloads.__getitem__, asked)), content_type, accept)
        statuses, bodies, *_ = zip(*answers, strict=True) if answers else ((), ())
        each = np.array(statuses, dtype=np.int64)[which]
        return Outcomes(each, *self._latencies(len(chosen)), which, asked, bodies)

    def _by_heart(
        self, payloads: Sequence[bytes], chosen: Chosen, content_type: str, accept: str
    ) -> tuple[bytes, ...] | None:
        """What is said to all the payloads, where it is known."""
        steady = self._steady.get((content_type, accept))
        if steady is None or self.broken is not None:
            return None
        sent = map(payloads.__getitem__, chosen.tolist())
        return steady.by_heart(payloads, sent, lambda asked: self._answers(asked, content_type, accept))

    def _met(self, requests: Sequence[bytes], content_type: str, accept: str) -> list[Answer]:
        if not self._takes_batches or self.broken is not None:
            self._steady.clear()
            return self._answers(requests, content_type, accept)
        steady = self._steady.setdefault((content_type, accept), Steady(_alike))
        return steady.answers(requests, lambda asked: self._answers(asked, content_type, accept))

    def _latencies(self, count: int) -> tuple[Floats, Floats]:
        """Of the model and of SageMaker around it, in whole microseconds."""
        model = self._generator.lognormal(self._log_us, self._sigma, count).round()
        return model, self._generator.lognormal(_LOG_OVERHEAD_US, 0.25, count).round()

    def _answers(self, requests: Sequence[bytes], content_type: str, accept: str) -> list[Answer]:
        if self.broken is not None:
            return [Answer(500, self.broken.encode(), "text/plain", self.broken)] * len(requests)
        with self._program.inside():
            if content_type != CSV or len(requests) <= 1 or self._takes_batches is False:
                return [self._one(request, content_type, accept) for request in requests]
            answers = self._together(requests, accept)
            return answers if self._takes_batches else self._compared(requests, accept, answers)

    def _compared(self, requests: Sequence[bytes], accept: str, answers: list[Answer]) -> list[Answer]:
        """Believe in batches only if single requests come to the same: a model may look at its whole batch."""
        sample = sorted({0, len(requests) // 2, len(requests) - 1})
        self._takes_batches = all(_alike(self._one(requests[at], CSV, accept), answers[at]) for at in sample)
        return answers if self._takes_batches else [self._one(request, CSV, accept) for request in requests]

    def _together(self, requests: Sequence[bytes], accept: str) -> list[Answer]:
        """What failed before is tried alone at once: finding it among the others again would cost most of all."""
        suspected = [request in self._failed for request in requests]
        others = iter(
            self._halved([each for each, alone in zip(requests, suspected, strict=True) if not alone], accept)
        )
        return [
            self._alone(request, accept) if alone else next(others)
            for request, alone in zip(requests, suspected, strict=True)
        ]

    def _halved(self, requests: Sequence[bytes], accept: str) -> list[Answer]:
        if len(requests) <= 1:
            return [self._alone(request, accept) for request in requests]
        try:
            bodies, content_type = self._joined(requests, accept)
        except Exception:  # some request of these fails: find which
            if len(requests) <= SMALL_BATCH:
                return [self._alone(request, accept) for request in requests]
            middle = len(requests) // 2
            return self._halved(requests[:middle], accept) + self._halved(requests[middle:], accept)
        return [Answer(OK, body, content_type) for body in bodies]

    def _alone(self, request: bytes, accept: str) -> Answer:
        answer = self._one(request, CSV, accept)
        (self._failed.discard if answer.status == OK else self._failed.add)(request)
        return answer

    def _joined(self, requests: Sequence[bytes], accept: str) -> tuple[list[bytes], str]:
        bodies = [request.strip(b"\r\n") for request in requests]
        if not all(bodies):
            raise ValueError("a request without a row cannot be joined with others")
        output, content_type = self._run(b"\n".join(bodies).decode(), CSV, accept)
        return _split(output, content_type, [body.count(b"\n") + 1 for body in bodies]), content_type

    def _run(self, body: str | bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        handlers = self._program.handlers
        prediction = handlers.predict_fn(handlers.input_fn(body, content_type), handlers.model)
        output: Any = handlers.output_fn(prediction, accept)
        if isinstance(output, tuple):
            output, accept = output
        return output if isinstance(output, bytes) else str(output).encode(), accept

    def _one(self, request: bytes, content_type: str, accept: str) -> Answer:
        # SageMaker hands text to the handlers for text formats and bytes for any other.
        try:
            body = request.decode() if content_type in (CSV, JSON) else request
            output, written = self._run(body, content_type, accept)
        except Exception as error:  # an exception in a handler is an HTTP 500 of the container, whatever its type
            fault = f"{type(error).__name__}: {error}"
            return Answer(FORMAT_ERRORS.get(type(error).__name__, 500), fault.encode(), "text/plain", fault)
        return Answer(OK, output, written)


FORMAT_ERRORS = {"UnsupportedContentType": 415, "UnsupportedFormatError": 415, "UnsupportedAccept": 406}
"""Statuses by the error's class name, since a release brings SageMaker's class or its own along; any other is 500."""


def _distinct(chosen: Chosen) -> tuple[Chosen, Chosen]:
    """As `np.unique` with its inverse, without sorting: there are few payloads."""
    place = np.zeros(int(chosen.max(initial=-1)) + 1, dtype=np.int64)
    place[chosen] = 1
    distinct = np.flatnonzero(place)
    place[distinct] = np.arange(len(distinct))
    return distinct, place[chosen]


_NUMBER = re.compile(rb"-?\d+\.?\d*(?:[eE][-+]?\d+)?")


def _alike(alone: Answer, together: Answer) -> bool:
    """Equal but for the last digits of numbers: linear algebra rounds differently by the size of a batch."""
    if alone._replace(body=b"") != together._replace(body=b""):
        return False
    if _NUMBER.sub(b"#", alone.body) != _NUMBER.sub(b"#", together.body):
        return False
    pairs = zip(_NUMBER.findall(alone.body), _NUMBER.findall(together.body), strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=1e-12) for a, b in pairs)


def _split(output: bytes, content_type: str, rows: Sequence[int]) -> list[bytes]:
    """The output of joined requests cut back into one per request. ValueError unless it has one entry per row."""
    if content_type == JSON:
        entries = json.loads(output)
        parts = [json.dumps(part).encode() for part in _cut(entries, rows)]
    elif content_type == CSV:
        end = b"\n" if output.endswith(b"\n") else b""  # a release that ends its output with one does so every time
        lines = output.splitlines()
        if len(lines) == len(rows) == sum(rows):  # the common case: one row each
            return [line + end for line in lines]
        parts = [b"\n".join(part) + end for part in _cut(lines, rows)]
    else:
        raise ValueError(f"output of type {content_type!r} cannot be cut into requests")
    return parts


def _cut(entries: list[Any], rows: Sequence[int]) -> list[list[Any]]:
    if not isinstance(entries, list) or len(entries) != sum(rows):
        raise ValueError("the output does not have one entry per row")
    if len(entries) == len(rows):
        return [[entry] for entry in entries]
    cuts: list[list[Any]] = []
    at = 0
    for count in rows:
        cuts.append(entries[at : at + count])
        at += count
    return cuts


class Route(NamedTuple):
    """Where traffic can go: a slot, its current weight and its container."""

    slot: str
    weight: float
    container: Container


class Routing(Protocol):
    def routes(self, endpoint: str) -> Sequence[Route]:
        """The slots that serve; empty where nothing is in service."""


class Reply(NamedTuple):
    slot: str
    served: Served


class RuntimeFault(Exception):
    """A request InvokeEndpoint refuses before any container sees it."""


class Runtime:
    """InvokeEndpoint: picks a slot by current weight, or the one asked for, and meters the request."""

    def __init__(self, routing: Routing, meter: Meter, clock: Any, seed: int = 0) -> None:
        self._routing = routing
        self._meter = meter
        self._clock = clock
        self._random = Random(f"invoke/{seed}")  # noqa: S311 - which slot a request goes to is no secret

    def invoke(self, endpoint: str, body: bytes, content_type: str, accept: str, target: str | None = None) -> Reply:
        """Serve one request. RuntimeFault for an endpoint or variant that is not there."""
        routes = self._routing.routes(endpoint)
        if not routes:
            raise RuntimeFault(f"Endpoint {endpoint} is not in service or does not exist.")
        route = self._pick(endpoint, routes, target)
        served = route.container.serve([body], content_type, accept)[0]
        now = self._clock.now()
        model_us, overhead_us = np.array([served.model_us]), np.array([served.overhead_us])
        self._meter.record(endpoint, route.slot, now, np.array([served.status]), model_us, overhead_us)
        return Reply(route.slot, served)

    def _pick(self, endpoint: str, routes: Sequence[Route], target: str | None) -> Route:
        if target is None:
            return self._random.choices(routes, [route.weight for route in routes])[0]
        for route in routes:
            if route.slot == target:
                return route
        found = ", ".join(route.slot for route in routes)
        raise RuntimeFault(f"Variant {target} of endpoint {endpoint} does not exist (found: {found}).")
