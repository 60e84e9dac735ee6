"""SSM: parameters."""

from __future__ import annotations

from sluice.sandbox.engine.kinds import Call, Kind, Naming, Tagging
from sluice.sandbox.engine.translate import Rules

_TAGGED = Call("AddTagsToResource", keys={"ResourceId": "id"}, constants={"ResourceType": "Parameter"})
_UNTAGGED = Call("RemoveTagsFromResource", keys={"ResourceId": "id"}, constants={"ResourceType": "Parameter"})

PARAMETER = Kind(
    type="aws:ssm/parameter:Parameter",
    service="ssm",
    create=Call("PutParameter"),
    read=Call("GetParameter", keys={"Name": "id"}, constants={"WithDecryption": True}),
    update=Call("PutParameter", constants={"Overwrite": True}),
    delete=Call("DeleteParameter", keys={"Name": "id"}),
    computed={"arn": "Parameter.ARN", "version": "Parameter.Version", "value": "Parameter.Value"},
    volatile=("version", "value"),
    naming=Naming(longest=2048, prefix=""),
    tagging=Tagging(_TAGGED, _UNTAGGED),
    rules=Rules(renames={"insecureValue": "Value"}),
    force_new=("name", "dataType", "arn"),
    required=("type",),
    cleared={"description": ""},
)

KINDS = (PARAMETER,)
