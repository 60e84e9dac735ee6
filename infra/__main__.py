"""The Pulumi program: configuration in, components, exports out. What each of them is, is decided in the modules beside it."""

from __future__ import annotations

import pulumi

from infra.bundle import ROOT
from infra.stack import stack
from infra.stack_config import stack_document
from sluice.core.errors import BadInput
from sluice.schema import parse_stack


def main() -> None:
    """Register the stack, or stop before anything is registered with a sentence per fault."""
    try:
        project = pulumi.get_project()
        spec = parse_stack(stack_document(project), ROOT, project, pulumi.get_stack())
        exports = stack(spec)
    except BadInput as fault:
        raise pulumi.RunError(str(fault)) from None
    for name, value in exports.items():
        pulumi.export(name, value)


if __name__ == "__main__":
    main()
