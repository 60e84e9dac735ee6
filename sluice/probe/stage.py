"""What the questions stand on: a role, a model and one small endpoint, made when the first question needs them.

Free things come first: who lacks a permission learns so before anything is billed. What is asked is in the question modules.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from sluice.probe import model
from sluice.probe.account import Account, TookTooLong
from sluice.probe.answers import refusal, serves
from sluice.probe.permissions import execution_policy, trust_policy
from sluice.probe.things import ARTIFACT, KEY, ROLE_POLICY, Ledger, Names
from sluice.schema.facts_document import Refusal

T = TypeVar("T")
Done = Callable[[Mapping[str, Any]], bool]
"""Whether an endpoint shows what was asked for."""
BLUE, GREEN = "blue", "green"
LIVE_WEIGHT = 3.0
"""Set on the first slot before the second is added; every configuration says 1, so that a lost live weight is seen."""
FINE_SECONDS = 10
_EVERY, _WEIGHTS_EVERY = 5, 1
_ENDPOINT_LIMIT, _WEIGHTS_LIMIT, _ROLE_LIMIT = 3600, 600, 90
_STALE_SECONDS = 60
"""DescribeEndpoint is not expected to lag behind a call for longer."""
_ROLE_NOT_READY = (
    "assume role",
    "assume the role",
    "role is invalid",
    "Could not access model data",
    "not authorized to perform: ecr",
)


@dataclass(frozen=True, slots=True)
class Given:
    """What the user brings: an image, and optionally a model archive and a role of their own instead of the probe's."""

    image: str
    instance_type: str
    model_data: str | None = None
    role_arn: str | None = None


