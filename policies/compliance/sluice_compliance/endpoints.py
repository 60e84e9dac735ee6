"""Endpoints stay, and what they were born with is left alone. Retention on delete is not shown to policies, so it is not checked here."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sluice_compliance.resources import CONFIGURATION, ENDPOINT, MODEL, Resource

EVERYTHING = "*"


def endpoint_protected(endpoint: Resource, *, exempt: Collection[str] = ()) -> Iterator[str]:
    """The control plane moves an endpoint from configuration to configuration; the program must neither follow nor remove it."""
    if endpoint.type != ENDPOINT or endpoint.called in exempt:
        return
    if not endpoint.protect:
        yield (
            f"endpoint {endpoint.called!r} is not protected: a change that replaces it, or taking it out of the program, "
            "would delete what serves. Set the option `protect`."
        )
    if not endpoint.ignore_changes & {"endpointConfigName", EVERYTHING}:
        yield (
            f"endpoint {endpoint.called!r} does not ignore changes of endpointConfigName: `pulumi up` would move it back to the "
            "configuration in the program and reset live weights. Set the option `ignoreChanges: [endpointConfigName]`."
        )


def bootstrap_left_alone(resource: Resource, *, exempt: Collection[str] = ()) -> Iterator[str]:
    """Replacing the pair deletes a model or a configuration that may be live. Ignoring single properties would not do: when
    another property forces replacement, the ignored ones follow along.
    """
    if resource.type not in (MODEL, CONFIGURATION) or resource.name in exempt:
        return
    word = "model" if resource.type == MODEL else "endpoint configuration"
    if EVERYTHING not in resource.ignore_changes:
        yield (
            f"{word} {resource.name!r} follows changes of the program: replacing it deletes what may be live, or what a rollback "
            'returns to. Set the options `ignoreChanges: ["*"]` and `retainOnDelete`; later ones are made by the control plane.'
        )
    if resource.delete_before_replace:
        yield f"{word} {resource.name!r} would be deleted before its replacement exists. Remove `deleteBeforeReplace`."
