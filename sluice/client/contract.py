"""The exports of a Sluice stack as types: the contract between a platform team and the teams that call its endpoints.

Within one version fields are only added, so unknown ones are passed over; another version is refused, not guessed at.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_type_hints

from sluice.client.access import invoke_document
from sluice.core.errors import BadInput
from sluice.core.record import decode, encode

CONTRACT_VERSION = 1
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Serving:
    """What an application needs to ask one endpoint and to record outcomes. Small enough for an environment variable."""

    endpoint_name: str
    region: str
    slots: tuple[str, ...]
    champion_parameter: str
    outcome_namespace: str

    def to_json(self) -> str:
        """`serving_from_json` reads it back."""
        return json.dumps({"contract_version": CONTRACT_VERSION, **encode(self)}, sort_keys=True)


@dataclass(frozen=True, slots=True)
class NamedRelease:
    """A release by its name and by the digest of what it is made of."""

    release: str
    digest: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How a rollout ended. `phase` is settled, rolled_back or failed; `ended_at` in seconds since the epoch."""

    release_name: str
    phase: str
    because: str
    ended_at: int


@dataclass(frozen=True, slots=True)
class EndpointContract:
    """One endpoint. `desired` is what the platform's configuration asks for, `live` what served at its last `pulumi up`."""

    endpoint_name: str
    endpoint_arn: str
    region: str
    slots: tuple[str, ...]
    desired: NamedRelease
    live: NamedRelease
    last_outcome: Ended | None
    champion_parameter: str
    invoke_policy_arn: str
    outcome_namespace: str
    contract: str
    event_bus_arn: str
    topic_arn: str
    dashboard_url: str
    rollout_bus_arn: str | None = None

    @property
    def serving(self) -> Serving:
        return Serving(**{field.name: getattr(self, field.name) for field in dataclasses.fields(Serving)})

    @property
    def invoke_policy_json(self) -> str:
        """The document behind `invoke_policy_arn`, for roles of other accounts. Made here: exported it would fill screens."""
        return json.dumps(
            invoke_document(self.endpoint_arn, self.champion_parameter, self.outcome_namespace), sort_keys=True
        )


@dataclass(frozen=True, slots=True)
class ControlPlaneContract:
    """What operators and tools of the platform team need."""

    table: str
    machine_arn: str
    topic_arn: str
    command_function: str
    commands: Mapping[str, str]
    command_policy_arns: Mapping[str, str]
    submit_function: str
    dead_letter_queue_url: str
    capture_bucket: str
    alarm_prefix: str
    parameter_root: str
    metrics_namespace: str
    reach: tuple[str, ...]
    artifact_buckets: tuple[str, ...]
    model_package_groups: tuple[str, ...] = ()
    approvals_topic_arn: str | None = None
    rollout_bus_name: str | None = None
    rollout_bus_arn: str | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """A whole stack's exports."""

    endpoints: Mapping[str, EndpointContract]
    control_plane: ControlPlaneContract

    def endpoint(self, name: str) -> EndpointContract:
        """By its name in the stack's configuration. Raises BadInput that names the endpoints there are."""
        found = self.endpoints.get(name)
        if found is None:
            raise BadInput((f"endpoint {name!r}: the stack has none of this name (it has: {_list(self.endpoints)}).",))
        return found


def contract_from(document: Mapping[str, Any]) -> Contract:
    """The contract in a stack's outputs, as `pulumi stack output --json` prints them. Raises BadInput."""
    for key in ("contract_version", "endpoints", "control_plane"):
        if key not in document:
            raise BadInput(
                (f"{key}: the stack exports no such thing (it exports: {_list(document)}). Is it a stack of Sluice?",)
            )
    _check_version(document["contract_version"])
    endpoints = {
        name: _decoded(EndpointContract, entry, f"endpoints.{name}") for name, entry in document["endpoints"].items()
    }
    return Contract(endpoints, _decoded(ControlPlaneContract, document["control_plane"], "control_plane"))


def serving_from_json(text: str) -> Serving:
    """What `Serving.to_json` wrote, for example from an environment variable. Raises BadInput."""
    try:
        document = json.loads(text)
    except ValueError as fault:
        raise BadInput((f"serving: must be the JSON of `Serving.to_json`: {fault}",)) from None
    _check_version(document.get("contract_version") if isinstance(document, dict) else None)
    return _decoded(Serving, document, "serving")


def _check_version(given: object) -> None:
    if given != CONTRACT_VERSION:
        raise BadInput(
            (
                f"contract_version: this sluice.client reads version {CONTRACT_VERSION}, got {given!r}. "
                "Install the version of Sluice that the stack was deployed with.",
            )
        )


def _decoded(kind: type[T], document: Any, where: str) -> T:
    """Strict about what the version promises, blind to what was added to it since."""
    return decode(kind, _known(kind, document), where)


def _known(kind: Any, document: Any) -> Any:
    """Engines drop nulls and hand every number on as a fraction; both are put right here."""
    if kind is int and isinstance(document, float) and document.is_integer():
        return int(document)
    if not isinstance(document, dict):
        return document
    for option in (kind, *get_args(kind)):
        if dataclasses.is_dataclass(option):
            hints = get_type_hints(option)
            absent = {key: None for key, hint in hints.items() if type(None) in get_args(hint)}
            return {**absent, **{key: _known(hints[key], value) for key, value in document.items() if key in hints}}
    return document


def _list(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(map(str, names))) or "nothing"
