"""The whole stack as one component, for programs in any language: `sluice:index:Sluice`.

Its schema is inferred from the types below (PulumiPlugin.yaml and schema.json are in `component/`), by an analyzer that reads
annotations as they stand: this module cannot postpone them.
"""

import json
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi

from infra.bundle import ROOT
from infra.stack import stack
from sluice.core.errors import BadInput
from sluice.schema import StackSpec, parse_stack

NAME = "sluice"
VERSION = "0.1.0"
"""As in pyproject.toml; consumers pin it."""


class DataCapture(TypedDict):
    """What is kept of requests and answers, in S3."""

    sampling_percent: NotRequired[int]
    """0 (nothing) to 100. Default: 100."""
    destination: NotRequired[str]
    """Where in S3 it goes. Default: the control plane's capture bucket."""


class Fallback(TypedDict):
    """A third, small, warm slot with a release that is known to work."""

    release: dict[str, Any]
    """The release document: what is in its release.json."""
    instances: NotRequired[int]
    """Of the slot, all the time. Default: 1."""


class Endpoint(TypedDict):
    """One guarded endpoint. The keys mean what they mean in a stack's configuration."""

    release: Any
    """The release document: what is in its release.json, as an object or as its text. Not a path."""
    policy: Any
    """The rollout policy: the name of a ready-made one, or the document itself."""
    endpoint_name: NotRequired[str]
    """Its name in SageMaker. Default: <stack>-<key>."""
    adopt: NotRequired[bool]
    """Whether it runs already, made by somebody else."""
    slots: NotRequired[list[str]]
    """The names of its two variants. Default: blue and green."""
    instances: NotRequired[int]
    """Instances of a slot that takes all traffic. Default: 1."""
    scaling: NotRequired[str]
    """What happens to autoscaling while a release is tried: suspend (default) or keep."""
    rps: NotRequired[float]
    """Requests per second expected in all: with it, `up` says what the policy can prove."""
    nonce: NotRequired[str]
    """Another one submits the same release again."""
    data_capture: NotRequired[DataCapture]
    """Which part of the requests is kept."""
    fallback: NotRequired[Fallback]
    """The slot for when both others are bad."""
    kms_key_arn: NotRequired[str]
    """The key of the volumes of its instances."""


class Audit(TypedDict):
    """How the archive of audit events is locked."""

    retention_days: NotRequired[int]
    """How long each event stays locked after it was written. Default: 400."""
    mode: NotRequired[str]
    """governance (default), or compliance: then nobody can delete an event before its time."""


class Drills(TypedDict):
    """When the way back is drilled on endpoints where nothing is rolled out. No traffic moves."""

    schedule: str
    """As EventBridge writes it: rate(7 days), cron(0 10 ? * TUE *). Cron is in UTC."""
    too_old: NotRequired[str]
    """How long ago the last good drill may be before a ticket is opened. Default: 14d."""


class Notifications(TypedDict):
    """What goes with pages, tickets and events."""

    links: NotRequired[str]
    """How long signed links to approve and abort are good for, such as 4h. Default: there are none."""
    collector: NotRequired[str]
    """Where rollouts go as OpenTelemetry spans: an OTLP traces address, https. Default: nowhere."""
    collector_headers: NotRequired[str]
    """The SSM SecureString with the headers that the collector wants. Default: none are sent."""


class SluiceArgs(TypedDict):
    """Everything of a stack. All values must be known when the program runs: outputs of other resources cannot be given."""

    endpoints: NotRequired[dict[str, Endpoint]]
    """The guarded endpoints, by name."""
    control_plane: NotRequired[str]
    """The stack whose control plane serves these endpoints: <organization>/<project>/<stack>. Left out, this one has its own."""
    reach: NotRequired[list[str]]
    """Endpoints of other stacks that this control plane serves: names, or beginnings of names with a * at the end."""
    protect: NotRequired[bool]
    """Whether destroying is refused until this is false. Default: true."""
    artifact_buckets: NotRequired[list[str]]
    """Buckets of releases besides those of the configured ones."""
    model_package_groups: NotRequired[list[str]]
    """Groups of the model registry besides those of the configured releases."""
    log_retention_days: NotRequired[int]
    """How long logs are kept. Default: 30."""
    audit: NotRequired[Audit]
    """How the archive of audit events is locked."""
    drills: NotRequired[Drills]
    """When the way back is drilled. Left out, only rollouts rehearse it."""
    notifications: NotRequired[Notifications]
    """Signed links beside what people are told, and rollouts as traces."""


class Sluice(pulumi.ComponentResource):
    """Guarded endpoints and their control plane. One in a stack; export all three outputs, so that others can read the contract."""

    contract_version: pulumi.Output[int]
    """The version of the contract with application teams."""
    endpoints: pulumi.Output[dict[str, Any]]
    """What application teams need, by endpoint; keys as in the contract."""
    control_plane: pulumi.Output[dict[str, Any]]
    """What operators and the command line need."""

    def __init__(self, name: str, args: SluiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sluice:index:Sluice", name, {}, opts)
        exports = stack(spec_of(args), parent=self)
        self.contract_version = pulumi.Output.from_input(exports["contract_version"])
        self.endpoints = pulumi.Output.from_input(exports["endpoints"])
        self.control_plane = pulumi.Output.from_input(exports["control_plane"])
        self.register_outputs(dict(exports))


def spec_of(args: SluiceArgs) -> StackSpec:
    """The configuration these arguments stand for; raises BadInput with every fault."""
    if _holds_output(args):
        raise BadInput(
            ("endpoints: must be known when the program runs, got an output of another resource or a secret.",)
        )
    document = _whole_numbers(args)
    for key, endpoint in document.get("endpoints", {}).items():
        endpoint["release"] = _release(endpoint.get("release"), key)
    return parse_stack(document, ROOT, pulumi.get_project(), pulumi.get_stack())


def _release(given: Any, key: str) -> Any:
    """Not every language reads JSON, and all read files. Paths would be looked for where the component runs."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except ValueError:
        raise BadInput(
            (f"endpoints.{key}.release: must be the release document or its text, got {given[:60]!r}",)
        ) from None


def _holds_output(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_output(item) for item in value.values())
    if isinstance(value, list):
        return any(_holds_output(item) for item in value)
    return isinstance(value, pulumi.Output)


def _whole_numbers(value: Any) -> Any:
    """Pulumi's wire knows one kind of number."""
    if isinstance(value, Mapping):
        return {name: _whole_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
