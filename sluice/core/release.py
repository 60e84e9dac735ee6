"""A release: an immutable model version, its identity and what travels with it. Leaves checking the artifact to `sluice.aws`."""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sluice.core.errors import BadInput
from sluice.core.record import decode, digest, encode

RELEASE_TAG = "sluice:release"
_TAG_VALUE_CHARACTERS = 240
"""AWS allows 256 characters in a tag value; a margin keeps room for a prefix one day."""
_TAGGED_NUMBERS = 20


@dataclass(frozen=True, slots=True)
class Artifact:
    """The model archive: where it lies and the SHA-256 (hex) of its bytes."""

    url: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Smoke:
    """Requests the release must answer before it sees traffic, in the content type it will be asked in."""

    content_type: str
    accept: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """One model version. `name` and `metadata` are for people; the digest covers only what changes predictions.

    `model_package` is the ARN of its entry in the model registry, which says who approved it; None where there is none.
    """

    name: str
    artifact: Artifact
    image: str
    environment: Mapping[str, str]
    contract: str
    instance_type: str
    smoke: Smoke
    metadata: Mapping[str, Any]
    model_package: str | None = None

    @property
    def digest(self) -> str:
        """Identity: SHA-256 over artifact bytes, image, environment, contract version and instance type."""
        return digest(
            {
                "artifact": self.artifact.sha256,
                "image": image_identity(self.image),
                "environment": dict(self.environment),
                "contract": self.contract,
                "instance_type": self.instance_type,
            }
        )

    def is_called(self, wanted: str) -> bool:
        """By its name, or the beginning of its digest. Nothing is called by an empty name."""
        return bool(wanted) and (wanted == self.name or self.digest.startswith(wanted))

    @property
    def content(self) -> str:
        """What quarantine goes by: artifact and image. A failed model does not come back on another instance type."""
        return digest({"artifact": self.artifact.sha256, "image": image_identity(self.image)})

    @property
    def evaluation(self) -> dict[str, float]:
        """The numbers under `metadata.evaluation`, measured offline. What is no finite number there is not among them."""
        found = self.metadata.get("evaluation")
        return {k: v for k, v in found.items() if _is_number(v)} if isinstance(found, Mapping) else {}

    @property
    def short(self) -> str:
        """First 12 hex digits of the digest, enough for names and sentences."""
        return self.digest[:12]


def release_tags(release: Release) -> dict[str, str]:
    """The release document as AWS tags: how a bootstrap configuration says what it serves, without any table.

    Smoke inputs and metadata stay out (they can be large and are not needed to serve or to restore), but for the numbers of the
    evaluation, which the next release may have to be held against. Tag values may not hold JSON's characters, so the document is
    compressed and base64-encoded, cut into numbered pieces.
    """
    lean = replace(release, smoke=replace(release.smoke, inputs=()), metadata=_evaluation(release))
    packed = base64.b64encode(zlib.compress(json.dumps(encode(lean), sort_keys=True).encode(), 9)).decode()
    pieces = [packed[i : i + _TAG_VALUE_CHARACTERS] for i in range(0, len(packed), _TAG_VALUE_CHARACTERS)]
    return {f"{RELEASE_TAG}:{i}": piece for i, piece in enumerate(pieces)}


def release_from_tags(tags: Mapping[str, str]) -> Release:
    """The release that `release_tags` wrote; raises BadInput when the tags are absent or damaged."""
    pieces: list[str] = []
    while (key := f"{RELEASE_TAG}:{len(pieces)}") in tags:
        pieces.append(tags[key])
    if not pieces:
        raise BadInput((f"no tag {RELEASE_TAG}:0 on the endpoint configuration: Sluice did not make it",))
    try:
        document = json.loads(zlib.decompress(base64.b64decode("".join(pieces), validate=True)))
    except (ValueError, zlib.error) as fault:
        raise BadInput((f"the {RELEASE_TAG} tags on the endpoint configuration are damaged: {fault}",)) from None
    return decode(Release, document, RELEASE_TAG)


def _evaluation(release: Release) -> dict[str, Any]:
    """The first of its numbers, by name."""
    numbers = release.evaluation
    return {"evaluation": dict(sorted(numbers.items())[:_TAGGED_NUMBERS])} if numbers else {}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def image_identity(image: str) -> str:
    """The digest part of `repo@sha256:...`: the same image pulled from a mirror is the same image."""
    return image.rpartition("@")[2]
