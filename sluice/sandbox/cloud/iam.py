"""Evaluation of IAM documents: identity policies of roles, resource policies and trust policies.

Decides allow or deny and names the statements that decided. Which actions a call needs is in `actions`; what it cannot
evaluate (NotAction, an unknown condition operator or key, policy variables) it refuses loudly instead of guessing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

# Every context key that some call or delivery gives; a condition on another key would silently never match.
KNOWN_KEYS = frozenset(
    {
        "aws:requestedregion",
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:securetransport",
        "cloudwatch:namespace",
        "dynamodb:leadingkeys",
        "events:detail-type",
        "events:source",
        "iam:passedtoservice",
        "s3:prefix",
        "sagemaker:targetvariant",
        "application-autoscaling:scalable-dimension",
        "application-autoscaling:service-namespace",
        "lambda:functionurlauthtype",
        "lambda:invokedviafunctionurl",
    }
)
_SILENT_SERVICES = ("lambda.amazonaws.com",)
"""Services that do not promise to say for whom they act when they assume a role."""
_ELEMENTS = frozenset({"Sid", "Effect", "Action", "Resource", "Condition", "Principal"})


class UnsupportedPolicy(Exception):
    """A document uses something the sandbox does not evaluate."""


@dataclass(frozen=True, slots=True)
class Condition:
    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    sid: str
    allow: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]  # empty in a trust policy, which has no Resource
    services: tuple[str, ...]  # principals of a resource policy, "*" for anyone
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """`sids` are the statements that allowed, or the ones that denied; empty when nothing allows."""

    allowed: bool
    denied: bool = False
    sids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RolePolicies:
    """What the sandbox reads of a role: its documents as (name, JSON text), and who may assume it."""

    arn: str
    documents: tuple[tuple[str, str], ...]
    trust: str


@dataclass(slots=True)
class Authorizer:
    """Answers for roles; `role` looks one up by ARN, None when there is no such role."""

    role: Callable[[str], RolePolicies | None]
    _answers: dict[tuple[Any, ...], Decision] = field(default_factory=dict)

    def decide(self, role_arn: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> Decision:
        role = self.role(role_arn)
        if role is None:
            return Decision(allowed=False)
        key = (role.documents, action, resource, tuple(sorted((context or {}).items())))
        if key not in self._answers:
            statements = [s for name, text in role.documents for s in parse(name, text)]
            self._answers[key] = evaluate(statements, action, resource, context or {})
        return self._answers[key]

    def trusts(self, role_arn: str, service: str) -> bool:
        """Whether a service may assume the role (a function's role must trust lambda.amazonaws.com), for the role's own account."""
        role = self.role(role_arn)
        if role is None:
            return False
        context = {} if service in _SILENT_SERVICES else {"aws:SourceAccount": role_arn.split(":")[4]}
        return allows_service("trust policy", role.trust, service, "sts:AssumeRole", None, context).allowed


def bucket_decision(document: str, action: str, resource: str) -> Decision:
    """What a bucket's policy says to whoever asks: every client here would use TLS on AWS."""
    return evaluate(parse("bucket policy", document), action, resource, {"aws:SecureTransport": "true"})


def allows_service(
    name: str, document: str | None, service: str, action: str, resource: str | None, context: Mapping[str, str]
) -> Decision:
    """What a resource policy (queue, function, role trust) says to a service principal; no document allows nothing."""
    if not document:
        return Decision(allowed=False)
    return _said_to_service(name, document, service, action, resource, tuple(context.items()))


@lru_cache(maxsize=4096)
def _said_to_service(
    name: str, document: str, service: str, action: str, resource: str | None, context: tuple[tuple[str, str], ...]
) -> Decision:
    spoken_to = [s for s in parse(name, document) if "*" in s.services or service in s.services]
    return evaluate(spoken_to, action, resource, dict(context))


def evaluate(
    statements: Sequence[Statement], action: str, resource: str | None, context: Mapping[str, str]
) -> Decision:
    """An explicit deny wins, then any allow; no match means no. `resource` None leaves the Resource element out."""
    known = {key.lower(): value for key, value in context.items()}
    hits = [s for s in statements if _applies(s, action, resource, known)]
    denials = tuple(s.sid for s in hits if not s.allow)
    if denials:
        return Decision(allowed=False, denied=True, sids=denials)
    return Decision(allowed=bool(hits), sids=tuple(s.sid for s in hits))


def _applies(statement: Statement, action: str, resource: str | None, context: Mapping[str, str]) -> bool:
    return (
        any(_like(pattern.lower(), action.lower()) for pattern in statement.actions)
        and (resource is None or any(_like(pattern, resource) for pattern in statement.resources))
        and all(_holds(condition, context) for condition in statement.conditions)
    )


def _holds(condition: Condition, context: Mapping[str, str]) -> bool:
    given = context.get(condition.key)
    if condition.operator == _ABSENT:
        return any((value.lower() == "true") == (given is None) for value in condition.values)
    if given is None:
        return condition.operator.startswith("ForAllValues:")  # IAM: vacuously true for an absent key
    compare = _OPERATORS[condition.operator.removeprefix("ForAllValues:")]
    return any(compare(value, given) for value in condition.values)


def _arn_like(pattern: str, arn: str) -> bool:
    # IAM compares the six parts of an ARN one by one: a wildcard does not reach over a colon.
    wanted, given = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(given) and all(_like(p, g) for p, g in zip(wanted, given, strict=True))


_ABSENT = "Null"
"""`{"Null": {key: "true"}}` holds where the call does not carry the key."""
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, given: wanted == given,
    "Bool": lambda wanted, given: wanted.lower() == given.lower(),
    "StringLike": lambda wanted, given: _like(wanted, given),
    "ArnLike": _arn_like,
    "ArnEquals": _arn_like,  # the same as ArnLike, as IAM documents
}


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern), re.DOTALL)


