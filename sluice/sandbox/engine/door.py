"""The one way from resource tables to AWS: boto3 clients, made once per region and service.

Decides nothing; answers that report a refusal inside a success are turned into one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore import xform_name

from sluice.sandbox.engine.kinds import Refused


@dataclass(slots=True)
class Door:
    """Clients are kept between runs: loading a service model takes longer than all calls of a run."""

    session: boto3.Session | None = None
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def into(self, region: str) -> Regional:
        return Regional(self, region)

    def client(self, service: str, region: str) -> Any:
        key = (service, region)
        if key not in self._clients:
            make: Any = self.session.client if self.session else boto3.client
            self._clients[key] = make(service, region_name=region)
        return self._clients[key]


@dataclass(frozen=True, slots=True)
class Regional:
    door: Door
    region: str

    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        client = self.door.client(service, self.region)
        answer: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
        for entry in answer.get("FailedEntries") or ():
            raise Refused(f"{operation} failed in part: {entry.get('ErrorCode')}: {entry.get('ErrorMessage')}")
        return answer