@dataclass(slots=True)
class Stage:
    """`slots` are the live endpoint's; `created_seconds` what making it took."""

    account: Account
    names: Names
    ledger: Ledger
    given: Given
    slots: tuple[str, ...] = ()
    created_seconds: float | None = None
    fine_metrics: Refusal | None = None
    _laid_out: bool = False
    _broken: str | None = None

    # What is free

    def lay_out(self) -> None:
        """Role, bucket, archive and model."""
        if self._laid_out:
            return
        role = self.given.role_arn or self._make_role()
        url = self.given.model_data or self._upload()
        self.ledger.note("model")
        sagemaker = self.account.client("sagemaker")
        self._once_the_role_is_known(
            lambda: sagemaker.create_model(
                ModelName=self.names.base,
                PrimaryContainer={
                    "Image": self.given.image,
                    "ModelDataUrl": url,
                    "Environment": {
                        "SAGEMAKER_PROGRAM": "inference.py",
                        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                    },
                },
                ExecutionRoleArn=role,
                Tags=_pairs(self.names.tags()),
            )
        )
        self._laid_out = True

    def _make_role(self) -> str:
        iam, base = self.account.client("iam"), self.names.base
        self.ledger.note("role", ROLE_POLICY)
        iam.create_role(
            RoleName=base, AssumeRolePolicyDocument=json.dumps(trust_policy()), Tags=_pairs(self.names.tags())
        )
        policy = execution_policy(self.names, self.given.image, self.given.model_data)
        iam.put_role_policy(RoleName=base, PolicyName=base, PolicyDocument=json.dumps(policy))
        return self.names.role_arn

    def _upload(self) -> str:
        s3, bucket = self.account.client("s3"), self.names.bucket
        self.ledger.note("bucket", ARTIFACT)
        # us-east-1 is the one region that must not be named here.
        place = {"CreateBucketConfiguration": {"LocationConstraint": self.account.region}}
        s3.create_bucket(Bucket=bucket, **({} if self.account.region == "us-east-1" else place))
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": _pairs(self.names.tags())})
        s3.put_object(Bucket=bucket, Key=KEY, Body=model.archive())
        return f"s3://{bucket}/{KEY}"

    def _once_the_role_is_known(self, make: Callable[[], T]) -> T:
        """IAM takes up to a minute to let a new role through, and SageMaker says so in words only."""
        deadline = self.account.now() + _ROLE_LIMIT
        while True:
            try:
                return make()
            except ClientError as fault:
                unready = any(text in fault.response["Error"]["Message"] for text in _ROLE_NOT_READY)
                if not unready or self.given.role_arn or self.account.now() >= deadline:
                    raise
            self.account.sleep(_EVERY)

    # The endpoint

    def one_slot(self) -> None:
        """An endpoint with at least one slot."""
        if not self.slots:
            self._create("one", self.variant(BLUE))

    def two_slots(self) -> None:
        """An endpoint with both slots; where there is none yet it is made with both at once."""
        if not self.slots:
            self._create("pair", self.variant(BLUE), self.variant(GREEN), fine=True)
        elif len(self.slots) == 1:
            self.make_config("pair", self.variant(BLUE), self.variant(GREEN, weight=0.0), fine=True)
            self.update("pair")
            self.slots = (BLUE, GREEN)

    def _create(self, config: str, *variants: Mapping[str, Any], fine: bool = False) -> None:
        if self._broken:
            raise TookTooLong(f"there is no endpoint to ask: {self._broken}")
        self._broken = "it could not be made, as the first question that needed it says"  # until it is
        self.lay_out()
        self.make_config(config, *variants, fine=fine)
        self.ledger.note("log group", "endpoint")
        began = self.account.now()
        self.account.client("sagemaker").create_endpoint(
            EndpointName=self.names.base,
            EndpointConfigName=self.names.config(config),
            Tags=_pairs(self.names.tags()),
        )
        self.settled(began, lambda _: True)
        self.created_seconds = self.account.now() - began
        self._broken = None
        self.slots = tuple(str(variant["VariantName"]) for variant in variants)

    def variant(self, slot: str, weight: float = 1.0, count: int = 1) -> dict[str, Any]:
        return {
            "VariantName": slot,
            "ModelName": self.names.base,
            "InstanceType": self.given.instance_type,
            "InitialInstanceCount": count,
            "InitialVariantWeight": weight,
        }

    def make_config(self, which: str, *variants: Mapping[str, Any], fine: bool = False) -> None:
        """`fine` asks for 10 s metrics as well, and does without where they are refused."""
        self.ledger.note(f"config {which}")
        request = {
            "EndpointConfigName": self.names.config(which),
            "ProductionVariants": list(variants),
            "Tags": _pairs(self.names.tags()),
        }
        create = self.account.client("sagemaker").create_endpoint_config
        if fine and (self.fine_metrics is None or self.fine_metrics.accepted):
            metrics = {"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": FINE_SECONDS}
            self.fine_metrics = refusal(lambda: create(**request, MetricsConfig=metrics))
            if self.fine_metrics.accepted:
                return
        create(**request)

    def update(self, config: str, **more: Any) -> tuple[float, dict[str, Any]]:
        """UpdateEndpoint with retention; the seconds it took, and the endpoint afterwards."""
        began = self.account.now()
        self.account.client("sagemaker").update_endpoint(
            EndpointName=self.names.base,
            EndpointConfigName=self.names.config(config),
            RetainAllVariantProperties=True,
            **more,
        )
        after = self.settled(began, lambda found: found["EndpointConfigName"] == self.names.config(config))
        return self.account.now() - began, after

    def describe(self) -> dict[str, Any]:
        found: dict[str, Any] = self.account.client("sagemaker").describe_endpoint(EndpointName=self.names.base)
        return found

    def settled(
        self, began: float, done: Done, every: float = _EVERY, limit: float = _ENDPOINT_LIMIT
    ) -> dict[str, Any]:
        """The endpoint once it is InService with what was asked for; raises where it failed.

        Right after a call it may still be shown as before it. InService without what was asked for counts only later on:
        that is SageMaker having fallen back.
        """

        def look() -> dict[str, Any] | None:
            found = self.describe()
            if found["EndpointStatus"] in ("Failed", "UpdateRollbackFailed"):
                self._broken = f"it is {found['EndpointStatus']}: {found.get('FailureReason', 'no reason given')}"
                raise TookTooLong(f"the endpoint cannot be used: {self._broken}")
            if found["EndpointStatus"] != "InService":
                return None
            return found if done(found) or self.account.now() - began > _STALE_SECONDS else None

        return self.account.until(look, every, limit, "the endpoint to be InService")

    def send_weights(self, weights: Mapping[str, float]) -> None:
        """The call alone."""
        self.account.client("sagemaker").update_endpoint_weights_and_capacities(
            EndpointName=self.names.base,
            DesiredWeightsAndCapacities=[
                {"VariantName": slot, "DesiredWeight": weight} for slot, weight in weights.items()
            ],
        )

    def weigh(self, weights: Mapping[str, float]) -> dict[str, Any]:
        """The call, waited for; the endpoint afterwards."""
        began = self.account.now()
        self.send_weights(weights)
        return self.settled(began, lambda found: serves(found, weights), _WEIGHTS_EVERY, _WEIGHTS_LIMIT)


def _pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
