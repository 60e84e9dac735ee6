"""The Pulumi program for 1, 10 and 100 endpoints, beside one that registers as many resources and does nothing else."""

from __future__ import annotations

import asyncio
import contextvars
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pulumi
from pulumi.runtime import set_all_config, set_mocks
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.settings import ROOT

from benchmarks.system.measure import Row
from tests.infra.stacks import STATUS, Registered, endpoint_document, run_program

_SIZES = (1, 10, 100)


def rows() -> Iterator[Row]:
    _program(1)  # imports are no part of it
    for count in _SIZES:
        seconds, resources = _program(count)
        bare = _bare(resources)
        yield Row(
            f"the Pulumi program, {count} endpoint{'' if count == 1 else 's'}",
            f"{seconds:.2f} s CPU",
            f"{bare:.2f} s CPU",
            f"a program that only registers as many resources ({len(resources)})",
        )


def _program(count: int) -> tuple[float, Sequence[Registered]]:
    endpoints = {f"E{number}": endpoint_document() for number in range(count)}
    before = time.process_time()
    recording = run_program(STATUS, endpoints=endpoints)
    return time.process_time() - before, tuple(recording.resources.values())


def _bare(resources: Sequence[Registered]) -> float:
    before = time.process_time()
    contextvars.copy_context().run(_run_bare, resources)
    return time.process_time() - before


class _Echo(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: MockCallArgs) -> dict[str, Any]:
        raise RuntimeError(f"a bare program calls nothing, but {args.token} was called")


def _run_bare(resources: Sequence[Registered]) -> None:
    ROOT.set(None)
    asyncio.set_event_loop(asyncio.new_event_loop())
    set_mocks(_Echo(), project="sluice", stack="dev", preview=False, monitor=MockMonitor(_Echo()))
    set_all_config({})

    @pulumi.runtime.test
    def program() -> None:
        for resource in resources:
            inputs = json.loads(json.dumps(dict(resource.inputs), default=str))
            pulumi.CustomResource(resource.type, resource.name, inputs)

    program()
