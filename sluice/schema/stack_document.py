"""What the stack configuration may say: its keys, their types and limits. The files it names are read in `stack`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from sluice.schema.conditions_document import at_most
from sluice.schema.schedule import Cron, parse_schedule
from sluice.schema.values import BUCKET_NAME, VARIANT_NAME, Duration, Strict, Wrong, at_least, matching, pattern_schema

FALLBACK_SLOT = "fallback"
_SCHEDULE = r"rate\((1 (hour|day)|[1-9][0-9]{0,3} (hours|days))\)|cron\(([!-~]{1,40} ){5}[!-~]{1,40}\)"
COLLECTOR = r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?"
PARAMETER = r"(/[A-Za-z0-9_.-]{1,200}){1,15}"
_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""What CloudWatch Logs offers."""


def _path_or_document(given: object) -> object:
    if isinstance(given, dict) or (isinstance(given, str) and given):
        return given
    raise Wrong("must be the path of a release document, or the document itself")


def _policy_or_document(given: object) -> object:
    if isinstance(given, dict) or (isinstance(given, str) and re.fullmatch(r"[A-Za-z0-9_-]+|.*\.ya?ml", given)):
        return given
    raise Wrong("must be the name of a ready-made policy, a path that ends in .yaml, or the document itself")


def _two(slots: tuple[str, ...]) -> tuple[str, ...]:
    if len(slots) != 2:
        raise Wrong(f"must name exactly two variants, got {len(slots)}")
    if FALLBACK_SLOT in slots:
        raise Wrong(f"must not be called {FALLBACK_SLOT!r}, which is the third slot's name")
    if slots[0] == slots[1]:
        raise Wrong(f"must name two different variants, got {slots[0]!r} twice")
    return slots


def _a_day_at_least(seconds: int) -> int:
    if seconds < 86_400:
        raise Wrong("must be at least 1d", "its age is measured in days")
    return seconds


def _fires(schedule: str) -> str:
    """What EventBridge would refuse in the middle of an `up`, or never fire."""
    parsed = parse_schedule(schedule)
    if isinstance(parsed, Cron) and parsed.after(datetime.min.replace(tzinfo=UTC)) is None:
        raise Wrong("must be a cron of EventBridge that comes at some time")
    return schedule


def _offered(days: int) -> int:
    if days not in _RETENTION_DAYS:
        raise Wrong(f"must be a number of days that CloudWatch Logs offers ({', '.join(map(str, _RETENTION_DAYS))})")
    return days


EndpointKey = Annotated[
    str, matching(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,29}", "must be 1 to 30 letters, digits and inner dashes")
]
VariantName = Annotated[str, matching(VARIANT_NAME, "must be 1 to 63 letters, digits and inner dashes")]
Nonce = Annotated[
    str, matching(r"[A-Za-z0-9._-]{1,40}", "must be 1 to 40 letters, digits, dots, dashes or underscores")
]
KmsKeyArn = Annotated[
    str,
    matching(
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{1,64}",
        "must be the ARN of a KMS key, such as arn:aws:kms:eu-west-1:123456789012:key/<id>",
        "an alias will not do: permissions name the key itself",
    ),
]
BucketName = Annotated[
    str,
    matching(
        BUCKET_NAME,
        "must be the name of an S3 bucket: 3 to 63 lower-case letters, digits, dots and inner dashes",
        "without s3:// and without a key",
    ),
]


StackName = Annotated[
    str,
    matching(
        r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+",
        "must be a stack's whole name, <organization>/<project>/<stack>",
        "a backend without organizations says organization/<project>/<stack>",
    ),
]
EndpointPattern = Annotated[
    str,
    matching(
        rf"{VARIANT_NAME}|[a-zA-Z0-9][a-zA-Z0-9-]{{2,61}}\*",
        "must be an endpoint's name, or at least three characters that names begin with, then *",
        "what it matches, this control plane may move",
    ),
]


GroupArn = Annotated[
    str,
    matching(
        r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:[0-9]{12}:model-package-group/[a-zA-Z0-9][a-zA-Z0-9-]{0,62}",
        "must be the ARN of a model package group",
        "such as arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/triage",
    ),
]
CaptureDestination = Annotated[
    str,
    matching(rf"s3://{BUCKET_NAME}(/[^\s*?]+)?", "must be a place in S3, such as s3://captures/checkout"),
]


class DataCapture(Strict):
    """Which part of the requests is kept in S3."""

    sampling_percent: int = Field(default=100, ge=0, le=100)
    """Of the requests and answers of both slots; 0 keeps nothing."""
    destination: CaptureDestination | None = None
    """Where in S3 they go. Unsaid: the control plane's capture bucket."""


class Fallback(Strict):
    """A third, small, warm slot, called `fallback`, with a release that is known to work."""

    release: Annotated[Any, BeforeValidator(_path_or_document)] = Field(examples=["build/v1/release.json"])
    """What it serves: the path of a release document, or the document itself."""
    instances: int = Field(default=1, ge=1, le=1000)
    """Of the slot, all the time. They are billed, and they are what takes the traffic when somebody falls back."""


