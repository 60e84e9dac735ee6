"""A patch of moto's Systems Manager, pinned to 5.2.5: OpsItems, which moto lacks.

Parameters are left as moto has them.
"""

from __future__ import annotations

import json
from typing import Any

from sluice.sandbox.patches import Undo, all_of, replaced


def install_ops_items() -> Undo:
    """OpsItems, which moto does not have: made once for each dedupString, got by id, listed."""
    from moto.core.exceptions import JsonRESTError
    from moto.core.responses import ActionResult
    from moto.ssm.responses import SimpleSystemManagerResponse

    items: dict[str, dict[str, Any]] = {}

    def create(response: Any) -> Any:
        item = json.loads(response.body)
        word = item.get("OperationalData", {}).get("/aws/dedup", {}).get("Value")
        for known in items.values():
            if word is not None and known["OperationalData"].get("/aws/dedup", {}).get("Value") == word:
                raise JsonRESTError(
                    "OpsItemAlreadyExistsException", f"The OpsItem already exists: {known['OpsItemId']}"
                )
        made = {"OpsItemId": f"oi-{len(items) + 1:012x}", "Status": "Open", "OperationalData": {}, **item}
        items[made["OpsItemId"]] = made
        return ActionResult({"OpsItemId": made["OpsItemId"]})

    def get(response: Any) -> Any:
        return ActionResult({"OpsItem": items[json.loads(response.body)["OpsItemId"]]})

    def listed(_response: Any) -> Any:
        return ActionResult({"OpsItemSummaries": list(items.values())})

    return all_of(
        replaced(SimpleSystemManagerResponse, "create_ops_item", create),
        replaced(SimpleSystemManagerResponse, "get_ops_item", get),
        replaced(SimpleSystemManagerResponse, "describe_ops_items", listed),
    )
