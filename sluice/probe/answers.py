"""What AWS's answers mean to a question: which weights serve, what each slot shows, whether a call was refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from sluice.probe.account import denial
from sluice.schema.facts_document import Refusal


def serves(endpoint: Mapping[str, Any], weights: Mapping[str, float]) -> bool:
    """Whether every current weight is as asked, but for what 32 bits cannot hold."""
    variants = variants_of(endpoint)
    return all(abs(variants[slot]["CurrentWeight"] - weight) < 1e-6 for slot, weight in weights.items())


def variants_of(endpoint: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {variant["VariantName"]: variant for variant in endpoint.get("ProductionVariants", [])}


def refusal(call: Callable[[], object]) -> Refusal:
    """Make a call that may be refused. A missing permission is no answer: it is raised."""
    try:
        call()
    except ClientError as fault:
        if denial(fault) is not None:
            raise
        return Refusal(accepted=False, code=fault.response["Error"]["Code"], message=fault.response["Error"]["Message"])
    return Refusal(accepted=True)
