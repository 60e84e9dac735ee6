"""What a valid configuration can still get wrong for AWS: names too long or with characters some service refuses. All faults at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from infra.alarm_formulas import Guarded, alarm_settings
from infra.endpoint_names import execution_role
from infra.iam_packing import PolicyTooLong, pack
from infra.permission_scope import scope_of
from infra.permissions import FUNCTION_DOCUMENTS
from infra.resource_names import FUNCTIONS, Names
from infra.serving_permissions import repository_arn
from sluice.core.errors import BadInput
from sluice.schema import EndpointSpec, StackSpec

_NAME_LIMIT = 64
"""Of roles and functions."""
_ENDPOINT_LIMIT = 63
_ALARM_LIMIT = 255


def check(names: Names, spec: StackSpec) -> None:
    """Raises BadInput with a sentence per fault, before anything is registered."""
    faults = [*_prefix_faults(names, spec), *(_size_faults(names, spec) if spec.control_plane is None else ())]
    for endpoint in spec.endpoints:
        where = f"Pulumi.{names.stack}.yaml: {names.project}:endpoints.{endpoint.name}"
        faults += [f"{where}{fault}" for fault in _endpoint_faults(names, endpoint)]
    if faults:
        raise BadInput(tuple(faults))


def guarded(names: Names, endpoint: EndpointSpec) -> Guarded:
    """The endpoint as the alarm formulas see it."""
    fallback = endpoint.fallback.slot if endpoint.fallback else None
    control = names.control
    return Guarded(control.project, control.stack, endpoint.endpoint_name, endpoint.slots, endpoint.policy, fallback)


def _prefix_faults(names: Names, spec: StackSpec) -> Iterator[str]:
    where = f"project {names.project!r} and stack {names.stack!r}"
    if not re.fullmatch(r"[A-Za-z0-9_-]+", names.prefix):
        yield f"{where}: functions, roles and queues are named after them, so only letters, digits, - and _ are possible"
    roles = [
        *(names.role(word) for word in FUNCTIONS if spec.control_plane is None),
        *(execution_role(names, endpoint.name) for endpoint in spec.endpoints),
    ]
    longest = max([*roles, *([names.listening_rule] if spec.control_plane else [])], key=len)
    if len(longest) > _NAME_LIMIT:
        yield f"{where}: the name {longest!r} has {len(longest)} characters, AWS allows {_NAME_LIMIT}. Choose shorter names"


def _size_faults(names: Names, spec: StackSpec) -> Iterator[str]:
    """Endpoints are named one by one in the functions' documents: some hundreds of them outgrow all policies a role can have."""
    scope = scope_of(names, spec)
    for word, document in FUNCTION_DOCUMENTS.items():
        try:
            pack(document(scope))
        except PolicyTooLong as fault:
            yield (
                f"project {names.project!r} and stack {names.stack!r}: with {len(spec.endpoints)} endpoints the role "
                f"{names.role(word)} cannot be given its permissions: {fault}. Put some endpoints into another stack"
            )


def _endpoint_faults(names: Names, endpoint: EndpointSpec) -> Iterator[str]:
    name = endpoint.endpoint_name
    if len(name) > _ENDPOINT_LIMIT or not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", name):
        yield f".endpoint_name: SageMaker takes up to {_ENDPOINT_LIMIT} letters, digits and inner dashes, got {name!r}"
    for release in endpoint.releases:
        try:
            repository_arn(release.image, names.place)
        except BadInput as fault:
            yield f".release: {fault}"
    yield from _metric_faults(guarded(names, endpoint))


def _metric_faults(endpoint: Guarded) -> Iterator[str]:
    """Alarm names are made of metric names and must lead back to them."""
    for name in endpoint.policy.metrics:
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
            yield f".policy: metrics.{name}: its alarms are named after it, so only letters, digits, -, _ and . are possible"
    alarms = [str(settings.name) for settings in alarm_settings(endpoint)]
    longest = max(alarms, key=len, default="")
    if len(longest) > _ALARM_LIMIT:
        rule = f"CloudWatch allows {_ALARM_LIMIT}. Shorten the metric's name, the slot's or the endpoint's"
        yield f".policy: the alarm {longest!r} would have {len(longest)} characters in its name, {rule}"
    for name in sorted({alarm for alarm in alarms if alarms.count(alarm) > 1}):
        yield f".policy: two alarms would be called {name!r}. Rename the metric that ends in -rail"
