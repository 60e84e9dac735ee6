"""The rules as a pack of Pulumi's: what comes over the wire made plain, what is found reported. All are mandatory by default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from sluice_compliance.resources import UNKNOWN, Resource, Stack
from sluice_compliance.rule import ResourceRule, Rule, StackRule
from sluice_compliance.rules import RULES

NAME = "sluice"


def serve() -> None:
    """Starts the analyzer's server and stays until it is killed, as Pulumi expects."""
    PolicyPack(NAME, policies(), EnforcementLevel.MANDATORY)


def policies() -> list[Policy]:
    return [_resource_policy(rule) if isinstance(rule, ResourceRule) else _stack_policy(rule) for rule in RULES]


def _resource_policy(rule: ResourceRule) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for message in rule.faults(_checked(args), args.get_config()):
            report(message, None)

    return ResourceValidationPolicy(rule.name, rule.description, validate, config_schema=_schema(rule))


def _stack_policy(rule: StackRule) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        stack = Stack([_standing(resource) for resource in args.resources])
        for fault in rule.faults(stack, args.get_config()):
            report(fault.message, fault.urn)

    return StackValidationPolicy(rule.name, rule.description, validate, config_schema=_schema(rule))


def _schema(rule: Rule) -> PolicyConfigSchema | None:
    if not rule.parameters:
        return None
    return PolicyConfigSchema(
        {p.name: {**p.schema, "description": p.meaning, "default": p.default} for p in rule.parameters}
    )


def _checked(args: ResourceValidationArgs) -> Resource:
    """Before it is made: inputs and options, and nothing of what it depends on."""
    return Resource(
        type=args.resource_type,
        name=args.name,
        properties=_plain(args.props),
        urn=args.urn,
        protect=args.opts.protect,
        ignore_changes=frozenset(args.opts.ignore_changes),
        delete_before_replace=bool(args.opts.delete_before_replace),
    )


def _standing(resource: PolicyResource) -> Resource:
    """As it stands in the stack: outputs, options, and what it depends on."""
    return Resource(
        type=resource.resource_type,
        name=resource.name,
        properties=_plain(resource.props),
        urn=resource.urn,
        protect=resource.opts.protect,
        ignore_changes=frozenset(resource.opts.ignore_changes),
        delete_before_replace=bool(resource.opts.delete_before_replace),
        dependencies=frozenset(other.urn for other in resource.dependencies),
        references={
            name: frozenset(other.urn for other in others) for name, others in resource.property_dependencies.items()
        },
    )


def _plain(value: Any) -> Any:
    """Pulumi's proxies raise at a value that is not known yet; the rules have a word for it."""
    if isinstance(value, Mapping):
        return {name: _at(value, name) for name in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_at(value, index) for index in range(len(value))]
    return value


def _at(values: Any, key: Any) -> Any:
    try:
        return _plain(values[key])
    except UnknownValueError:
        return UNKNOWN
