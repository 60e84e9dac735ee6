"""Rollouts with a name: what is wrong with the release, or with the world, in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from sluice.core.policy import Policy
from sluice.forecast.forecast import first_error_rate
from sluice.forecast.from_policy import rules_of
from sluice.forecast.world import Effect, Incident


@dataclass(frozen=True, slots=True)
class Scenario:
    """`errors` and `outcomes` are factors on the first error rate and on every rate or mean whose fall is bad.

    Minutes count from the canary's first request; `incident` is (first minute, minutes).
    """

    about: str
    errors: float = 1.0
    outcomes: float = 1.0
    effect: Effect = field(default_factory=Effect)
    incident: tuple[int, int] | None = None

    def effect_on(self, policy: Policy) -> Effect:
        """The effect in terms of the policy's metrics."""
        rates = {rule.name: self.outcomes for rule in rules_of(policy).metrics if not rule.bad_high}
        errors = first_error_rate(policy)
        if errors is not None:
            rates[errors] = self.errors
        given = self.effect
        means = {rule.name: self.outcomes for rule in rules_of(policy).means if not rule.bad_high}
        return replace(given, rates=rates, means=means)

    def trouble(self) -> Incident | None:
        if self.incident is None:
            return None
        return Incident(np.array([float(self.incident[0])]), np.array([float(self.incident[1])]))


SCENARIOS: Mapping[str, Scenario] = {
    "good": Scenario("nothing is wrong: the same model again"),
    "errors-double": Scenario("every error happens twice as often", errors=2.0),
    "errors-x5": Scenario("errors are five times as frequent", errors=5.0),
    "fails": Scenario("about half of all requests fail", errors=250.0),
    "slow": Scenario("everything takes twice as long", effect=Effect(latency=2.0)),
    "slow-tail": Scenario("3 % of requests take four times as long", effect=Effect(slow_share=0.03)),
    "worse-answers": Scenario("no errors, but people use the answers 20 % less", outcomes=0.8),
    "late": Scenario("errors are ten times as frequent from minute 40 on", errors=10.0, effect=Effect(begins=40)),
    "drift": Scenario("errors rise slowly, to five times within an hour", errors=5.0, effect=Effect(ramp=60)),
    "incident": Scenario("both slots fail and are slow for ten minutes, and nobody is to blame", incident=(9, 10)),
    "long-incident": Scenario("the same for forty minutes", incident=(9, 40)),
}
