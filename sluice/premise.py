"""What a person's order stands on before anything is decided: a reason, and an endpoint that is known here."""

from __future__ import annotations

from sluice.core.errors import BadInput
from sluice.core.head import Head
from sluice.ports import Ports


def need_reason(reason: str) -> None:
    """Raises BadInput without one."""
    if not reason.strip():
        raise BadInput(("reason: missing. Say why: it is kept with the decision.",))


def known_head(ports: Ports, endpoint: str) -> Head:
    """The endpoint's record. Raises BadInput, with the names there are, where there is none."""
    head = ports.store.head(endpoint)
    if head is None:
        raise unknown(ports, endpoint)
    return head


def unknown(ports: Ports, endpoint: str) -> BadInput:
    known = ", ".join(ports.store.endpoints()) or "none"
    return BadInput((f"endpoint {endpoint!r} is not known here (known: {known})",))
