"""Who moves traffic: the control plane, and nobody else in the stack."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Iterator
from typing import Final

from sluice_compliance import documents
from sluice_compliance.resources import CONFIGURATION, UNKNOWN, Resource, items, look, texts

OWNERS: Final = ("sluice:infra:ControlPlane",)
"""The components whose roles may move traffic."""
_MOVES: Final = ("sagemaker:updateendpoint", "sagemaker:updateendpointweightsandcapacities")
_CALL: Final = re.compile(r"updateendpointweightsandcapacities|sagemaker\W{0,4}updateendpoint(?!s)")
"""In text without case, blanks, dashes and underscores: as botocore, the AWS command line, Step Functions and templates write it."""
_DYNAMIC: Final = re.compile(r"pulumi-(nodejs|python):dynamic[:/]")


def weights_left_to_sluice(
    resource: Resource, *, owners: Collection[str] = OWNERS, reviewed: Collection[str] = ()
) -> Iterator[str]:
    """Several variants in a configuration, a permission to move traffic, a call in a command, a template, a state machine."""
    if resource.type == CONFIGURATION:
        yield from _configuration_faults(resource)
    if resource.name in reviewed or set(owners) & set(resource.within):
        return
    if documents.holds_documents(resource):
        yield from _permission_faults(resource)
    elif any(_CALL.search(re.sub(r"[\s_-]", "", text).lower()) for text in texts(resource.properties)):
        yield (
            f"{resource.name!r} ({resource.type}) calls SageMaker's UpdateEndpoint or UpdateEndpointWeightsAndCapacities. Weights "
            "set beside a rollout pause it and are judged by nobody: submit a release, or use `sluice rollback`."
        )
    if _DYNAMIC.match(resource.type):
        yield (
            f"{resource.name!r} is a dynamic resource, whose code a policy cannot see. If it moves no traffic, list it in the "
            "configuration of this policy: `reviewed: [<name>]`."
        )


def _configuration_faults(configuration: Resource) -> Iterator[str]:
    """A single variant has all traffic whatever its weight; a fraction shows a difference on every run, 0 serves nobody."""
    variants = items(configuration.get("productionVariants"))
    if len(variants) > 1:
        yield (
            f"endpoint configuration {configuration.name!r} splits traffic over {len(variants)} variants by itself. Register the "
            "first slot only: the control plane makes the configuration with the second one, at weight 0."
        )
    for variant in variants:
        weight = look(variant, "initialVariantWeight")
        if weight is not UNKNOWN and weight is not None and (weight < 1 or weight != int(weight)):
            yield (
                f"endpoint configuration {configuration.name!r}: initialVariantWeight {weight:g} of a first variant. Leave it out "
                "or write 1; shares are set by rollouts."
            )


def _permission_faults(resource: Resource) -> Iterator[str]:
    try:
        statements = list(documents.allowing(resource))
    except ValueError:
        return  # said by no-wildcard-iam
    granted = {action for statement in statements for action in documents.actions(statement)}
    moving = sorted(a for a in granted if any(fnmatch.fnmatchcase(move, a.lower()) for move in _MOVES))
    if moving:
        yield (
            f"{resource.name!r} may call {', '.join(moving)}. Only the control plane moves traffic: take the permission away and "
            "let people use `sluice rollback`, which is recorded."
        )
