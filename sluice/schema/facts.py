"""facts.json, read and judged: what in it contradicts what Sluice's safety rests on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from sluice.schema.facts_document import Facts, FactsDocument
from sluice.schema.faults import validated
from sluice.schema.reading import load

_SLOW_WEIGHTS_SECONDS = 60
"""A rollback's default target is 2 minutes; alarm and event take up to the other half of it."""


def read_facts(path: Path) -> FactsDocument:
    """The facts in a file; raises BadInput with every fault found."""
    return validated(FactsDocument, load(path, str(path)), str(path))


def written_facts(document: FactsDocument) -> str:
    """As a text that reads back equal."""
    return json.dumps(document.model_dump(mode="json", by_alias=True, exclude_none=True), indent=2) + "\n"


def surprises(facts: Facts) -> list[str]:
    """What was seen and is not what the code was written for; each sentence says what it means."""
    return [*_about_endpoints(facts), *_about_metrics(facts)]


def _about_endpoints(facts: Facts) -> Iterator[str]:
    if (calls := facts.weight_call) and calls.answer and max(calls.answer.read_back_seconds) > _SLOW_WEIGHTS_SECONDS:
        slowest = max(calls.answer.read_back_seconds)
        yield f"a weight call took {slowest:.0f} s to serve: raise `rollback.target` in your policies above that and the alarm's minutes"
    if (busy := facts.busy_call) and busy.answer and not busy.answer.recognised:
        said = busy.answer.message or "the call was accepted"
        yield f"a call to a busy endpoint is not recognised as busy ({said!r}): a rollback would page instead of trying again; report this"
    if (zero := facts.zero_weights) and zero.answer and zero.answer.accepted:
        yield "SageMaker accepts weights that are all zero: nothing but Sluice itself keeps an endpoint from serving nobody"
    if (small := facts.small_weights) and small.answer and small.answer.kept_as == "otherwise":
        yield "weights are not read back as asked, not even as 32-bit floats: small steps may be more or less than the policy says"
    if (added := facts.add_slot) and (answer := added.answer):
        if not (answer.weight_kept and answer.count_kept):
            yield "RetainAllVariantProperties did not keep live weights and counts: do not start a rollout on an endpoint with traffic"
        if answer.new_weight:
            yield f"a new slot came up with weight {answer.new_weight:g} instead of 0: do not start a rollout on an endpoint with traffic"
    if (guarded := facts.guarded_update) and guarded.answer and not guarded.answer.endpoint_kept:
        yield "an update with a rollback alarm made another endpoint: keep DeploymentConfig out of every program"


def _about_metrics(facts: Facts) -> Iterator[str]:
    if (counts := facts.trimmed_counts) and counts.answer and not (counts.answer.answered and counts.answer.adds_up):
        yield (
            "trimmed counts on ModelLatency do not answer or do not add up: quantile metrics cannot be judged from CloudWatch here; "
            "give them a `histogram`, which the application records"
        )
    if (math := facts.metric_math) and (answer := math.answer):
        if answer.guard_on_empty == "goes_off":
            yield "a guard on an empty series goes off: slot alarms would fire when stable has no data; report this"
        if answer.divided_by_zero == "kept":
            yield "division by zero leaves a data point: slot alarms may fire without requests; report this"
