"""A person's last resort: everything to the fallback slot. Its own module, because no tick, sweep or alarm may ever import it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sluice.apply import LOST_RACES, settle
from sluice.core.errors import EndpointBusy, Refused, StaleRecord
from sluice.core.fallback import fall_back as decided
from sluice.core.head import Head
from sluice.core.policy import Policy
from sluice.ports import Ports
from sluice.premise import need_reason, unknown

NO_FACTS: Mapping[str, Any] = {}


def fall_back(ports: Ports, endpoint: str, by: str, reason: str, facts: Mapping[str, Any] = NO_FACTS) -> str:
    """Move all traffic to the fallback slot; the sentence says what capacity it has. Raises Refused where there is none.

    `facts` are kept with the event beside the reason: the request's id among them, so that it is not carried out twice.
    """
    need_reason(reason)
    for _ in range(LOST_RACES):
        head = ports.store.head(endpoint)
        if head is None or head.let_go_at is not None:
            raise unknown(ports, endpoint)
        seen = ports.endpoints.describe(endpoint)
        decision = decided(head, seen, _last_policy(ports, head), by, reason, ports.now())
        try:
            return "; ".join((decision.because, *settle(ports, head, decision, by, {"reason": reason, **facts}).faults))
        except StaleRecord:
            continue
        except EndpointBusy:
            if head.live is None:
                raise Refused(
                    f"endpoint {endpoint!r} is busy and takes no weights now: nothing was changed. Ask again in some seconds."
                ) from None
            return f"{decision.because} (the endpoint is busy: it is asked again every few seconds until it takes the call)"
    raise StaleRecord(f"endpoint {endpoint!r}: its record keeps changing: ask again")


def _last_policy(ports: Ports, head: Head) -> Policy | None:
    if head.live is not None:
        return head.live.policy
    ended = ports.store.ended(head.endpoint, head.outcome.rollout_id) if head.outcome else None
    return ended.policy if ended else None
