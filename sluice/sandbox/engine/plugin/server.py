"""Serves the provider plugin on a port of this process, for a Pulumi engine in another one.

So the engine's AWS is this process's: control plane, virtual time and functions see the same account. Decides only how requests
come in (one after the other, in one thread, as the sandbox's clock wants it) and how errors go out.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Any, Self

import grpc  # type: ignore[import-untyped]
import grpc.aio  # type: ignore[import-untyped]
from google.protobuf import any_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from sluice.sandbox.engine.plugin.answers import Answers
from sluice.sandbox.engine.provider import HalfMade
from sluice.sandbox.engine.provisioning import sentence_of
from sluice.sandbox.engine.wire import encode

_BIGGEST_MESSAGE = 400 * 1024 * 1024  # as the engine's own limit: state may carry files
_METHODS = tuple(name for name in vars(Answers) if name[0].isupper())
_REFUSED = grpc.StatusCode.FAILED_PRECONDITION
"""A code the engine takes for "nothing happened"; after UNKNOWN it would keep the operation as pending."""


class PluginServer:
    """Use as a context manager. `environment` is what makes an engine take this provider for `aws`.

    asyncio, because gRPC's threaded server measures its waits by `time.time`, which the sandbox has frozen.
    """

    def __init__(self, answers: Answers | None = None) -> None:
        self.port = 0
        self._answers = answers or Answers()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aws-plugin")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="aws-plugin-server", daemon=True)
        self._server: Any = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait_for(self._start())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._wait_for(self._server.stop(None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._worker.shutdown()

    @property
    def environment(self) -> dict[str, str]:
        return {"PULUMI_DEBUG_PROVIDERS": f"aws:{self.port}"}

    def _wait_for(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _start(self) -> None:
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", _BIGGEST_MESSAGE),
                ("grpc.max_send_message_length", _BIGGEST_MESSAGE),
            ]
        )
        servicer = provider_pb2_grpc.ResourceProviderServicer()
        for name in _METHODS:
            setattr(servicer, name, partial(self._serve, getattr(self._answers, name)))
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()

    async def _serve(self, answer: Callable[[Any], Any], request: Any, context: Any) -> Any:
        try:
            return await self._loop.run_in_executor(self._worker, answer, request)
        except HalfMade as half:
            await context.abort(_REFUSED, sentence_of(half), (_details(half),))
        except Exception as error:
            await context.abort(_REFUSED, sentence_of(error) or type(error).__name__)


def _details(half: HalfMade) -> tuple[str, bytes]:
    """How a provider says that a resource exists but is not finished: the engine keeps it and updates it next time."""
    there = {name: value for name, value in half.outputs.items() if name not in half.missing}
    failed = provider_pb2.ErrorResourceInitFailed(
        id=half.identity, properties=encode(there), reasons=[sentence_of(half)]
    )
    packed = any_pb2.Any()
    packed.Pack(failed)
    status = status_pb2.Status(code=_REFUSED.value[0], message=sentence_of(half), details=[packed])
    return "grpc-status-details-bin", status.SerializeToString()
