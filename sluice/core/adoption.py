"""Whether an endpoint that somebody else made can be taken over as it is: what serves must be what `release` says.

Taking over moves nothing. The next configuration Sluice makes carries on only what it knows, so whatever else the endpoint
uses is a reason to refuse, here and in words, instead of dropping it later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sluice.core.release import Release
from sluice.core.rollout import EndpointSettings


@dataclass(frozen=True, slots=True)
class FoundEndpoint:
    """An endpoint as AWS describes it. What belongs to the one variant is empty when there is not exactly one.

    `kind` names a sort of endpoint that is out of scope; `extras` are settings in use that Sluice would not carry on; `captures` is
    what it keeps of requests (percent and destination, None for nothing); `images` are the image as the model names it and as
    SageMaker resolved it.
    """

    status: str
    variants: tuple[str, ...]
    kind: str | None
    extras: tuple[str, ...]
    kms_key_arn: str | None
    captures: tuple[int, str] | None
    artifact_url: str | None
    images: tuple[str, ...]
    environment: Mapping[str, str]
    instance_type: str | None
    instances: int


def adoption_faults(
    endpoint: str,
    found: FoundEndpoint,
    slots: tuple[str, ...],
    settings: EndpointSettings,
    instances: int,
    said: Release,
    *,
    capture_said: bool = True,
) -> tuple[str, ...]:
    """Every reason not to take the endpoint over; `said` is the release the configuration claims to serve, `capture_said` whether
    it says what is captured from now on.
    """
    out_of_scope = tuple(_scope(found, slots))
    faults = out_of_scope or (*_carried_on(found, settings, instances, capture_said), *_same_release(found, said))
    return tuple(f"endpoint {endpoint!r} cannot be adopted: {fault}" for fault in faults)


def _scope(found: FoundEndpoint, slots: tuple[str, ...]) -> Iterator[str]:
    if found.kind is not None:
        yield f"it is {found.kind}; Sluice shifts weights between variants on instances of their own"
    elif len(found.variants) != 1:
        shown = ", ".join(found.variants) or "none"
        yield f"it has {len(found.variants)} variants ({shown}); move all traffic to one and remove the others first"
    elif found.variants[0] not in slots:
        yield (
            f"it serves from variant {found.variants[0]!r}, which is not one of its slots ({', '.join(slots)}). "
            f"Set `slots: [{found.variants[0]}, next]`"
        )
    elif found.status != "InService":
        yield f"it is {found.status}; wait until it is InService"


def _carried_on(found: FoundEndpoint, settings: EndpointSettings, instances: int, capture_said: bool) -> Iterator[str]:
    if found.extras:
        yield f"it uses {', '.join(found.extras)}, which the configurations that Sluice makes would not have"
    if found.kms_key_arn != settings.kms_key_arn:
        has, given = found.kms_key_arn or "no key", settings.kms_key_arn or "no key"
        yield f"its volumes are encrypted with {has}, but `kms_key_arn` says {given}. Make them agree"
    if found.captures and not capture_said:
        percent, destination = found.captures
        yield (
            f"it captures {percent} % of its requests to {destination}, and the configuration does not say what comes of that. "
            f"Set `data_capture: {{sampling_percent: {percent}, destination: {destination}}}` to keep it, or "
            "`data_capture: {sampling_percent: 0}` to end it with the next release"
        )
    if found.instances > instances:
        yield f"it runs {found.instances} instances and the next release would get {instances}; set `instances: {found.instances}` or more"


def _same_release(found: FoundEndpoint, said: Release) -> Iterator[str]:
    """Word for word: what is recorded as champion is what a rollback will be proud of."""
    differing = [
        ("artifact", found.artifact_url, said.artifact.url, found.artifact_url == said.artifact.url),
        ("image", found.images[-1] if found.images else None, said.image, said.image in found.images),
        ("environment", dict(found.environment), dict(said.environment), found.environment == said.environment),
        ("instance type", found.instance_type, said.instance_type, found.instance_type == said.instance_type),
    ]
    for what, serves, claimed, same in differing:
        if not same:
            yield (
                f"it serves {what} {serves}, but release {said.name} has {claimed}. Set `release` to what serves now; "
                "the next `pulumi up` may ask for another"
            )
