"""The policy that the tests of the forecast are about: three judged metrics, four judged steps."""

from __future__ import annotations

from sluice.core.policy import Policy
from sluice.schema.policy import parse_policy

DOCUMENT = {
    "version": 1,
    "steps": [
        {"weight": 1, "bake": {"min": "7m", "max": "15m"}, "on_inconclusive": "advance",
         "prove": {"errors": 5.0, "latency": 2.0, "conversion": 0.8}},
        {"weight": 10, "bake": {"min": "10m", "max": "30m"}, "on_inconclusive": "advance",
         "prove": {"errors": 2.5, "latency": 1.41, "conversion": 0.92}},
        {"weight": 50, "bake": {"min": "15m", "max": "60m"}, "on_inconclusive": "advance",
         "prove": {"errors": 1.6, "latency": 1.41, "conversion": 0.95}},
        {"weight": 100},
    ],
    "min_samples": 100,
    "soak": "24h",
    "metrics": {
        "errors": {"kind": "rate", "events": "Invocation5XXErrors", "trials": "Invocations", "share": 0.4, "detect": 2.0,
                   "tolerate": {"ratio": 1.10, "absolute": 0.0002}, "rail": {"rate": "5%", "versus_stable": 2.0}},
        "latency": {"kind": "quantiles", "metric": "ModelLatency", "share": 0.3, "tolerate": {"ratio": 1.30},
                    "quantiles": {"p50": 0.2, "p90": 0.4, "p99": 0.4}, "rail": {"versus_stable": 3.0}},
        "conversion": {"kind": "rate", "events": "Conversions", "trials": "Exposures", "namespace": "Shop", "bad": "low",
                       "share": 0.3, "tolerate": {"ratio": 0.97}, "detect": 0.9},
    },
}  # fmt: skip


EVERYTHING = {
    **DOCUMENT["metrics"],  # type: ignore[dict-item]
    "conversion": {**DOCUMENT["metrics"]["conversion"], "share": 0.1},  # type: ignore[index]
    "accuracy": {"kind": "rate", "events": "Wrong", "trials": "Labelled", "namespace": "Shop", "share": 0.1,
                 "tolerate": {"ratio": 1.1}, "segment": "country"},
    "revenue": {"kind": "mean", "count": "Orders_n", "sum": "Orders_sum", "sumsq": "Orders_sumsq", "namespace": "Shop",
                "bad": "low", "tolerate": {"ratio": 0.97}, "share": 0.05, "detect": 0.8},
    "cost": {"kind": "mean", "count": "Cost_n", "sum": "Cost_sum", "sumsq": "Cost_sumsq", "namespace": "Shop", "bad": "high",
             "tolerate": {"ratio": 1.03}, "share": 0.05, "lag": "3m"},
    "saturation": {"kind": "level", "metric": "GPUUtilization", "bad": "high", "rail": {"level": 90, "for": "5m"}},
}  # fmt: skip


def with_everything() -> Policy:
    """Means, a level, and a rate by segment besides; the second step has to prove revenue, the third both means."""
    steps = [dict(step) for step in DOCUMENT["steps"]]  # type: ignore[attr-defined]
    steps[1]["prove"] = {**steps[1]["prove"], "revenue": 0.8}
    steps[2]["prove"] = {**steps[2]["prove"], "revenue": 0.9, "cost": 1.1, "accuracy": 1.6}
    return parse_policy({**DOCUMENT, "steps": steps, "metrics": EVERYTHING}, "policies.py")


def with_kpi() -> Policy:
    return parse_policy(DOCUMENT, "policies.py")