def _like(pattern: str, value: str) -> bool:
    return _glob(pattern).fullmatch(value) is not None


@lru_cache(maxsize=1024)
def parse(name: str, text: str) -> tuple[Statement, ...]:
    """The statements of a document; `name` says in errors and Sids where it hangs."""
    statements = json.loads(text).get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    return tuple(_statement(f"{name}[{i}]", raw) for i, raw in enumerate(listed))


def _statement(where: str, raw: Mapping[str, Any]) -> Statement:
    unknown = sorted(set(raw) - _ELEMENTS)
    if unknown:
        raise UnsupportedPolicy(f"{where}: the sandbox does not evaluate {', '.join(unknown)}. Write it without.")
    resources = _texts(raw.get("Resource", []))
    variables = [r for r in resources if "${" in r]
    if variables:
        raise UnsupportedPolicy(
            f"{where}: policy variables are not evaluated, got {variables[0]!r}. Name the resource."
        )
    return Statement(
        sid=raw.get("Sid") or where,
        allow=raw["Effect"] == "Allow",
        actions=_texts(raw["Action"]),
        resources=resources,
        services=_services(raw.get("Principal")),
        conditions=_conditions(where, raw.get("Condition", {})),
    )


def _conditions(where: str, raw: Mapping[str, Mapping[str, Any]]) -> tuple[Condition, ...]:
    conditions = [
        Condition(operator, key.lower(), _texts(values))
        for operator, keys in raw.items()
        for key, values in keys.items()
    ]
    for condition in conditions:
        if condition.operator.removeprefix("ForAllValues:") not in (*_OPERATORS, _ABSENT):
            raise UnsupportedPolicy(
                f"{where}: condition operator {condition.operator} is not evaluated in the sandbox "
                f"(known: {', '.join((*_OPERATORS, _ABSENT))}). Add it to sluice/sandbox/cloud/iam.py."
            )
        if condition.key not in KNOWN_KEYS:
            raise UnsupportedPolicy(
                f"{where}: no call in the sandbox carries the condition key {condition.key!r}. "
                "Give it in sluice/sandbox/cloud/actions.py and add it to KNOWN_KEYS."
            )
    return tuple(conditions)


def _services(principal: Any) -> tuple[str, ...]:
    if principal == "*":
        return ("*",)
    return _texts(principal.get("Service", [])) if isinstance(principal, dict) else ()


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(str(v) for v in value)
