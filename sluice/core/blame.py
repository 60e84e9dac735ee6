"""Attribution: what the states of the alarms mean for the live rollout. Who is blamed is decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sluice.core.observation import AlarmFacts
from sluice.core.rollout import Rollout
from sluice.core.weights import WHOLE


class Blame(StrEnum):
    """Nobody; nobody that can be named, so stay; the canary, so go back."""

    NOBODY = "nobody"
    UNCLEAR = "unclear"
    CANARY = "canary"


@dataclass(frozen=True, slots=True)
class Attribution:
    """The blame and the sentence for it. `incident` says that stable is unwell too."""

    blame: Blame
    because: str
    incident: bool = False


def alarm_names(rollout: Rollout) -> tuple[str, ...]:
    """Every alarm that is read in every tick: both slots' and the policy's own list."""
    names = [name for slot in rollout.alarms.values() for name in (*slot.relative, *slot.rails)]
    return (*sorted(names), *rollout.policy.alarms)


def attribute(rollout: Rollout, alarms: Mapping[str, AlarmFacts]) -> Attribution:
    """Blame from all alarm states, strongest first: the canary, then reasons to stay, then nobody."""
    seen = [alarms.get(name) or AlarmFacts(name, None, 0) for name in _watched(rollout)]
    verdicts = [_one(rollout, alarm) for alarm in seen]
    for blame in (Blame.CANARY, Blame.UNCLEAR):
        found = [verdict for verdict in verdicts if verdict.blame is blame]
        if found:
            return Attribution(blame, found[0].because, any(verdict.incident for verdict in found))
    return Attribution(Blame.NOBODY, "all alarms are OK")


def attribute_firing(rollout: Rollout, name: str, since: int) -> Attribution:
    """Blame for one alarm known to be in ALARM since then: what an event says, before anything else is read."""
    return _one(rollout, AlarmFacts(name, "ALARM", since))


def _watched(rollout: Rollout) -> Iterable[str]:
    """With all traffic on the canary, stable's alarms have nothing to say."""
    if rollout.canary_parts == WHOLE:
        own = rollout.alarms[rollout.to_slot]
        return (*own.relative, *own.rails, *rollout.policy.alarms)
    return alarm_names(rollout)


def _one(rollout: Rollout, alarm: AlarmFacts) -> Attribution:
    if not alarm.can_judge:
        why = "does not exist" if alarm.state is None else f"cannot be evaluated ({alarm.evaluation_state})"
        return Attribution(Blame.UNCLEAR, f"alarm {alarm.name} {why}: cannot judge")
    if alarm.state == "INSUFFICIENT_DATA":
        return Attribution(Blame.UNCLEAR, f"alarm {alarm.name} has not been evaluated yet: cannot judge")
    if not alarm.is_firing:
        return Attribution(Blame.NOBODY, f"alarm {alarm.name} is OK")
    return _firing(rollout, alarm)


def _firing(rollout: Rollout, alarm: AlarmFacts) -> Attribution:
    own, stables = rollout.alarms[rollout.to_slot], rollout.alarms[rollout.from_slot]
    if rollout.first_exposure_at is None:
        return Attribution(Blame.UNCLEAR, f"alarm {alarm.name} is in ALARM and the canary has had no traffic yet")
    if alarm.name in (*stables.relative, *stables.rails):
        return Attribution(
            Blame.UNCLEAR, f"alarm {alarm.name} of stable is in ALARM: not the canary's doing", incident=True
        )
    if alarm.since < rollout.first_exposure_at:
        return Attribution(Blame.UNCLEAR, f"alarm {alarm.name} was in ALARM before the canary had traffic")
    if alarm.name in own.relative or alarm.name in rollout.policy.alarms:
        return Attribution(Blame.CANARY, f"alarm {alarm.name} went off")
    if alarm.name in own.rails:
        if rollout.canary_parts == WHOLE:
            return Attribution(
                Blame.CANARY, f"alarm {alarm.name} went off and no stable traffic is left to compare with"
            )
        return Attribution(
            Blame.UNCLEAR,
            f"alarm {alarm.name} is over its absolute rail, and no alarm says that the canary is worse than stable",
            incident=True,
        )
    return Attribution(Blame.NOBODY, f"alarm {alarm.name} does not belong to this rollout")
