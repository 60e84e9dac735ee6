"""All rules of the pack: what each is called, what it asks for, what it can be told."""

from __future__ import annotations

from typing import Final

from sluice_compliance.alarms import missing_data_chosen
from sluice_compliance.endpoints import bootstrap_left_alone, endpoint_protected
from sluice_compliance.iam import no_wildcard_iam
from sluice_compliance.rollback_path import rollback_path_complete
from sluice_compliance.rule import Parameter, ResourceRule, Rule, StackRule, names, reasons
from sluice_compliance.stores import KINDS, buckets_private, data_captured, stores_encrypted
from sluice_compliance.weights import OWNERS, weights_left_to_sluice

RULES: Final[tuple[Rule, ...]] = (
    ResourceRule(
        "endpoint-protected",
        "Protect every SageMaker endpoint and ignore changes of its endpointConfigName: the control plane moves it, the program must not.",
        endpoint_protected,
        (names("exempt", "endpoints that are not production"),),
    ),
    ResourceRule(
        "bootstrap-left-alone",
        "Let every model and endpoint configuration of the program ignore all changes: either may be live.",
        bootstrap_left_alone,
        (names("exempt", "models and configurations, by name in the program, that no endpoint of Sluice uses"),),
    ),
    StackRule(
        "rollback-path-complete",
        "Give every production endpoint its whole way back before it gets a release: alarms, queue, function, sweep, clock, table, guard.",
        rollback_path_complete,
        (names("exempt", "endpoints that are not production"),),
    ),
    ResourceRule(
        "weights-left-to-sluice",
        "Leave traffic to the control plane: no second variant, no permission and no call that moves an endpoint elsewhere.",
        weights_left_to_sluice,
        (
            Parameter(
                "owners",
                "component types whose resources may move traffic",
                list(OWNERS),
                {"type": "array", "items": {"type": "string"}},
            ),
            names("reviewed", "resources, by name in the program, that somebody has looked into"),
        ),
    ),
    ResourceRule(
        "missing-data-chosen",
        "Say on every alarm what missing data means.",
        missing_data_chosen,
    ),
    ResourceRule(
        "no-wildcard-iam",
        "Name actions, resources and principals in what is allowed.",
        no_wildcard_iam,
        (
            reasons(
                "anyResource", "actions that have no resource level, each with the reason; added to the pack's own list"
            ),
            reasons("managedPolicies", "AWS's own policies that may be used, each with the reason"),
            reasons(
                "publicPermissions", "Lambda permissions for everybody, by name in the program, each with the reason"
            ),
        ),
    ),
    ResourceRule(
        "data-captured",
        "Capture what endpoints are asked and what they answer.",
        data_captured,
        (
            Parameter(
                "minimumPercent",
                "how much is captured at least",
                1,
                {"type": "number", "minimum": 0, "maximum": 100},
            ),
            Parameter("customerKey", "whether the volumes need a KMS key of yours", False, {"type": "boolean"}),
        ),
    ),
    StackRule(
        "stores-encrypted",
        "Encrypt buckets, queues and tables.",
        stores_encrypted,
        (
            Parameter(
                "customerKeys",
                f"kinds that need a KMS key of yours: {', '.join(KINDS)}",
                [],
                {"type": "array", "items": {"type": "string", "enum": list(KINDS)}},
            ),
        ),
    ),
    StackRule("buckets-private", "Block public access to every bucket.", buckets_private),
)


def table() -> str:
    """The rules in Markdown, as the pack's README shows them."""
    rows = [f"| `{rule.name}` | {rule.description} | {_told(rule)} |" for rule in RULES]
    return "\n".join(["| rule | what to do | parameters |", "|---|---|---|", *rows])


def _told(rule: Rule) -> str:
    return "; ".join(f"`{parameter.name}`: {parameter.meaning}" for parameter in rule.parameters)
