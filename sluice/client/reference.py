"""For Pulumi programs: the exports of a Sluice stack by StackReference, typed. The only module here that needs pulumi."""

from __future__ import annotations

from pathlib import Path

import pulumi

from sluice.client.contract import Contract, EndpointContract, contract_from

_PACKAGE = Path(__file__).resolve().parents[1]
_CODE = ("__init__.py", "core/**/*.py", "client/*.py")
_EXPORTS = ("contract_version", "endpoints", "control_plane")


class SluiceStack:
    """A stack of the platform team. `name` is `<organization>/<project>/<stack>`, as `pulumi stack ls` shows it.

    Fields of outputs are outputs: `stack.endpoint("triage").endpoint_name`. A stack that speaks another version of the
    contract, or lacks the endpoint, fails the run with a sentence (`BadInput`).
    """

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        reference = pulumi.StackReference(name, opts=opts)
        self.contract: pulumi.Output[Contract] = reference.outputs.apply(
            lambda outputs: contract_from({key: outputs[key] for key in _EXPORTS if key in outputs})
        )

    def endpoint(self, name: str) -> pulumi.Output[EndpointContract]:
        """One endpoint, by its name in the platform's configuration."""
        return self.contract.apply(lambda contract: contract.endpoint(name))

    def serving_json(self, name: str) -> pulumi.Output[str]:
        """What the application reads with `serving_from_json`: put it into its environment."""
        return self.endpoint(name).apply(lambda endpoint: endpoint.serving.to_json())


def client_code() -> dict[str, pulumi.Asset | pulumi.Archive]:
    """`sluice.client` as files for a Lambda function's archive: no layer, no build. boto3 comes with the runtime."""
    files = sorted({file for pattern in _CODE for file in _PACKAGE.glob(pattern)})
    return {f"sluice/{file.relative_to(_PACKAGE).as_posix()}": pulumi.FileAsset(str(file)) for file in files}
