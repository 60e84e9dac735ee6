"""Patches of moto's EventBridge and SQS, pinned to 5.2.5: events and messages are handed over instead of being delivered at once.

When and to whom they go is decided by `delivery` and `sources`, which install these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from sluice.sandbox.patches import Undo, all_of, replaced


def install_rule_delivery(deliver: Callable[[Any, Mapping[str, Any]], None]) -> Undo:
    """PutEvents offers each event to each rule of the bus as deliver(rule, event), instead of sending it at once."""
    from moto.events.models import Rule

    def offered(rule: Any, original_event: Any, **_transform: Any) -> None:
        deliver(rule, original_event)

    return replaced(Rule, "send_to_targets", offered)


def install_schedule_check(is_valid: Callable[[str], bool]) -> Undo:
    """PutRule refuses what EventBridge refuses: moto lets anything in brackets through."""
    from moto.events.models import EventsBackend

    class Pattern:
        """What moto asks of a compiled expression."""

        def match(self, text: str) -> bool:
            return is_valid(text)

    return all_of(
        replaced(EventsBackend, "_CRON_REGEX", Pattern()),
        replaced(EventsBackend, "_RATE_REGEX", Pattern()),
    )


def install_queue_watch(arrived: Callable[[Any], None]) -> Undo:
    """arrived(queue) after a message came in; moto's own delivery to Lambda, nested in the send, does not happen."""
    from moto.sqs.models import Queue

    original = Queue.add_message

    @wraps(original)
    def added(queue: Any, message: Any) -> None:
        mappings, queue.lambda_event_source_mappings = queue.lambda_event_source_mappings, {}
        try:
            original(queue, message)
        finally:
            queue.lambda_event_source_mappings = mappings
        arrived(queue)

    return replaced(Queue, "add_message", added)


def install_long_polling(sleep: Callable[[float], None]) -> Undo:
    """ReceiveMessage with a wait time waits in virtual time; moto would wait for real, for ever with time frozen."""
    from moto.sqs.models import Queue

    def wait(queue: Any, timeout: int) -> None:
        if not queue.messages:
            sleep(timeout)

    return replaced(Queue, "wait_for_messages", wait)
