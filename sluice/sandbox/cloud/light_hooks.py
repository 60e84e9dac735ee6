"""Calls that are answered without botocore's and moto's way through JSON, for the few that a day of virtual time is made of.

What an answer says is worked out by the service as before, or remembered while nothing it is about was changed; checking, writing and
reading the same request and answer again is saved. Pinned to moto 5.2.5; every light has a test against the long way.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol

from sluice.sandbox.patches import Undo, replaced

Params = Mapping[str, Any]
"""What a caller passed to boto3."""


class Light(Protocol):
    """One operation's light answers."""

    def answer(self, params: Params) -> dict[str, Any] | None:
        """What the caller gets but for the metadata; None sends the call the long way, also to be refused there."""

    def learn(self, params: Params, answer: Mapping[str, Any]) -> None:
        """What the long way came to: botocore accepted the parameters, and the service answered."""


def install_light_answers(region: str, lights: Mapping[tuple[str, str], Light]) -> Undo:
    """Calls of these (service, operation) in the region are answered by their light, where it knows the answer.

    Gates installed after this one see every call, also those.
    """
    from botocore.client import BaseClient

    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def light(client: Any, operation: str, params: Params) -> Any:
        found = lights.get((client.meta.service_model.service_name, operation))
        if found is None or client.meta.region_name != region:
            return original(client, operation, params)
        said = found.answer(params)
        if said is not None:
            return {**said, "ResponseMetadata": _metadata()}
        answer = original(client, operation, params)
        found.learn(params, {name: value for name, value in answer.items() if name != "ResponseMetadata"})
        return answer

    return replaced(BaseClient, "_make_api_call", light)


def _metadata() -> dict[str, Any]:
    return {"RequestId": "sandbox", "HTTPStatusCode": int(HTTPStatus.OK), "HTTPHeaders": {}, "RetryAttempts": 0}


@dataclass(frozen=True, slots=True)
class Remembered:
    """Answers that stay the same for as long as what they are about looks the same. `look` says how that looks, as a value that is
    equal only while it does; None is nothing to remember anything of."""

    look: Callable[[Params], Any | None]
    kept: dict[str, tuple[Any, bytes]] = field(default_factory=dict)

    def answer(self, params: Params) -> dict[str, Any] | None:
        kept = self.kept.get(repr(params))
        if kept is None or kept[0] != self.look(params):
            return None
        said: dict[str, Any] = pickle.loads(kept[1])  # noqa: S301  our own bytes
        return said

    def learn(self, params: Params, answer: Mapping[str, Any]) -> None:
        look = self.look(params)
        if look is not None:
            self.kept[repr(params)] = look, pickle.dumps(answer)


def attributes(thing: Any) -> tuple[Any, ...]:
    """How an object of moto's looks: moto sets attributes anew, and does not change in place what its answers show."""
    return (thing, *vars(thing).values())
