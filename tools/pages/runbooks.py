"""docs/runbooks.md: each alarm and each phase with what it means and what to type, from the tables the code itself uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.page_alarms import PageAlarm, page_alarms
from infra.place import Place
from infra.resource_names import Names
from sluice.cli.text import ICONS
from sluice.core.conditions import ApprovalThen, OnNewRelease
from sluice.core.obstacles import Kind
from sluice.core.outlook import lasting
from sluice.core.prepare import PREPARE_SECONDS, REHEARSE_SECONDS
from sluice.core.revert import GIVE_UP_SECONDS, OVERDUE_SECONDS, VERIFY_SECONDS
from sluice.core.rollout import Phase
from sluice.core.steps import SHIFT_SECONDS
from sluice.schema import DrillSpec
from tools.pages.blocks import table

_NAMES = Names("PROJECT", "STACK", Place("aws", "REGION", "ACCOUNT"), None)


@dataclass(frozen=True, slots=True)
class PhaseGuide:
    """What a phase means, for how long at most and what then, and what to do in it."""

    means: str
    longest: str
    do: tuple[str, ...]


_STOP = "`sluice abort NAME --reason WHY` gives stable everything, in seconds."
_HARM = "`sluice rollback NAME --reason WHY`: takes it back and quarantines it."

PHASES: Mapping[Phase, PhaseGuide] = {
    Phase.PENDING: PhaseGuide(
        "Submitted, its clock has not looked yet.",
        "a minute or two; the sweep starts a clock that is missing",
        ("`sluice status NAME`: still pending after five minutes means that neither clock nor sweep runs, see [overdue](#overdue).", _STOP),
    ),
    Phase.PREPARING: PhaseGuide(
        "SageMaker builds the slot at weight 0; then the release's own samples are sent to it.",
        f"{lasting(PREPARE_SECONDS)}, then it is taken back",
        ("Nothing serves from it yet: there is no hurry.", "`sluice status NAME` says what is waited for. Capacity or image errors stand in the endpoint's log group `/aws/sagemaker/Endpoints/NAME`.", _STOP),
    ),
    Phase.REHEARSING: PhaseGuide(
        "The canary's alarm was set off on purpose, to prove the way back before a request is risked.",
        f"{lasting(REHEARSE_SECONDS)}, then it is taken back",
        ("A rehearsal that is not answered is a broken way back: look at [alarm-stuck](#alarm-stuck) and [alarm-errors](#alarm-errors) before the next release.", _STOP),
    ),
    Phase.SHIFTING: PhaseGuide(
        "A higher weight was asked for and is not seen yet.",
        f"{lasting(SHIFT_SECONDS)}, then it is taken back",
        ("`sluice status NAME` shows the weight asked for and the actual one.", _STOP),
    ),
    Phase.BAKING: PhaseGuide(
        "The canary serves its step's weight and is judged every minute.",
        "the step's longest bake, then what the policy's `on_inconclusive` says; at most `max_hold` after that",
        (
            "`sluice status NAME` says why it waits and what comes next, `sluice explain NAME` what each metric was judged by.",
            "`latency not compared: requests are seen`: CloudWatch answers no trimmed counts here. Give the latency a `histogram` (configuration.md), which the application records (`Outcomes.latency` of `sluice.client`).",
            "`latency not compared: ... the application recorded`: its histogram misses requests or has some twice. It needs one latency for each answer, of every process.",
            "`sluice report NAME -o report.html` shows the evidence.",
            _HARM,
            _STOP,
        ),
    ),
    Phase.AWAITING_APPROVAL: PhaseGuide(
        "The evidence for the next step is there, and the policy wants a person to agree. Everything that takes it back stays armed.",
        "the step's `approval.timeout`, then what its `then` says: taken back, or held for at most `max_hold`",
        ("`sluice explain NAME` shows what there is to agree to.", "`sluice approve NAME --reason WHY`, by somebody the policy names and not by whoever submitted the release. Where links are turned on and the policy says `link`: by the one that was sent ([notifications](notifications.md#signed-links)).", _HARM, _STOP),
    ),
    Phase.PAUSED: PhaseGuide(
        "A person paused it, or changed the weights elsewhere. Sluice does not fight people.",
        "the policy's `max_hold`, then it is taken back",
        ("`sluice history NAME --limit 5` says who or what paused it.", "If a person paused it: `sluice resume NAME --reason WHY`.", "If somebody changed weights in the console: put them back to the weight asked for, and it goes on by itself.", _HARM),
    ),
    Phase.SOAKING: PhaseGuide(
        "Promoted: it serves everything, and the old release stays warm with everything armed.",
        "the policy's `soak`, then it is settled",
        ("It is the champion now; `abort` and `rollback` take it back all the same.", _HARM),
    ),
    Phase.SETTLED: PhaseGuide(
        "Over and good.",
        "for ever",
        ("To go back now: `sluice rollback NAME --to RELEASE --reason WHY`; in seconds while the older release is warm.",),
    ),
    Phase.ROLLING_BACK: PhaseGuide(
        "The decision to go back is made and stays. The weights are asked for every few seconds until they are seen.",
        f"pages after {lasting(OVERDUE_SECONDS)}, fails after {lasting(GIVE_UP_SECONDS)}",
        (
            "Nothing to type: it goes on by itself, also when the endpoint is busy.",
            "Longer than two minutes: `sluice status NAME` says what the endpoint is doing. While SageMaker updates or scales it, no weight is taken.",
            "By hand, if Sluice itself is down: `aws sagemaker update-endpoint-weights-and-capacities --endpoint-name NAME --desired-weights-and-capacities VariantName=STABLE,DesiredWeight=1 VariantName=CANARY,DesiredWeight=0`.",
        ),
    ),
    Phase.VERIFYING: PhaseGuide(
        "Stable has all traffic back; its own health is looked at.",
        f"{lasting(VERIFY_SECONDS)}; an alarm of stable pages",
        ("If stable is unwell too, it was not the release: look for what both share.",),
    ),
    Phase.ROLLED_BACK: PhaseGuide(
        "Over; stable serves. A release that did harm is quarantined for the policy's cool-down.",
        "for ever",
        ("`sluice report NAME -o report.html`: the whole story as a page, for the postmortem.", "A fix is a new release. The same release again needs another `nonce`, and is refused while it is quarantined."),
    ),
    Phase.FAILED: PhaseGuide(
        "It could not be ended safely by itself. A person is needed.",
        "for ever",
        ("`sluice history NAME --limit 10` says what was tried.", "Compare `sluice status NAME` with the console: which slot serves, at which weight? Set the weights by hand as under [rolling back](#rolling-back)."),
    ),
}  # fmt: skip

ALARMS: Mapping[str, tuple[str, ...]] = {
    "dead-letter": (
        "`sluice status NAME` for every endpoint with a live rollout: is the canary where it should be? If it does harm: `sluice rollback NAME --reason WHY`.",
        f"Read the message: `aws sqs receive-message --queue-url $(aws sqs get-queue-url --queue-name {_NAMES.dead_letter_queue} --query QueueUrl --output text)`. An alarm event's body names the alarm; a stream's batch info means that audit events were not archived: `sluice verify NAME` names them. A letter with `notices` in it was told to nobody: read it, you are who is told; `aws logs tail {_NAMES.log_group('notify')} --since 1h` says why.",
        "Delete the message when it is understood: the alarm stays on until the queue is empty.",
    ),
    "alarm-stuck": (
        "`sluice status NAME`: is the endpoint busy? Then every delivery is refused until SageMaker is done, and the way back goes through by itself after that.",
        f"Not busy: `aws logs tail {_NAMES.log_group('alarm')} --since 30m` says why it fails.",
    ),
    "alarm-errors": (
        f"`aws logs tail {_NAMES.log_group('alarm')} --since 30m`.",
        "After a deployment: deploy the version before. Until then the tick and the sweep take a harmful canary back, a minute later than the alarm would.",
    ),
    "overdue": (
        f"`aws logs tail {_NAMES.log_group('sweep')} --since 30m`: the sweep restarts lost clocks every minute and says what keeps it from it.",
        f"`aws stepfunctions list-executions --state-machine-arn {_NAMES.machine_arn} --status-filter RUNNING`: one execution for each live rollout.",
        "Nobody looks, so nobody goes on either. If you do not trust what serves: `sluice rollback NAME --reason \"nobody looks\"`.",
    ),
    "tampered": (
        "`sluice verify NAME` for every endpoint names what was changed or deleted, and what the locked archive has instead.",
        f"CloudTrail says who: look for PutItem, UpdateItem, DeleteItem and TransactWriteItems on table {_NAMES.table}. Only the control functions' roles should be there.",
        "Do not repair the table by hand: that is another change. Decide with whoever owns the audit; rollouts go on meanwhile.",
    ),
    "unread": (
        f"`aws logs tail {_NAMES.log_group('archive')} --since 30m` says what keeps it: the bucket, the queue of letters, a permission, or code that fails.",
        "Rollouts and ways back go on by themselves; only the telling is late. Until it works you are who looks: `sluice status` for every endpoint.",
        "After a deployment: deploy the version before. What lies there is read in order once it works, and everybody is told then; after a day it is given up to the [dead-letter](#dead-letter) queue.",
    ),
    "drill-too-old": (
        f"Which endpoint, and why: `aws logs tail {_NAMES.log_group('sweep')} --since 8d | grep drill` says for each schedule what was drilled and what kept it from it: a rollout, a freeze, a stop.",
        "`sluice history NAME --limit 50` shows `drilled` and `drill_failed`. A failed one also paged: see `alarm-stuck` and `alarm-errors`.",
        f"Drill now: `aws lambda invoke --function-name {_NAMES.function('sweep')} --cli-binary-format raw-in-base64-out --payload '{{\"drill\": true}}' answer.json`. It moves no traffic. A rollout's own rehearsal proves the path too, but is not counted.",
    ),
}  # fmt: skip

OBSTACLES: Mapping[Kind, tuple[str, str]] = {
    Kind.STOPPED: ("Somebody stopped every step up, of this endpoint or of all (`sluice stop`). What serves goes on serving; a way back goes through.", "Ask whoever is named. `sluice lift NAME --reason WHY` ends it; `NAME` may be `STACK/*`."),
    Kind.PAUSED: ("A person paused this rollout. Alarms and judge stay armed; after `max_hold` it is taken back.", "`sluice resume NAME --reason WHY`, or `sluice abort NAME --reason WHY`."),
    Kind.HARM: ("The canary was worse than stable, and the policy leaves that to people (`on_breach: hold`). After `max_hold` it is taken back.", "`sluice explain NAME` has the numbers. In doubt `sluice rollback NAME --reason WHY`; only if you know better `sluice resume NAME --reason WHY`."),
    Kind.REGISTRY: ("The release's entry in the model registry is not approved any more, or cannot be read.", "The sentence says which. Have it approved there; a rejection takes the canary back by itself. What cannot wait: `sluice force NAME --reason WHY`, which pages. After `max_hold` it is taken back."),
    Kind.FROZEN: ("A freeze window of the policy is on.", "Wait: it goes on by itself. What cannot wait needs the permission of class `force`: `sluice force NAME --reason WHY` takes one step and pages."),
    Kind.NEEDS: ("The next step needs the word of somebody whom the policy names and who did not submit the release.", "Let them look at `sluice explain NAME` and `sluice report NAME -o report.html`, then `sluice approve NAME --reason WHY` under their own name. It counts for this one step."),
    Kind.GATES: ("The policy asks other systems before the next step; one does not agree or does not answer, which is no.", "The sentence names the gate and its answer. It is asked again every minute, `retries` times recorded; mend the gate, or `force`."),
    Kind.COOLING: ("A release with this model did harm, and is refused until its cool-down is over.", "Nothing. A mended model is another model, and is let in at once."),
}  # fmt: skip

WAITING: Mapping[str, tuple[str, ...]] = {
    "An approval that nobody gives": (
        "`sluice status NAME` says who may, who may not, and until when.",
        f"Without a word the release is taken back when the step's `timeout` is over (`then: {ApprovalThen.ROLLBACK}`), or held for `max_hold` and taken back then (`then: {ApprovalThen.HOLD}`). Neither harms anybody: stable serves.",
        "Nobody of those named is there: `sluice abort NAME --reason WHY` and submit again when they are. `force` passes an approval by, pages, and is a permission of its own.",
    ),
    "A release that waits behind another": (
        f"`queued` in `sluice status NAME`: with `on_new_release: {OnNewRelease.QUEUE}` it begins within a minute after the rollout before it has ended; with `{OnNewRelease.SUPERSEDE}` that one is being taken back for it.",
        "There is room for one: another submission takes its place. One that may not be tried any more when its turn comes (quarantined meanwhile) is dropped, recorded as `queue_dropped`, and pages.",
        "It shall not begin: `sluice stop NAME --reason WHY` before the first rollout ends keeps it from every step; then `sluice abort NAME --reason WHY`.",
    ),
    "Both slots are bad": (
        "First `sluice rollback NAME --reason WHY`: if stable is well, that is all.",
        "Stable is as bad, and an older release was well: `sluice rollback NAME --to RELEASE --reason WHY`; seconds while its slot is warm, minutes else. `status` and `history` name releases.",
        "It cannot wait for minutes and the endpoint has a fallback slot: `sluice fall-back NAME --reason WHY`. The sentence says how many instances it has: fewer than the traffic needs means failing requests until more are there, which is asked for by itself.",
        "Afterwards what served and what was tried are quarantined, and the next release starts from the fallback slot. Its only alarms are its rails, which page and move nothing; that the release is judged against it is the tick's.",
    ),
}  # fmt: skip

SLOT_ALARMS = (
    ("a metric's name (`errors`, `latency`)", "The slot is over its limit and worse than the other slot now.", "The canary's: it is taken back within seconds, nothing to type. Stable's: the rollout holds; look at stable."),
    ("`...-rail`", "The slot is over an absolute limit.", "Obeyed only where no other slot has traffic: at 100 % and in the soak. Otherwise both slots suffer from something they share."),
)  # fmt: skip


def alarms() -> str:
    """One section for each alarm that pages."""
    return "".join(_alarm(alarm) for alarm in page_alarms(_NAMES, DrillSpec("rate(7 days)", 14 * 86_400)))


def slot_alarms() -> str:
    """What the alarms of a slot mean; they wake nobody, they take traffic back."""
    return table(("alarm of a slot", "means", "what happens, what to do"), SLOT_ALARMS)


def obstacles() -> str:
    """What `sluice status` names between `why` and `next`."""
    return table(("`status` says", "means", "what to type"), [(f"`{kind}`", *OBSTACLES[kind]) for kind in Kind])


def waiting() -> str:
    """What people wait for: another person, another rollout, a release that works."""
    return "".join(f"### {title}\n\n{_steps(lines)}" for title, lines in WAITING.items())


def phases() -> str:
    """One section for each phase, in the order of a good life."""
    return "".join(_phase(phase, PHASES[phase]) for phase in Phase)


def _alarm(alarm: PageAlarm) -> str:
    lasting = "for an hour" if alarm.period_seconds > 60 else f"in {alarm.minutes} of {alarm.periods} minutes"
    when = f"{alarm.metric} ({alarm.statistic.lower()}) above {alarm.threshold} {lasting}"
    silence = "; also when it is silent" if alarm.silence_pages else ""
    head = (
        f"### {alarm.word}\n\n`{_NAMES.page_alarm(alarm.word)}`: {alarm.description}.\n\n"
        f"{'Opens a ticket' if alarm.ticket else 'Pages'} at {when}{silence}.\n\n"
    )
    return head + _steps(ALARMS[alarm.word])


def _phase(phase: Phase, guide: PhaseGuide) -> str:
    name = phase.value.replace("_", " ")
    return f"### {name}\n\n{ICONS[phase]} {guide.means} It lasts: {guide.longest}.\n\n{_steps(guide.do)}"


def _steps(lines: Iterable[str]) -> str:
    return "".join(f"{i}. {line}\n" for i, line in enumerate(lines, 1)) + "\n"
