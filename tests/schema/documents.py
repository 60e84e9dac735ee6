"""Documents to try out: valid ones to start from, and strategies for what may come instead. Every run tries the same."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

PROPERTY = settings(derandomize=True, deadline=None, database=None, max_examples=200)
SLOW_PROPERTY = settings(PROPERTY, max_examples=50)
"""For values that take long to make up."""

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
KEYS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn, document: Any) -> Any:
    """A copy of a JSON document in which one to three things were replaced, removed or added."""
    changed = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(changed))
        holder, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(("replace", "remove", "add"))):
            case "replace":
                holder[key] = draw(JSON)
            case "remove":
                del holder[key]
            case "add" if isinstance(holder, dict):
                holder[draw(KEYS)] = draw(JSON)
            case _:
                holder.insert(key, draw(JSON))
        if not any(_places(changed)):
            break
    return changed


def _places(document: Any) -> Any:
    """Every container of the document with every key or index in it."""
    entries = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in entries:
        yield document, key
        yield from _places(value)


def release_document(**changes: Any) -> dict[str, Any]:
    """A release as its file holds it."""
    return {
        "schema": 1,
        "name": "v1",
        "model_package": "arn:aws:sagemaker:us-east-1:123456789012:model-package/triage/3",
        "artifact": {"url": "s3://models/v1/model.tar.gz", "sha256": "a" * 64},
        "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/serve@sha256:" + "c" * 64,
        "environment": {"SAGEMAKER_PROGRAM": "inference.py"},
        "contract": "1",
        "instance_type": "ml.m5.large",
        "smoke": {"content_type": "text/csv", "accept": "text/csv", "inputs": ["1,2,3"]},
        "metadata": {"training_run": "2026-11-21"},
        **changes,
    }


def policy_document(**changes: Any) -> dict[str, Any]:
    """A rollout policy as its file holds it."""
    return {
        "version": 1,
        "steps": [{"weight": 10, "bake": {"min": "5m", "max": "15m"}}, {"weight": 100}],
        "min_samples": 100,
        "soak": "1h",
        "metrics": {
            "errors": {
                "kind": "rate",
                "events": "Invocation5XXErrors",
                "trials": "Invocations",
                "rail": {"rate": "5%", "versus_stable": 2.0},
            },
            "latency": {"kind": "quantiles", "metric": "ModelLatency", "rail": {"versus_stable": 3.0}},
        },
        **changes,
    }
