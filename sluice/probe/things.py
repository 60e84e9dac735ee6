"""Everything a probe may make: names, how each is removed, and the command for a person where that fails.

All names come from the run's id, so that a run which was killed can be cleaned up by its id alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from sluice.probe.account import Account, TookTooLong, is_missing

PREFIX = "sluice-probe-"
NAMESPACE = "Sluice/Probe"
"""Of the few custom metrics. Metrics cannot be deleted: they cost nothing after their last hour and fade after 15 months."""
CONFIGS = ("one", "added", "pair", "guarded")
ALARMS = ("events", "clock")
_BUSY_LIMIT, _GONE_LIMIT, _EVERY = 3600, 1800, 5


@dataclass(frozen=True, slots=True)
class Names:
    """What things of one run are called."""

    run: str
    account: str
    region: str
    partition: str = "aws"

    @property
    def base(self) -> str:
        """Endpoint, model, role, queue and rule."""
        return f"{PREFIX}{self.run}"

    @property
    def bucket(self) -> str:
        """Names of buckets are shared by everybody: the account's number keeps them apart."""
        return f"{self.base}-{self.account}"

    def config(self, which: str) -> str:
        return f"{self.base}-{which}"

    def alarm(self, which: str) -> str:
        return f"{self.base}-{which}"

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    @property
    def role_arn(self) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role/{self.base}"

    def tags(self) -> dict[str, str]:
        return {"sluice:probe": self.run}


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that may be there. `remove` raises nothing where it is not; `command` is what a person would type."""

    what: str
    remove: Callable[[], object]
    command: str


@dataclass(frozen=True, slots=True)
class Left:
    """What could not be removed, why, and how a person can."""

    what: str
    why: str
    command: str


KEY = "model.tar.gz"
ARTIFACT, ROLE_POLICY, TARGET = "artifact", "role-policy", "target"


def things(account: Account, names: Names) -> dict[str, Thing]:
    """By key, in the order in which they are made."""
    aws = f"aws --region {names.region}"
    iam, s3, sqs = account.client("iam"), account.client("s3"), account.client("sqs")
    events, sagemaker = account.client("events"), account.client("sagemaker")
    base = names.base
    return {
        "role": Thing(
            f"role {base}", lambda: iam.delete_role(RoleName=base), f"aws iam delete-role --role-name {base}"
        ),
        ROLE_POLICY: Thing(
            f"policy of role {base}",
            lambda: iam.delete_role_policy(RoleName=base, PolicyName=base),
            f"aws iam delete-role-policy --role-name {base} --policy-name {base}",
        ),
        "bucket": Thing(
            f"bucket {names.bucket}",
            lambda: s3.delete_bucket(Bucket=names.bucket),
            f"{aws} s3 rb s3://{names.bucket}",
        ),
        ARTIFACT: Thing(
            f"object s3://{names.bucket}/{KEY}",
            lambda: s3.delete_object(Bucket=names.bucket, Key=KEY),
            f"{aws} s3 rm s3://{names.bucket}/{KEY}",
        ),
        "queue": Thing(
            f"queue {base}",
            lambda: sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=base)["QueueUrl"]),
            f'{aws} sqs delete-queue --queue-url "$({aws} sqs get-queue-url --queue-name {base} --output text)"',
        ),
        "rule": Thing(f"rule {base}", lambda: events.delete_rule(Name=base), f"{aws} events delete-rule --name {base}"),
        TARGET: Thing(
            f"target of rule {base}",
            lambda: events.remove_targets(Rule=base, Ids=["queue"]),
            f"{aws} events remove-targets --rule {base} --ids queue",
        ),
        **{f"alarm {which}": _alarm(account, names.alarm(which), aws) for which in ALARMS},
        "model": Thing(
            f"model {base}",
            lambda: sagemaker.delete_model(ModelName=base),
            f"{aws} sagemaker delete-model --model-name {base}",
        ),
        **{f"config {which}": _config(account, names.config(which), aws) for which in CONFIGS},
        "log group": _log_group(account, f"/aws/sagemaker/Endpoints/{base}", aws),
        "endpoint": Thing(
            f"endpoint {base} (billed by the hour)",
            lambda: remove_endpoint(account, base),
            f"{aws} sagemaker delete-endpoint --endpoint-name {base}",
        ),
    }


def _alarm(account: Account, name: str, aws: str) -> Thing:
    return Thing(
        f"alarm {name}",
        lambda: account.client("cloudwatch").delete_alarms(AlarmNames=[name]),
        f"{aws} cloudwatch delete-alarms --alarm-names {name}",
    )


def _config(account: Account, name: str, aws: str) -> Thing:
    return Thing(
        f"endpoint configuration {name}",
        lambda: account.client("sagemaker").delete_endpoint_config(EndpointConfigName=name),
        f"{aws} sagemaker delete-endpoint-config --endpoint-config-name {name}",
    )


def _log_group(account: Account, name: str, aws: str) -> Thing:
    """SageMaker makes it by itself for every endpoint."""
    return Thing(
        f"log group {name}",
        lambda: account.client("logs").delete_log_group(logGroupName=name),
        f"{aws} logs delete-log-group --log-group-name {name}",
    )


def remove_endpoint(account: Account, name: str) -> None:
    """Wait until SageMaker lets go of it, delete it, and wait until it is gone."""
    sagemaker = account.client("sagemaker")

    def status() -> str | None:
        try:
            found: str = sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
        except ClientError as fault:
            if is_missing(fault):
                return None
            raise
        return found

    deletable = ("InService", "Failed", "OutOfService", "UpdateRollbackFailed")
    # Asked first: who may not delete learns so before anything was made, and an endpoint that can go goes at once.
    try:
        sagemaker.delete_endpoint(EndpointName=name)
    except ClientError as fault:
        if is_missing(fault):
            return
        if status() in deletable or fault.response["Error"]["Code"] != "ValidationException":
            raise
        account.until(
            lambda: True if status() in (*deletable, None) else None, _EVERY, _BUSY_LIMIT, f"endpoint {name} to settle"
        )
        sagemaker.delete_endpoint(EndpointName=name)
    account.until(lambda: True if status() is None else None, _EVERY, _GONE_LIMIT, f"endpoint {name} to be gone")


@dataclass(slots=True)
class Ledger:
    """What this run has set out to make. Noted before the call, since a call that fails may have made its thing."""

    known: Mapping[str, Thing]
    noted: set[str] = field(default_factory=set)

    def note(self, *keys: str) -> None:
        self.noted.update(keys)

    def forget(self, key: str) -> None:
        self.noted.discard(key)

    def clean(self, everything: bool = False) -> Iterator[tuple[Thing, Left | None]]:
        """Remove what was noted, or whatever may be there, the last made first. Each thing with what went wrong, if so."""
        for key, thing in reversed(list(self.known.items())):
            if everything or key in self.noted:
                left = removed(thing)
                if left is None:
                    self.noted.discard(key)
                yield thing, left


def removed(thing: Thing) -> Left | None:
    try:
        thing.remove()
    except ClientError as fault:
        return None if is_missing(fault) else Left(thing.what, str(fault), thing.command)
    except (BotoCoreError, TookTooLong) as fault:
        return Left(thing.what, str(fault), thing.command)
    return None
