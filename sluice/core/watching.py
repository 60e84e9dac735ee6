"""What the phases that carry traffic have in common: alarms and judge looked at first, and people's weights respected."""

from __future__ import annotations

from dataclasses import replace

from sluice.core.blame import Attribution, Blame, attribute
from sluice.core.decision import BAKE_SECONDS, Decision, enter, live, page
from sluice.core.head import Head
from sluice.core.holding import harm
from sluice.core.judge import Judgement, Verdict, judge
from sluice.core.observation import Observation
from sluice.core.revert import roll_back
from sluice.core.rollout import Phase, Rollout, Shift
from sluice.core.rows import asked, seen_applied
from sluice.core.weights import WHOLE, percent_text

MOST_CHANGES = 20
"""Each starts the step's bake anew, so without an end to them the rollout would have none."""


def watched(head: Head, seen: Observation, now: int) -> Decision | tuple[Attribution, Judgement]:
    """The way back if an alarm or the judge blames the canary, else what both of them say."""
    rollout = live(head)
    blamed = by_alarms(head, seen, now)
    if isinstance(blamed, Decision):
        return blamed
    judgement = judge(rollout.policy, seen.rows, rollout.step)
    return harm(head, judgement, now) if judgement.verdict is Verdict.ROLL_BACK else (blamed, judgement)


def by_alarms(head: Head, seen: Observation, now: int) -> Decision | Attribution:
    """The rollback if an alarm blames the canary, else what the alarms mean."""
    rollout = live(head)
    attribution = attribute(_as_it_serves(rollout, seen), seen.alarms)
    if attribution.blame is Blame.CANARY:
        return roll_back(head, now, "tick", attribution.because, harmful=True)
    return attribution


def _as_it_serves(rollout: Rollout, seen: Observation) -> Rollout:
    """A person who gave the canary everything left nothing to compare it with: then its rails count, as in a soak."""
    alone = seen.endpoint.parts.get(rollout.to_slot) == WHOLE
    return replace(rollout, canary_parts=WHOLE) if alone else rollout


def pause_for_people(head: Head, seen: Observation, now: int) -> Decision:
    """Stop where somebody set other weights, and say so to people; never fought. Whoever goes on changing them ends the rollout."""
    rollout = live(head)
    found = seen.endpoint.parts.get(rollout.to_slot, 0)
    if len(rollout.shifts) - (rollout.step + 1) >= MOST_CHANGES:
        cause = f"somebody changed the weights {MOST_CHANGES} times and once more: this endpoint is steered by somebody else"
        return roll_back(head, now, "tick", cause, harmful=False)
    because = (
        f"paused: the canary is at {percent_text(found)}, not at the {percent_text(rollout.canary_parts)} asked for; "
        "somebody changed the weights, and Sluice does not fight people"
    )
    told = page(head, f"{head.endpoint}: rollout paused", because)
    unknown = asked(rollout.shifts, rollout.step, rollout.canary_parts, now)
    return enter(head, Phase.PAUSED, now, because, BAKE_SECONDS, told, shifts=unknown)


def applied(rollout: Rollout, now: int) -> tuple[Shift, ...]:
    """The weights in force since now, for the rows of the judge."""
    return seen_applied(rollout.shifts, rollout.step, rollout.canary_parts, now)
