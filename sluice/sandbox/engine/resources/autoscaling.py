"""Application Auto Scaling: targets and policies (of endpoint variants)."""

from __future__ import annotations

from sluice.sandbox.engine.kinds import Call, Kind, Naming, Tagging

_TARGET = {name: name[0].lower() + name[1:] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
_WHERE = ("serviceNamespace", "resourceId", "scalableDimension")

TARGET = Kind(
    type="aws:appautoscaling/target:Target",
    service="application-autoscaling",
    create=Call("RegisterScalableTarget", keys=_TARGET),
    update=Call("RegisterScalableTarget", keys=_TARGET),
    delete=Call("DeregisterScalableTarget", keys=_TARGET),
    id="{resourceId}",
    computed={"arn": "ScalableTargetARN"},
    tagging=Tagging(
        Call("TagResource", keys={"ResourceARN": "arn"}), Call("UntagResource", keys={"ResourceARN": "arn"})
    ),
    force_new=_WHERE,
    required=(*_WHERE, "minCapacity", "maxCapacity"),
)

_POLICY = {**_TARGET, "PolicyName": "name"}

POLICY = Kind(
    type="aws:appautoscaling/policy:Policy",
    service="application-autoscaling",
    create=Call("PutScalingPolicy", keys=_POLICY),
    update=Call("PutScalingPolicy", keys=_POLICY),
    delete=Call("DeleteScalingPolicy", keys=_POLICY),
    computed={"arn": "PolicyARN"},
    naming=Naming(prefix=""),
    force_new=(*_WHERE, "name"),
    required=_WHERE,
    defaults={"policyType": "StepScaling"},
)

KINDS = (TARGET, POLICY)
