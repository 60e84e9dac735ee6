"""What serves right now, from the parameter the control plane keeps in SSM: for applications without Pulumi, and for pins."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import boto3

from sluice.client.contract import Serving
from sluice.core.errors import BadInput
from sluice.core.names import outcome_namespace
from sluice.core.rollout import Phase
from sluice.core.weights import WHOLE


@dataclass(frozen=True, slots=True)
class Champion:
    """Who serves, and the live rollout if there is one. `canary_parts` of 10,000 are the canary's in `to_slot`.

    The control plane writes it with every decision: seconds old, never the future.
    """

    slot: str
    release: str
    digest: str
    rollout: str | None
    phase: str | None
    from_slot: str | None
    to_slot: str | None
    canary_parts: int | None

    @property
    def shares(self) -> bool:
        """Whether canary and stable both serve by decision: in a step below 100 %, and in no other phase, known or unknown."""
        return self.phase in (Phase.SHIFTING, Phase.BAKING) and 0 < (self.canary_parts or 0) < WHOLE

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots that are known from here: the champion's and, in a rollout, both."""
        return tuple(dict.fromkeys(slot for slot in (self.from_slot, self.to_slot, self.slot) if slot))


def read_champion(parameter: str, ssm: Any) -> Champion:
    """The champion in this SSM parameter. Raises BadInput when it holds something else; AWS errors pass."""
    text = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
    try:
        found = json.loads(text)
        return Champion(
            slot=found["champion_slot"],
            release=found["champion_release"],
            digest=found["champion_digest"],
            **{key: found[key] for key in ("rollout", "phase", "from_slot", "to_slot", "canary_parts")},
        )
    except (ValueError, KeyError, TypeError):
        raise BadInput((f"parameter {parameter!r}: is not one of Sluice's, got {text[:80]!r}",)) from None


def serving_from_parameter(parameter: str, ssm: Any = None, outcomes: str | None = None) -> Serving:
    """What an application needs, from the `champion_parameter` alone: `/sluice/<project>/<stack>/<endpoint>`.

    A stack that is served by another's control plane has its own `outcome_namespace`; the parameter names that control plane's,
    so `outcomes` must be given there.
    """
    parts = parameter.split("/")
    if len(parts) != 5 or parts[:2] != ["", "sluice"] or not all(parts[2:]):
        raise BadInput((f"parameter: must be /sluice/<project>/<stack>/<endpoint>, got {parameter!r}",))
    client = ssm if ssm is not None else boto3.client("ssm")
    champion = read_champion(parameter, client)
    _, _, project, stack, endpoint = parts
    return Serving(
        endpoint_name=endpoint,
        region=client.meta.region_name,
        slots=champion.slots,
        champion_parameter=parameter,
        outcome_namespace=outcomes or outcome_namespace(project, stack),
    )
