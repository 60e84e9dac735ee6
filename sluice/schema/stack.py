"""Stack configuration: what stands under `sluice:` in Pulumi.<stack>.yaml, with the policies and releases it names.

Leaves names that AWS would refuse in combination to `infra.preflight`.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sluice.core.errors import BadInput
from sluice.core.links import BY_LINK
from sluice.core.names import outcome_namespace
from sluice.core.policy import LatencyMetric, Policy
from sluice.core.registry import group_arn
from sluice.core.release import Release
from sluice.core.rollout import Fallback, ScalingMode
from sluice.schema import stack_document
from sluice.schema.faults import checked
from sluice.schema.policy import parse_policy, read_policy
from sluice.schema.reading import READY_MADE
from sluice.schema.release import parse_release, read_release
from sluice.schema.stack_document import FALLBACK_SLOT, DataCapture, Endpoint, Stack
from sluice.schema.stack_spec import AuditSpec, CaptureSpec, DrillSpec, EndpointSpec, StackSpec

OUTCOMES = "outcomes"
"""A policy's word for the namespace into which applications of this stack record outcomes."""


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a configuration comes from: the folder its paths are relative to, and what its keys are called."""

    root: Path
    project: str
    stack: str

    @property
    def file(self) -> str:
        return f"Pulumi.{self.stack}.yaml"

    def key(self, endpoint: str) -> str:
        return f"{self.project}:endpoints.{endpoint}"

    def fault(self, path: str, fault: str) -> str:
        return f"{self.file}: {path}: {fault}"


def parse_stack(document: Mapping[str, object], root: Path, project: str, stack: str) -> StackSpec:
    """The stack configuration: `document` holds the config values by key, `root` is the folder that paths are relative to.

    Raises BadInput with every fault of the configuration, its policies and its releases, each naming its key.
    """
    source = _Source(root, project, stack)
    model, found = checked(Stack, dict(document), source.file, f"{project}:")
    faults = list(found)
    given = document.get("endpoints")
    endpoints = []
    for name, endpoint in given.items() if isinstance(given, dict) else ():
        try:
            endpoints.append(_endpoint(str(name), endpoint, source))
        except BadInput as fault:
            faults += fault.faults
    faults += _clashes(given if isinstance(given, dict) else {}, source)
    faults += _division(model, source) if model else ()
    faults += _links(model, endpoints, source) if model else ()
    if model and model.notifications.collector_headers and not model.notifications.collector:
        key = f"{source.project}:notifications.collector_headers"
        faults.append(source.fault(key, "is for a collector, and none is set. Set `collector`, or leave it out"))
    if model is None or faults:
        raise BadInput(tuple(dict.fromkeys(faults)))
    releases = [release for endpoint in endpoints for release in endpoint.releases]
    groups = {group_arn(release.model_package) for release in releases if release.model_package is not None}
    buckets = {urlsplit(release.artifact.url).netloc for release in releases}
    return StackSpec(
        tuple(endpoints),
        tuple(sorted(buckets.union(model.artifact_buckets))),
        model.protect,
        model.log_retention_days,
        AuditSpec(model.audit.retention_days, model.audit.mode),
        model.control_plane,
        model.reach,
        DrillSpec(model.drills.schedule, model.drills.too_old) if model.drills else None,
        model.notifications.links,
        model.notifications.collector,
        tuple(sorted(groups.union(model.model_package_groups))),
        model.notifications.collector_headers,
    )


def _division(model: Stack, source: _Source) -> Iterator[str]:
    """Who serves whom: a stack has a control plane, or uses another's, and something must be served."""
    if model.control_plane is not None and not model.endpoints:
        yield source.fault(f"{source.project}:endpoints", "is missing: with `control_plane` a stack has endpoints only")
    if model.control_plane is not None and model.reach:
        rule = "is for stacks with a control plane of their own, and `control_plane` names another's"
        yield source.fault(f"{source.project}:reach", f"{rule}. Set it in {model.control_plane}")
    for key in ("audit", "drills", "notifications"):
        if model.control_plane is not None and key in model.model_fields_set:
            rule = f"is the control plane's to keep. Set it in {model.control_plane}"
            yield source.fault(f"{source.project}:{key}", rule)
    if model.control_plane is None and not model.endpoints and not model.reach:
        rule = "is missing: configure an endpoint, or set `reach` to serve those of other stacks"
        yield source.fault(f"{source.project}:endpoints", rule)
    if model.control_plane is not None and model.control_plane.split("/")[1:] == [source.project, source.stack]:
        yield source.fault(f"{source.project}:control_plane", "names this stack itself. Leave it out")


def _links(model: Stack, endpoints: Iterable[EndpointSpec], source: _Source) -> Iterator[str]:
    """A step that only a link could approve would wait in vain. Whether another stack's control plane makes links is not known here."""
    if model.control_plane is not None or model.notifications.links is not None:
        return
    for endpoint in endpoints:
        for number, step in enumerate(endpoint.policy.steps):
            if step.approval is not None and BY_LINK in step.approval.by:
                rule = (
                    f"says `{BY_LINK}`, and this stack makes none. Set `{source.project}:notifications: {{links: 4h}}`"
                )
                yield source.fault(f"{source.key(endpoint.name)}.policy", f"steps[{number}].approval.by {rule}")


