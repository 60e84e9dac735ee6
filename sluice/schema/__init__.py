"""The one door for what people write: rollout policies, release documents and stack configuration become core types here.

Every fault is reported at once, each with file and path, and nothing has changed by then. The Lambdas do not carry this
package: they read the JSON snapshots that `sluice.core.record` writes.
"""

from __future__ import annotations

from sluice.schema.document import read_document
from sluice.schema.policy import parse_policy, read_policy
from sluice.schema.release import parse_release, read_release
from sluice.schema.stack import parse_stack
from sluice.schema.stack_spec import AuditSpec, DrillSpec, EndpointSpec, Owner, StackSpec

__all__ = [
    "AuditSpec",
    "DrillSpec",
    "EndpointSpec",
    "Owner",
    "StackSpec",
    "parse_policy",
    "parse_release",
    "parse_stack",
    "read_document",
    "read_policy",
    "read_release",
]
