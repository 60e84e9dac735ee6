"""Which function makes which generated part of docs/."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sluice.probe.table import QUESTIONS
from sluice.schema.policy_document import Policy
from sluice.schema.release import ReleaseDocument
from sluice.schema.stack_document import Endpoint, Stack
from tools.pages import cost, exports, notifications, runbooks
from tools.pages.blocks import table
from tools.pages.configuration import reference


def _stack() -> str:
    return reference(Stack, "The stack", "What stands under `sluice:` in Pulumi.&lt;stack&gt;.yaml.")


def _questions() -> str:
    rows = [(f"`{each.key}`", each.asks, each.how, f"{each.minutes:g}") for each in QUESTIONS]
    return table(("question", "asks", "how", "minutes"), rows)


BLOCKS: Mapping[str, Callable[[], str]] = {
    "stack": _stack,
    "endpoint": lambda: reference(Endpoint, "One endpoint"),
    "policy": lambda: reference(Policy, "Policy"),
    "release": lambda: reference(ReleaseDocument, "Release"),
    "exports-endpoint": exports.endpoint,
    "exports-control-plane": exports.control_plane,
    "messages": notifications.messages,
    "message-parts": notifications.parts,
    "probe-questions": _questions,
    "cost-prices": cost.prices,
    "cost-usage": cost.usage,
    "cost-small": cost.small,
    "cost-large": cost.large,
    "cost-limits": cost.limits,
    "runbook-alarms": runbooks.alarms,
    "runbook-slots": runbooks.slot_alarms,
    "runbook-obstacles": runbooks.obstacles,
    "runbook-waiting": runbooks.waiting,
    "runbook-phases": runbooks.phases,
}
