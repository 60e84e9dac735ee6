"""A file that may be a rollout policy or a release document. What each may say is decided in `policy` and `release`."""

from __future__ import annotations

from pathlib import Path

from sluice.core.errors import BadInput
from sluice.core.policy import Policy
from sluice.core.release import Release
from sluice.schema.policy import parse_policy
from sluice.schema.policy_document import Policy as PolicyDocument
from sluice.schema.reading import load
from sluice.schema.release import ReleaseDocument, parse_release


def read_document(path: Path) -> Policy | Release:
    """The rollout policy or the release document in a file, told apart by its keys; raises BadInput with every fault found."""
    document = load(path, str(path))
    keys = document.keys() if isinstance(document, dict) else frozenset()
    if keys & _keys(ReleaseDocument):
        return parse_release(document, str(path))
    if keys & _keys(PolicyDocument) or document is None:
        return parse_policy(document, str(path))
    raise BadInput(
        (f"{path}: is neither a rollout policy (with `steps`, `metrics`) nor a release (with `artifact`, `image`)",)
    )


def _keys(model: type[PolicyDocument | ReleaseDocument]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in model.model_fields.items())
