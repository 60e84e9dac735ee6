"""Release documents: JSON or YAML to `sluice.core.release`. Leaves whether the artifact is there to `sluice.aws`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from sluice.core import release as core
from sluice.core.errors import BadInput
from sluice.core.record import canonical, encode
from sluice.schema.faults import validated
from sluice.schema.reading import joined, load
from sluice.schema.values import BUCKET_NAME, PrintableName, Strict, VersionOne, Wrong, matching

MOST_BYTES = 32 * 1024
"""An endpoint's record holds up to eight releases (the champion, five before it, a rollout's two) and a policy, in one item of
the table, which takes 400 KB. Eight are also far below what a function takes as its input (6 MB)."""
MOST_TAGS = 40
"""SageMaker takes 50 on an endpoint configuration; ten are left for owners' tags."""
_KEY = r"[^/?#\x00-\x20\x7f][^?#\x00-\x1f\x7f]*"
"""`?` and `#` would cut the key short where the URL is taken apart again."""
_TEXT_LIMIT = 1024
"""SageMaker's, for URLs, header values and everything in an environment."""


def _archive_url(value: str) -> str:
    found = re.fullmatch(r"s3://([^/]*)/(.*)", value, re.DOTALL)
    if not found or not re.fullmatch(BUCKET_NAME, found[1]) or len(value) > _TEXT_LIMIT:
        raise Wrong("must be the S3 URL of a model archive, such as s3://bucket/path/model.tar.gz")
    if not re.fullmatch(_KEY, found[2]):
        raise Wrong("must have a key that does not begin with a slash and holds no ?, # or control character")
    if not value.endswith(".tar.gz"):
        raise Wrong("must end in .tar.gz", "SageMaker unpacks nothing else")
    return value


ArchiveUrl = Annotated[str, AfterValidator(_archive_url)]
Sha256 = Annotated[
    str, matching(r"[0-9a-f]{64}", "must be 64 lower-case hex digits", "`sha256sum model.tar.gz` prints them")
]
ImageDigest = Annotated[
    str,
    matching(
        r"(?=.{1,255}$)[^\s@]+@sha256:[0-9a-f]{64}",
        "must name the image by its digest (<repository>@sha256:<64 hex digits>)",
        "a tag can be moved to another image",
    ),
]
InstanceType = Annotated[
    str, matching(r"ml\.[a-z0-9-]+\.[a-z0-9]+", "must be a SageMaker instance type, such as ml.m5.large")
]
PackageArn = Annotated[
    str,
    matching(
        r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:[0-9]{12}:model-package/[a-zA-Z0-9][a-zA-Z0-9-]{0,62}/[0-9]{1,9}",
        "must be the ARN of a version in a model package group",
        "such as arn:aws:sagemaker:eu-west-1:123456789012:model-package/triage/3",
    ),
]
ContentType = Annotated[str, matching(r"[!-.0-~]{1,100}/[ -~]{1,100}", "must be a content type, such as text/csv")]
EnvironmentKey = Annotated[
    str,
    matching(r"[a-zA-Z_][a-zA-Z0-9_]{0,1023}", "must be letters, digits and underscores, not beginning with a digit"),
]


class ArtifactDocument(Strict):
    """The model archive."""

    url: ArchiveUrl = Field(examples=["s3://bucket/path/model.tar.gz"])
    """Where the archive lies. Never write another archive to the same key."""
    sha256: Sha256 = Field(examples=["<64 hex digits>"])
    """Of the archive; compared with what S3 says of it before anything is served."""


class SmokeDocument(Strict):
    """Requests that must be answered before there is traffic."""

    content_type: ContentType = Field(examples=["text/csv"])
    """Of the inputs."""
    accept: ContentType = "*/*"
    """What is asked for."""
    inputs: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        min_length=1, max_length=20, strict=False, examples=[["1,2,3"]]
    )
    """Request bodies as text. Each must be answered, by the new slot, before it gets traffic."""


class ReleaseDocument(Strict):
    """One model version."""

    schema_: VersionOne = Field(alias="schema", examples=[1])
    """Of this format."""
    name: PrintableName = Field(examples=["v1"])
    """What people call it."""
    artifact: ArtifactDocument = Field(examples=[{"url": "s3://bucket/path/model.tar.gz", "sha256": "<64 hex digits>"}])
    """The model archive."""
    image: ImageDigest = Field(examples=["<repository>@sha256:<64 hex digits>"])
    """The container, by its digest."""
    environment: dict[EnvironmentKey, Annotated[str, Field(max_length=_TEXT_LIMIT)]] = Field(default={}, max_length=100)
    """The container's environment; part of the digest."""
    contract: PrintableName = Field(examples=["1"])
    """The version of what callers send and get; part of the digest."""
    instance_type: InstanceType = Field(examples=["ml.m5.large"])
    """What it runs on; part of the digest."""
    smoke: SmokeDocument = Field(examples=[{"content_type": "text/csv", "inputs": ["1,2,3"]}])
    """Requests that must be answered before there is traffic."""
    metadata: dict[str, Any] = Field(default={})
    """Travels with the release and is no part of its digest: training run, data, evaluation."""
    model_package: PackageArn | None = Field(
        default=None, examples=["arn:aws:sagemaker:eu-west-1:123456789012:model-package/triage/3"]
    )
    """Its entry in the model registry; no part of the digest. It has to be approved, and about this archive and image; if it is
    rejected while the rollout is live, the canary is taken back. See [the model registry](registry.md)."""


def read_release(path: Path, where: str | None = None) -> core.Release:
    """The release document in a JSON or YAML file. `where` is what sentences call the file."""
    called = where or str(path)
    return parse_release(load(path, called), called)


def parse_release(document: object, where: str, prefix: str = "") -> core.Release:
    """The release in a loaded document; raises BadInput with every fault found. `prefix` stands before each path."""
    model = validated(ReleaseDocument, document, where, prefix)
    release = core.Release(
        name=model.name,
        artifact=core.Artifact(model.artifact.url, model.artifact.sha256),
        image=model.image,
        environment=model.environment,
        contract=model.contract,
        instance_type=model.instance_type,
        smoke=core.Smoke(model.smoke.content_type, model.smoke.accept, model.smoke.inputs),
        metadata=model.metadata,
        model_package=model.model_package,
    )
    faults = tuple(f"{where}: {joined(prefix, path)}: {fault}" for path, fault in _size_faults(release))
    if faults:
        raise BadInput(faults)
    return release


def _size_faults(release: core.Release) -> Iterator[tuple[str, str]]:
    """What is fine piece by piece and too much together."""
    parts = {"smoke.inputs": release.smoke.inputs, "metadata": release.metadata, "environment": release.environment}
    sizes = {path: _size(part) for path, part in parts.items()}
    largest = max(sizes, key=lambda path: sizes[path])
    if (size := _size(release)) > MOST_BYTES:
        rule = f"has {sizes[largest]:,} of the release document's {size:,} bytes, at most {MOST_BYTES:,} are possible"
        yield largest, f"{rule}; keep what is large in S3 and name it here"
    if (tags := len(core.release_tags(release))) > MOST_TAGS:
        yield (
            "environment",
            f"takes {tags} tags on the endpoint configuration, at most {MOST_TAGS} are possible; shorten it",
        )


def _size(value: object) -> int:
    return len(canonical(encode(value)).encode())
