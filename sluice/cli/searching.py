"""Whose endpoint a bare name is, or which endpoints a stack has: from the stack files of the folder, else from Parameter Store, where
every endpoint that a control plane serves has a parameter that names its champion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sluice.core.errors import BadInput

ROOT = "/sluice"
"""Of every stack's parameters: `/sluice/<project>/<stack>/<endpoint>`."""
_NAMED = 5
"""Parts of such a name, the empty one before the first slash included."""
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=5, read_timeout=10)


@dataclass(frozen=True, slots=True, order=True)
class Served:
    """An endpoint, and the project and stack it belongs to: its own by a stack file, its control plane's by a parameter."""

    project: str
    stack: str
    endpoint: str


Known = Callable[[str | None], Sequence[Served]]
"""Region -> every endpoint served there; raises BadInput when that cannot be known."""


def in_parameter_store(region: str | None) -> Sequence[Served]:
    """`Known` on AWS."""
    try:
        pages = boto3.client("ssm", region_name=region, config=_CONFIG).get_paginator("get_parameters_by_path")
        found = [
            parameter["Name"].split("/")
            for page in pages.paginate(Path=ROOT, Recursive=True)
            for parameter in page["Parameters"]
        ]
    except (ClientError, BotoCoreError) as fault:
        raise BadInput((f"Parameter Store could not be asked: {fault}",)) from None
    return tuple(sorted(Served(*parts[2:]) for parts in found if len(parts) == _NAMED))


def in_files(home: Path, project: str) -> Iterator[Served]:
    """The endpoints that the stack files of a folder configure, as `sluice.schema.stack` names them. What cannot be read has none."""
    for file in sorted(home.glob("Pulumi.*.yaml")):
        stack = file.name.removeprefix("Pulumi.").removesuffix(".yaml")
        for key, said in _endpoints(file, project).items():
            own = said.get("endpoint_name") if isinstance(said, dict) else None
            yield Served(project, stack, str(own or f"{stack}-{key}"))


def _endpoints(file: Path, project: str) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    config = document.get("config") if isinstance(document, dict) else None
    found = config.get(f"{project}:endpoints") if isinstance(config, dict) else None
    return found if isinstance(found, dict) else {}


def meant(name: str, stack: str | None, served: Iterable[Served]) -> tuple[Served, ...]:
    """Those of this name; else those of the stack of this name; without a name all, or those of the stack."""
    pool = tuple(served)
    if not name:
        return tuple(one for one in pool if stack in (None, one.stack))
    exact = tuple(one for one in pool if one.endpoint == name and stack in (None, one.stack))
    return exact or tuple(one for one in pool if one.stack == name)
