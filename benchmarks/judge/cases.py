"""What is tried: the policy of the study, the effects of its table, and the worlds, tuned on and not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sluice.forecast.rules import Rail, Rule, Rules
from sluice.forecast.world import Effect, Nature, RateBase

SHARES, BAKE_MIN, BAKE_MAX = (0.01, 0.1, 0.5), (7, 10, 15), (15, 30, 60)
MINUTES = sum(BAKE_MAX)
LAST_STEP_BEGINS = BAKE_MAX[0] + BAKE_MAX[1]
DATA_LAG_MINUTES = 2

ERRORS = Rule("errors", (1.0,), True, 0.4, 1.10, 0.0002, 2.0, 2, 0, 0, Rail(0.05, 2.0), (5.0, 2.5, 1.6))
LATENCY = Rule(
    "latency",
    (0.2, 0.4, 0.4),
    True,
    0.3,
    1.3,
    0.0,
    2.0,
    0,
    5,
    0,
    Rail(0.0, 3.0),
    (2.0, 1.41, 1.41),
    True,
    (0.5, 0.9, 0.99),
)
KPI = Rule("kpi", (1.0,), False, 0.3, 0.97, 0.0, 1.2, 2, 0, 0, None, (0.8, 0.92, 0.95))
RULES = Rules((ERRORS, LATENCY, KPI), len(SHARES), 0.05, 3.0, DATA_LAG_MINUTES, 0, 0)
PLAIN_LATENCY = replace(LATENCY, name="latency", tolerate_ratio=1.0)
"""What rivals look at: requests over stable's usual quantiles, and over twice them, on both sides."""

KPI_RATE = 0.10


@dataclass(frozen=True, slots=True)
class Case:
    """One column of the table. `study` is the study's (P(rollback), minutes); minutes count from when the harm begins."""

    name: str
    effect: Effect = field(default_factory=Effect)
    error_rate: float = 0.002
    incident: bool = False
    study: tuple[float, int | None] = (0.0, None)

    @property
    def harmful(self) -> bool:
        return self.effect != Effect()


HARM = (
    Case("errors .2 -> .4 %", Effect({"errors": 2.0}), 0.002, study=(100, 23)),
    Case("errors 1 -> 5 %", Effect({"errors": 5.0}), 0.01, study=(100, 5)),
    Case("errors -> 50 %", Effect({"errors": 50.0}), 0.01, study=(100, 1)),
    Case("latency x2", Effect(latency=2.0), study=(100, 8)),
    Case("tail only", Effect(slow_share=0.03, slow_factor=4.0), study=(100, 23)),
    Case("KPI -10 %", Effect({"kpi": 0.9}), study=(100, 26)),
    Case("KPI -30 %", Effect({"kpi": 0.7}), study=(100, 10)),
    Case("late, at 50 %", Effect({"errors": 10.0}, begins=LAST_STEP_BEGINS), 0.002, study=(100, 3)),
    Case("drift", Effect({"errors": 5.0}, ramp=60), 0.01, study=(100, 30)),
)
HARMLESS = (Case("A/A"), Case("shared incident", incident=True))
TRAFFICS = (1.0, 20.0, 500.0, 5000.0)
TABLE_RPS = 500.0

WORLDS = {
    "as tuned": Nature(),
    "errors in bursts of 3": Nature(cluster=3.0),
    "noise that lasts, doubled": Nature(noise=0.1, outcome_noise=0.02, latency_noise=0.04),
    "slower noise (0.95 a minute)": Nature(persistence=0.95),
    "cold start of 3 minutes, twice as slow": Nature(cold_latency=2.0, cold_minutes=1.5),
    "identical variants differ by 5 %": Nature(identical=0.05),
    "traffic swings by 80 %": Nature(daily=0.8),
}


def rates(case: Case) -> dict[str, RateBase]:
    """The good times of a case."""
    return {"errors": RateBase(case.error_rate), "kpi": RateBase(KPI_RATE, cluster=1.0, is_outcome=True)}
