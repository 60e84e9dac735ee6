"""Names of AWS things: content-addressed where the control plane creates, fixed where alarms and permissions must not move."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sluice.core.actions import VariantSpec
from sluice.core.record import digest, encode
from sluice.core.release import Release
from sluice.core.rollout import EndpointSettings

ALARM_ROOT = "sluice"
_ROOT_DIGITS = 6
"""Of the control plane in the names it makes: enough to tell the stacks of an account apart, short enough to read past."""
_SHORT = 36
"""Characters of an endpoint's name in the names made after it: SageMaker allows 63, root and hash take 27 with their dashes."""
_CUT_DIGITS = 6
_HASH_DIGITS = 12


@dataclass(frozen=True, slots=True)
class AlarmName:
    """The parts of `sluice/<project>/<stack>/<endpoint>/<slot>/<metric>`."""

    project: str
    stack: str
    endpoint: str
    slot: str
    metric: str

    def __str__(self) -> str:
        return "/".join((ALARM_ROOT, self.project, self.stack, self.endpoint, self.slot, self.metric))


def alarm_prefix(project: str, stack: str) -> str:
    """What every alarm name of a stack starts with. It ends in `/`, so that `shop` does not match `shop-dev`."""
    return f"{ALARM_ROOT}/{project}/{stack}/"


def metrics_namespace(project: str, stack: str) -> str:
    """Where a control plane publishes about itself. One per stack: one stack's sweep must not hide that another's is silent."""
    return f"Sluice/{project}/{stack}"


def outcome_namespace(project: str, stack: str) -> str:
    """Where applications record what came of a stack's answers."""
    return f"{metrics_namespace(project, stack)}/outcomes"


def parse_alarm_name(name: str) -> AlarmName | None:
    """The parts of one of our alarm names; None for an alarm that is not ours."""
    parts = name.split("/")
    if len(parts) != 6 or parts[0] != ALARM_ROOT or not all(parts):
        return None
    return AlarmName(*parts[1:])


def model_name(endpoint: str, release: Release, settings: EndpointSettings) -> str:
    """The SageMaker model for a release under these settings; equal content gives an equal name."""
    return _addressed(endpoint, {"release": release.digest, "role": settings.execution_role_arn}, settings)


def config_name(endpoint: str, variants: tuple[VariantSpec, ...], settings: EndpointSettings) -> str:
    """The endpoint configuration with these variants and settings; equal content gives an equal name."""
    return _addressed(endpoint, {"variants": encode(variants), "settings": encode(settings)}, settings)


def rollout_id(endpoint: str, release: Release, version: int) -> str:
    """Unique per endpoint record version, short enough to name a Step Functions execution with its generation."""
    return f"{_short(endpoint)}-{release.short[:8]}-{version}"


def name_root(project: str, stack: str) -> str:
    """How the names of all models and configurations begin that this stack's control plane makes: its permissions end there."""
    return f"{ALARM_ROOT}-{digest({'project': project, 'stack': stack})[:_ROOT_DIGITS]}"


def created_prefix(root: str, endpoint: str) -> str:
    """What every model and configuration made at run time for this endpoint is called before its hash."""
    return f"{root}-{_short(endpoint)}-"


def is_created(root: str, endpoint: str, name: str) -> bool:
    """Whether a model or configuration was made at run time for exactly this endpoint (`a` must not match `a-b`)."""
    prefix = created_prefix(root, endpoint)
    return (
        name.startswith(prefix) and re.fullmatch(rf"[0-9a-f]{{{_HASH_DIGITS}}}", name.removeprefix(prefix)) is not None
    )


def _short(endpoint: str) -> str:
    """The name itself, or so much of it as fits and a hash of it: what is cut must not make two endpoints one."""
    if len(endpoint) <= _SHORT:
        return endpoint
    return f"{endpoint[: _SHORT - _CUT_DIGITS - 1].rstrip('-')}-{digest(endpoint)[:_CUT_DIGITS]}"


def _addressed(endpoint: str, content: object, settings: EndpointSettings) -> str:
    return created_prefix(settings.name_root, endpoint) + digest(content)[:_HASH_DIGITS]
