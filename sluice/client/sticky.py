"""Keeps a session on the variant that answered it first, where that is worth what it costs.

`TargetVariant` bypasses the weights, and so a rollback. A pin is therefore honoured only while the control plane itself lets
both variants serve, and never longer than `max_age_seconds` after it said so. Everything else goes by weight.
What remains: a pinned session may reach a canary that is being taken back for `max_age_seconds` plus the seconds the control
plane takes to write its decision down. And a step up reaches new sessions only, so the canary's real share lags behind its
weight: a sample-ratio check may hold the rollout for that. The invoke policy of a Sluice stack denies `TargetVariant`;
whoever wants pins must be given it separately.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from sluice.client.champion import Champion, read_champion
from sluice.client.contract import Serving

_LOG = logging.getLogger(__name__)
MAX_AGE_SECONDS = 5.0
"""How long one look at the parameter counts: with a weight call's 30 s well inside a rollback's two minutes."""
_PATIENCE_SECONDS = 1.0
_CONFIG = Config(connect_timeout=_PATIENCE_SECONDS, read_timeout=_PATIENCE_SECONDS, retries={"total_max_attempts": 1})
"""A session waits for the parameter no longer than this; then it goes by weight."""


@dataclass(frozen=True, slots=True)
class Pin:
    """Keep it with the session: the variant that answered first, and the rollout in which it did."""

    slot: str
    rollout: str


class Sticky:
    """Asked before each request of a session: `endpoint.ask(body, pinned_to=sticky.target(session.pin))`."""

    def __init__(
        self,
        serving: Serving,
        ssm: Any = None,
        max_age_seconds: float = MAX_AGE_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._serving, self._ssm, self._now = serving, ssm, now
        self._max_age = max_age_seconds
        self._lock = threading.Lock()
        self._seen: tuple[float, Champion | None] | None = None
        _LOG.warning(
            "sessions of %s are pinned to variants: pins bypass weights, and a rollback reaches them up to %g s late",
            serving.endpoint_name,
            max_age_seconds,
        )

    def pin(self, slot: str | None) -> Pin | None:
        """The pin for a session that `slot` just answered; None when there is no choice to stick to."""
        champion = self._champion()
        if champion is None or champion.rollout is None or slot not in _choices(champion):
            return None
        return Pin(str(slot), champion.rollout)

    def target(self, pin: Pin | None) -> str | None:
        """The variant to ask for; None leaves it to the weights. Never raises."""
        champion = self._champion() if pin is not None else None
        if pin is None or champion is None or champion.rollout != pin.rollout:
            return None
        return pin.slot if pin.slot in _choices(champion) else None

    def _champion(self) -> Champion | None:
        """A look at most `max_age_seconds` old; None when it could not be had, and that is remembered as long."""
        if not self._lock.acquire(timeout=_PATIENCE_SECONDS):
            return None
        try:
            now = self._now()
            if self._seen is None or now - self._seen[0] >= self._max_age:
                self._seen = (now, self._look())
            return self._seen[1]
        finally:
            self._lock.release()

    def _look(self) -> Champion | None:
        try:
            if self._ssm is None:
                self._ssm = boto3.client("ssm", region_name=self._serving.region, config=_CONFIG)
            return read_champion(self._serving.champion_parameter, self._ssm)
        except Exception:  # whatever it is, the weights decide then
            _LOG.warning("%s could not be read: sessions go by weight", self._serving.champion_parameter, exc_info=True)
            return None


def _choices(champion: Champion) -> tuple[str, ...]:
    """The variants a session may stick to now."""
    if not champion.shares or champion.from_slot is None or champion.to_slot is None:
        return ()
    return (champion.from_slot, champion.to_slot)
