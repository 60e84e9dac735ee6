"""Questions about endpoints: how long changes take, what is refused, what is kept."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Literal

from botocore.exceptions import ClientError

from sluice.aws.endpoint import BUSY_TEXT
from sluice.probe.account import denial
from sluice.probe.answers import refusal, serves, variants_of
from sluice.probe.cloudwatch_questions import make_alarm
from sluice.probe.stage import BLUE, GREEN, LIVE_WEIGHT, Stage
from sluice.schema.facts_document import (
    AddedSlot,
    BusyCall,
    Duration,
    GuardedUpdate,
    SmallWeights,
    WeightCalls,
    ZeroWeights,
)

_SPLITS = ((95.0, 5.0), (5.0, 95.0), (50.0, 50.0), (100.0, 0.0), (1.0, 1.0))
"""A step up, a rollback, and the like; at the end both slots serve."""
_FINE_WEIGHTS = {BLUE: 0.1, GREEN: 0.01}
"""Neither is exact in 32 bits."""
_EVERY, _LIMIT = 1, 600


def create_endpoint(stage: Stage) -> Duration:
    stage.one_slot()
    return Duration(seconds=stage.created_seconds or 0.0)


def weight_call(stage: Stage) -> WeightCalls:
    stage.two_slots()
    in_service, read_back = zip(
        *(_timed(stage, dict(zip((BLUE, GREEN), split, strict=True))) for split in _SPLITS), strict=True
    )
    return WeightCalls(in_service_seconds=in_service, read_back_seconds=read_back)


def _timed(stage: Stage, weights: Mapping[str, float]) -> tuple[float, float]:
    """Seconds from a weight call until InService, and until every current weight is as asked, whatever the status."""
    account, began = stage.account, stage.account.now()
    stage.send_weights(weights)
    seen: dict[str, float] = {}

    def look() -> bool | None:
        endpoint = stage.describe()
        since = account.now() - began
        if serves(endpoint, weights):
            seen.setdefault("read back", since)
            if endpoint["EndpointStatus"] == "InService":
                seen.setdefault("in service", since)
        return True if len(seen) == 2 else None

    account.until(look, _EVERY, _LIMIT, "the weights to serve")
    return seen["in service"], seen["read back"]


def busy_call(stage: Stage) -> BusyCall:
    """A second weight call right after the first."""
    stage.two_slots()
    began = stage.account.now()
    first, other = {BLUE: 2.0, GREEN: 1.0}, {BLUE: 1.0, GREEN: 2.0}
    stage.send_weights(first)
    second = refusal(lambda: stage.send_weights(other))
    asked = other if second.accepted else first
    stage.settled(began, lambda found: serves(found, asked), _EVERY, _LIMIT)
    return BusyCall(**second.model_dump(), recognised=BUSY_TEXT in second.message)


def zero_weights(stage: Stage) -> ZeroWeights:
    stage.two_slots()
    began, nothing = stage.account.now(), {BLUE: 0.0, GREEN: 0.0}
    tried = refusal(lambda: stage.send_weights(nothing))
    if not tried.accepted:
        return ZeroWeights(**tried.model_dump())
    stage.settled(began, lambda found: serves(found, nothing), _EVERY, _LIMIT)
    served = _is_served(stage)
    stage.weigh({BLUE: 1.0, GREEN: 1.0})
    return ZeroWeights(**tried.model_dump(), served=served)


def _is_served(stage: Stage) -> bool:
    try:
        stage.account.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=stage.names.base, ContentType="text/csv", Accept="text/csv", Body=b"1"
        )
    except ClientError as fault:
        if denial(fault) is not None:
            raise
        return False
    return True


def small_weights(stage: Stage) -> SmallWeights:
    stage.two_slots()
    variants = variants_of(stage.weigh(_FINE_WEIGHTS))
    asked = tuple(_FINE_WEIGHTS.values())
    shown = tuple(float(variants[slot]["DesiredWeight"]) for slot in _FINE_WEIGHTS)
    stage.weigh({BLUE: 1.0, GREEN: 1.0})
    return SmallWeights(asked=asked, read_back=shown, kept_as=_kept_as(asked, shown))


def _kept_as(asked: tuple[float, ...], shown: tuple[float, ...]) -> Literal["exact", "float32", "otherwise"]:
    rounded = tuple(struct.unpack("f", struct.pack("f", weight))[0] for weight in asked)
    return "exact" if shown == asked else "float32" if shown == rounded else "otherwise"


def add_slot(stage: Stage) -> AddedSlot:
    """The new configuration says other weights and counts than are live, so that lost ones are seen."""
    if len(stage.slots) > 1:
        raise RuntimeError("add_slot is asked before both slots are there: see the order of the questions")
    stage.one_slot()
    stage.weigh({BLUE: LIVE_WEIGHT})
    stage.make_config("added", stage.variant(BLUE, count=2), stage.variant(GREEN, weight=0.0), fine=True)
    seconds, after = stage.update("added")
    variants = variants_of(after)
    if GREEN in variants:
        stage.slots = (BLUE, GREEN)
    return AddedSlot(
        seconds=seconds,
        weight_kept=variants[BLUE]["CurrentWeight"] == LIVE_WEIGHT,
        count_kept=variants[BLUE]["DesiredInstanceCount"] == 1,
        new_weight=variants[GREEN]["CurrentWeight"] if GREEN in variants else 0.0,
        on_new_config=after["EndpointConfigName"] == stage.names.config("added"),
    )


def guarded_update(stage: Stage) -> GuardedUpdate:
    """An update with a rollback alarm. Whether a provider replaces the endpoint for it is the provider's own matter."""
    stage.two_slots()
    make_alarm(stage, "events")
    before = stage.describe()
    stage.make_config("guarded", stage.variant(BLUE), stage.variant(GREEN))
    routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    deployment = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": stage.names.alarm("events")}]},
    }
    seconds, after = stage.update("guarded", DeploymentConfig=deployment)
    identity = ("EndpointArn", "CreationTime")
    return GuardedUpdate(
        seconds=seconds,
        endpoint_kept=all(before[key] == after[key] for key in identity),
        on_new_config=after["EndpointConfigName"] == stage.names.config("guarded"),
    )


def count_call(stage: Stage) -> Duration:
    """A second instance for one slot."""
    stage.two_slots()
    began = stage.account.now()
    stage.account.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=stage.names.base,
        DesiredWeightsAndCapacities=[{"VariantName": GREEN, "DesiredInstanceCount": 2}],
    )
    stage.settled(began, lambda found: variants_of(found)[GREEN]["CurrentInstanceCount"] == 2)
    return Duration(seconds=stage.account.now() - began)


def delete_endpoint(stage: Stage) -> Duration:
    """Also the first piece of the clean-up."""
    stage.one_slot()
    began = stage.account.now()
    stage.ledger.known["endpoint"].remove()
    stage.ledger.forget("endpoint")
    stage.slots = ()
    return Duration(seconds=stage.account.now() - began)