def _endpoint(name: str, given: object, source: _Source) -> EndpointSpec:
    """Its release and policy are read even where its other keys are wrong: every fault at once."""
    key = source.key(name)
    model, found = checked(Endpoint, given, source.file, f"{key}.")
    faults, release, policy = list(found), None, None
    document: dict[str, Any] = given if isinstance(given, dict) else {}
    try:
        release = _release(document.get("release"), f"{key}.release", source)
    except BadInput as fault:
        faults += fault.faults
    try:
        policy = _policy(document.get("policy"), f"{key}.policy", source)
    except BadInput as fault:
        faults += fault.faults
    fallback = None
    try:
        fallback = _fallback(document.get("fallback"), f"{key}.fallback", source)
    except BadInput as fault:
        faults += fault.faults
    if model is None or release is None or policy is None or faults:
        raise BadInput(tuple(faults))
    return EndpointSpec(
        name=name,
        endpoint_name=model.endpoint_name or f"{source.stack}-{name}",
        release=release,
        policy=policy,
        slots=(model.slots[0], model.slots[1]),
        instances=model.instances,
        scaling=ScalingMode(model.scaling),
        rps=model.rps,
        nonce=model.nonce,
        capture=_capture(model),
        kms_key_arn=model.kms_key_arn,
        adopt=model.adopt,
        fallback=fallback,
    )


def _fallback(given: object, key: str, source: _Source) -> Fallback | None:
    if given is None:
        return None
    model, found = checked(stack_document.Fallback, given, source.file, f"{key}.")
    document: dict[str, Any] = given if isinstance(given, dict) else {}
    release = _release(document.get("release"), f"{key}.release", source)
    if model is None or release is None:
        raise BadInput(found)
    return Fallback(FALLBACK_SLOT, release, model.instances)


def _capture(model: Endpoint) -> CaptureSpec:
    said = model.data_capture
    percent = said.sampling_percent if said else 0 if model.adopt else DataCapture().sampling_percent
    return CaptureSpec(percent, said.destination if said else None, said is not None)


def _release(given: object, key: str, source: _Source) -> Release | None:
    """None for what is neither a path nor a document: `Endpoint` says so."""
    if isinstance(given, dict):
        return parse_release(given, source.file, f"{key}.")
    if not isinstance(given, str) or not given:
        return None
    if not os.path.isfile(source.root / given):
        raise BadInput((source.fault(key, f"there is no file {given!r}; paths are relative to {source.root}"),))
    try:
        return read_release(source.root / given, given)
    except BadInput as fault:
        raise BadInput(tuple(source.fault(key, line) for line in fault.faults)) from None


def _policy(given: object, key: str, source: _Source) -> Policy | None:
    """A bare word names a ready-made policy of the repository, anything with a suffix is a path. None for what is none of these."""
    if isinstance(given, dict):
        return _with_outcomes(parse_policy(given, f"{source.file}: {key}"), source)
    if not isinstance(given, str) or not re.fullmatch(r"[\w-]+|.*\.ya?ml", given):
        return None
    path = Path(given) if given.endswith((".yaml", ".yml")) else READY_MADE / f"{given}.yaml"
    if not os.path.isfile(source.root / path):
        raise BadInput((source.fault(key, _no_policy(given, path, source.root)),))
    try:
        return _with_outcomes(read_policy(source.root / path, str(path)), source)
    except BadInput as fault:
        raise BadInput(tuple(source.fault(key, line) for line in fault.faults)) from None


def _with_outcomes(policy: Policy, source: _Source) -> Policy:
    """A policy is shared by stacks; where applications record what came of answers is each stack's own."""
    return with_outcomes(policy, outcome_namespace(source.project, source.stack))


def with_outcomes(policy: Policy, own: str) -> Policy:
    """The policy with the namespace that it calls `outcomes`."""
    metrics = {
        name: replace(metric, namespace=own) if metric.namespace == OUTCOMES else metric
        for name, metric in policy.metrics.items()
    }
    for name, metric in metrics.items():
        if isinstance(metric, LatencyMetric) and metric.histogram and metric.histogram.namespace == OUTCOMES:
            metrics[name] = replace(metric, histogram=replace(metric.histogram, namespace=own))
    return replace(policy, metrics=metrics)


def _no_policy(given: str, path: Path, root: Path) -> str:
    if given == str(path):
        return f"there is no file {given!r}; paths are relative to {root}"
    ready = ", ".join(sorted(file.stem for file in (root / READY_MADE).glob("*.yaml"))) or "none"
    return f"there is no ready-made policy {given!r} (there are: {ready}); name your own by its path, ending in .yaml"


def _clashes(given: Mapping[str, Any], source: _Source) -> Iterator[str]:
    """Names that AWS takes for one and the same."""
    keys: dict[str, str] = {}
    names: dict[str, tuple[str, str]] = {}
    for key, endpoint in given.items():
        if (other := keys.setdefault(str(key).casefold(), key)) != key:
            yield source.fault(source.key(key), f"differs from endpoints.{other} in case only, which IAM does not see")
        own = endpoint.get("endpoint_name") if isinstance(endpoint, dict) else None
        name = own if isinstance(own, str) else f"{source.stack}-{key}"
        taken_by, taken = names.setdefault(name.casefold(), (key, name))
        if taken_by != key:
            rule = f"must differ from that of endpoints.{taken_by} ({taken!r}) by more than case"
            yield source.fault(
                f"{source.key(key)}.endpoint_name", f"{rule}, which SageMaker does not see; got {name!r}"
            )
