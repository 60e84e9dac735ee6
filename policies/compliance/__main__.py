"""Where Pulumi starts the pack: `pulumi preview --policy-pack policies/compliance`."""

from __future__ import annotations

from sluice_compliance.pack import serve

if __name__ == "__main__":
    serve()
