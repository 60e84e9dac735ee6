"""`python -m sluice.schema > policies/schema.json`: the JSON Schema of rollout policies, for editors."""

from __future__ import annotations

import sys

from sluice.schema.json_schema import policy_schema

if __name__ == "__main__":
    sys.stdout.write(policy_schema())
