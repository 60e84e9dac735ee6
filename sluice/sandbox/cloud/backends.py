"""What the sandbox reads of moto's state: roles, functions, rules, queues, mappings. It changes nothing here.

moto's objects have no types worth the name, so they leave this module as `Any`; what changes behaviour is in the modules named `..._hooks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sluice.sandbox.cloud.actions import Place
from sluice.sandbox.cloud.iam import RolePolicies

_ids: dict[str, str | None] = {}
"""The id under which moto was last seen to keep a role, by the role's ARN."""


def role(place: Place, arn: str) -> RolePolicies | None:
    from moto.iam.models import iam_backends

    roles = iam_backends[place.account]["aws"].roles
    known = _ids.get(arn)
    if known not in roles or roles[known].arn != arn:
        known = _ids[arn] = next((each.id for each in roles.values() if each.arn == arn), None)
    if known is None:
        return None
    return RolePolicies(arn, _documents(roles[known]), roles[known].assume_role_policy_document)


def _documents(found: Any) -> tuple[tuple[str, str], ...]:
    if found.permissions_boundary_arn:
        raise NotImplementedError(f"role {found.arn} has a permissions boundary, which the sandbox does not evaluate")
    inline = [(f"{found.name}/{name}", text) for name, text in sorted(found.policies.items())]
    managed = [
        (arn, version.document)
        for arn, policy in sorted(found.managed_policies.items())
        for version in policy.versions
        if version.version_id == policy.default_version_id
    ]
    return tuple(inline + managed)


def assumed_role(place: Place, access_key: str) -> str | None:
    """The ARN of the session that STS gave this key to; None for a key of another kind."""
    from moto.sts.models import sts_backends

    found = sts_backends[place.account]["aws"].get_assumed_role_from_access_key(access_key)
    return str(found.arn) if found is not None else None


def session_secret(place: Place, access_key: str) -> str | None:
    """The secret that STS gave with this key; None for a key of another kind."""
    from moto.sts.models import sts_backends

    found = sts_backends[place.account]["aws"].get_assumed_role_from_access_key(access_key)
    return str(found.secret_access_key) if found is not None else None


def functions(place: Place) -> Any:
    """moto's Lambda backend."""
    from moto.awslambda_simple.models import lambda_simple_backends

    return lambda_simple_backends[place.account][place.region]


def has_log_group(place: Place, name: str) -> bool:
    from moto.logs.models import logs_backends

    return name in logs_backends[place.account][place.region].groups


def mappings(place: Place) -> list[Any]:
    """The event source mappings there are, oldest first."""
    return list(functions(place)._event_source_mappings.values())


def rules(place: Place) -> list[Any]:
    """The rules on the default event bus."""
    from moto.events.models import events_backends

    return list(events_backends[place.account][place.region].event_buses["default"].rules.values())


def queues(place: Place) -> Any:
    """moto's SQS backend."""
    from moto.sqs.models import sqs_backends

    return sqs_backends[place.account][place.region]


def queue(place: Place, arn: str) -> Any | None:
    return queues(place).queues.get(arn.rpartition(":")[2])


def text_in(place: Place, table: str, hash_key: str, range_key: str, attribute: str) -> str | None:
    """A text attribute of a DynamoDB item; None where there is no such table, item or attribute."""
    from moto.dynamodb.models import dynamodb_backends
    from moto.dynamodb.models.dynamo_type import DynamoType

    found = dynamodb_backends[place.account][place.region].tables.get(table)
    item = found.get_item(DynamoType({"S": hash_key}), DynamoType({"S": range_key})) if found else None
    text: str | None = item.attrs[attribute].value if item and attribute in item.attrs else None
    return text


def item_like(place: Place, table: str, item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The DynamoDB item that has the key of this one, as boto3 gives it, empty where there is none; None for a key that is not of texts."""
    from moto.dynamodb.models import dynamodb_backends
    from moto.dynamodb.models.dynamo_type import DynamoType

    held = dynamodb_backends[place.account][place.region].tables.get(table)
    names = (held.hash_key_attr, held.range_key_attr) if held else ()
    key: list[Any] = [item.get(name) for name in names if name is not None]
    if not held or not all(isinstance(part, Mapping) and part.get("S") for part in key):
        return None
    hash_and_range: list[Any] = [DynamoType(part) for part in key]
    found = held.get_item(*hash_and_range)
    return {name: value.to_regular_json() for name, value in found.attrs.items()} if found else {}


def machines(place: Place) -> Any:
    """moto's Step Functions backend, the one that interprets machines."""
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends

    return stepfunctions_parser_backends[place.account][place.region]


def execution(place: Place, arn: str) -> Any | None:
    """The execution of a state machine, None where there is none."""
    named = (
        found
        for machine in machines(place).state_machines
        for found in machine.executions
        if found.execution_arn == arn
    )
    return next(named, None)