class Endpoint(Strict):
    """One guarded endpoint."""

    release: Annotated[Any, BeforeValidator(_path_or_document)] = Field(examples=["build/v1/release.json"])
    """The path of a release document, from the folder of Pulumi.yaml, or the document itself. A change of it starts a rollout."""
    policy: Annotated[Any, BeforeValidator(_policy_or_document)] = Field(examples=["standard"])
    """A ready-made policy of policies/rollouts by its name, the path of your own, or the document itself."""
    endpoint_name: VariantName | None = None
    """The endpoint in SageMaker. Unsaid: `<stack>-<key>`."""
    adopt: bool = False
    """Take over an endpoint that runs already, without moving a weight. See adopting.md."""
    slots: Annotated[tuple[VariantName, ...], AfterValidator(_two)] = Field(default=("blue", "green"), strict=False)
    """The names of the two production variants; an adopted endpoint's live variant is one of them."""
    instances: int = Field(default=1, ge=1, le=1000)
    """Of each slot in service. A change is applied between rollouts, without a new release."""
    scaling: Literal["suspend", "keep"] = "suspend"
    """Autoscaling while a release is tried: suspended and put back, or kept, at the price of rollbacks that may wait for it."""
    rps: Annotated[float, Field(gt=0, le=1e6, strict=False)] | None = Field(default=None, examples=[50])
    """Requests per second you expect in all. With it, `up` says what the policy can prove, and status what then happened."""
    nonce: Nonce = "1"
    """Change it to try a release again whose last rollout was aborted or failed."""
    data_capture: DataCapture | None = None
    """What is kept of requests and answers. Unsaid: all of them, and nothing of an adopted endpoint's."""
    fallback: Any = None
    """A third slot for when both others are bad: `{release: <path or document>, instances: 1}`. Added and changed by the next rollout."""
    kms_key_arn: KmsKeyArn | None = None
    """Encrypts the volumes of the instances. Unsaid: SageMaker's own key."""

    @field_validator("adopt")
    @classmethod
    def _is_named(cls, value: bool, others: ValidationInfo) -> bool:
        if value and others.data.get("endpoint_name", "refused") is None:
            raise Wrong("needs `endpoint_name`, the name of the running endpoint to take over; got none")
        return value


class Audit(Strict):
    """The archive of audit events, locked by S3."""

    retention_days: int = Field(default=400, ge=1, le=36_500)
    """How long each event stays locked after it was written."""
    mode: Literal["governance", "compliance"] = "governance"
    """`compliance`: nobody, not even the account's root, can delete an event before its time."""


class Drills(Strict):
    """Game days without a rollout: the whole way back is gone through from an alarm of the idle slot to an accepted weight call that
    repeats the weights there are. Never while a rollout is under way or waits, in a freeze, or under a stop.
    """

    schedule: Annotated[
        str,
        matching(
            _SCHEDULE,
            "must be rate(...) in hours or days, or cron(...) with six fields in UTC",
            "for example `rate(7 days)` or `cron(0 10 ? * TUE *)`",
        ),
        AfterValidator(_fires),
        pattern_schema(_SCHEDULE),
    ]
    """When each endpoint is drilled, as EventBridge writes it: `rate(7 days)`, `cron(0 10 ? * TUE *)`. Cron is in UTC."""
    too_old: Annotated[Duration, AfterValidator(_a_day_at_least)] = Field(default="14d", validate_default=True)
    """How long ago an endpoint's last good drill may be before a ticket is opened. At least `1d`."""


class Notifications(Strict):
    """What goes with pages, tickets and events. See notifications.md."""

    links: (
        Annotated[Duration, at_least("5m", "nobody could follow it"), at_most(86_400, "whoever holds it may use it")]
        | None
    ) = None
    """How long signed links to approve and abort are good for. Unsaid: there are none, and no address that would take them."""
    collector: Annotated[str, matching(COLLECTOR, "must be a URL that begins with https://")] | None = Field(
        default=None, examples=["https://collector.example.com/v1/traces"]
    )
    """Where rollouts go as OpenTelemetry spans: the traces address of OTLP over HTTP. Unsaid: nowhere."""
    collector_headers: (
        Annotated[str, matching(PARAMETER, "must be the name of an SSM parameter, beginning with a slash")] | None
    ) = Field(default=None, examples=["/observability/otlp-headers"])
    """The SecureString with the headers that the collector wants, such as `api-key=...`. Unsaid: none are sent."""


class Stack(Strict):
    """Everything of a stack. Each endpoint is read as an `Endpoint` of its own, so that one's faults do not hide another's."""

    endpoints: dict[EndpointKey, Any] = Field(
        default={}, examples=[{"shop": {"release": "build/v1/release.json", "policy": "standard"}}]
    )
    """The guarded endpoints, by a key of your choice. See [One endpoint](#one-endpoint)."""
    control_plane: StackName | None = None
    """The stack whose control plane serves this one's endpoints: `<organization>/<project>/<stack>`. Left out, this one has its own."""
    reach: tuple[EndpointPattern, ...] = Field(default=(), strict=False)
    """Endpoints of other stacks that this stack's control plane serves: names, or beginnings of names with a `*` at the end."""
    protect: bool = True
    """Whether Pulumi refuses to delete or replace what rollbacks need. Turn it off, `up`, and only then destroy."""
    artifact_buckets: tuple[BucketName, ...] = Field(default=(), strict=False)
    """Buckets besides those of the configured releases whose models must stay readable, such as that of a champion released long ago."""
    model_package_groups: tuple[GroupArn, ...] = Field(
        default=(), strict=False, examples=[["arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/triage"]]
    )
    """Groups of the model registry besides those of the configured releases, for releases that come from other stacks or by `submit`."""
    log_retention_days: Annotated[int, AfterValidator(_offered)] = 30
    """Of the functions and the containers. One of the numbers of days CloudWatch Logs offers."""
    audit: Audit = Audit()
    """How the archive of audit events is locked."""
    drills: Drills | None = None
    """When the way back is drilled on endpoints where nothing is rolled out. Left out: only rollouts rehearse it."""
    notifications: Notifications = Notifications()
    """Signed links beside what people are told, and rollouts as traces."""
