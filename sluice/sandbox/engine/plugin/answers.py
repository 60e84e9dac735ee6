"""What the real engine asks a provider plugin, answered from the resource tables: one function of request to response each.

The same `provider` functions that the sandbox's monitor uses. Decides nothing about order, protection or replacement: that is
the engine's. Written on the SDK's own messages, because its `pulumi.provider.experimental` refuses files as `Diff` sends them
(by their hash alone) and has no word for a resource that was made but not finished.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2

from sluice.sandbox.engine import lookups, provider
from sluice.sandbox.engine.door import Door, Regional
from sluice.sandbox.engine.drift import is_gone, refreshed
from sluice.sandbox.engine.kinds import Aws, Gone, Kind
from sluice.sandbox.engine.paths import Path, keep_old, text_of
from sluice.sandbox.engine.provider import CheckFailed, Settings
from sluice.sandbox.engine.provisioning import kind_of, settings_from
from sluice.sandbox.engine.translate import Faults
from sluice.sandbox.engine.wire import Properties, decode, encode, holds_unknown

_DIFFERENCE = provider_pb2.PropertyDiff


@dataclass(slots=True)
class Answers:
    """One provider. The engine configures it anew in every command; two providers in one program would share the settings."""

    door: Door = field(default_factory=Door)
    settings: Settings = field(default_factory=Settings)

    def GetPluginInfo(self, _request: Any) -> Any:
        return plugin_pb2.PluginInfo(version="7.51.1")  # of the SDK the tables follow

    def Attach(self, _request: Any) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, _request: Any) -> Any:
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Handshake(self, _request: Any) -> Any:
        """Takes no secrets: the engine then marks outputs itself where the input of that name was one."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=False, accept_resources=False)

    def DiffConfig(self, request: Any) -> Any:
        """Any difference must be told, or the engine goes on with a provider that has the old settings."""
        response, old, new = provider_pb2.DiffResponse, decode(request.old_inputs), decode(request.news)
        changed = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
        return response(changes=response.DIFF_SOME if changed else response.DIFF_NONE, diffs=changed)

    def Configure(self, request: Any) -> Any:
        given = decode(request.args)
        self.settings = settings_from(str(given.get("region", Settings().region)), given.get("defaultTags"), {})
        return provider_pb2.ConfigureResponse(acceptSecrets=False, acceptResources=False, supportsPreview=True)

    def Invoke(self, request: Any) -> Any:
        arguments = decode(request.args)
        answer = lookups.look_up(self._into(arguments), self.settings, request.tok, arguments)
        return provider_pb2.InvokeResponse(**{"return": encode(answer)})

    def Check(self, request: Any) -> Any:
        kind, name = kind_of(_type_in(request.urn)), request.urn.rpartition("::")[2]
        old = decode(request.olds) or None
        draw = request.randomSeed.hex() or request.urn
        try:
            inputs = provider.check(kind, name, decode(request.news), old, draw, self.settings)
        except (CheckFailed, Faults) as wrong:
            failures = [provider_pb2.CheckFailure(reason=sentence) for sentence in wrong.sentences]
            return provider_pb2.CheckResponse(failures=failures)
        return provider_pb2.CheckResponse(inputs=encode(inputs))

    def Diff(self, request: Any) -> Any:
        kind, old = kind_of(_type_in(request.urn)), decode(request.old_inputs)
        new = keep_old(old, decode(request.news), request.ignoreChanges)
        found = provider.diff(kind, old, new)
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if found.changed else response.DIFF_NONE,
            replaces=list(dict.fromkeys(str(path[0]) for path in found.replaces)),
            diffs=list(found.names),
            deleteBeforeReplace=found.delete_before_replace,
            detailedDiff={text_of(path): _difference(path, path in found.replaces, old, new) for path in found.changed},
            hasDetailedDiff=True,
        )

    def Create(self, request: Any) -> Any:
        kind, inputs = kind_of(_type_in(request.urn)), decode(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=encode(_previewed(kind, inputs, None)))
        identity, outputs = provider.create(self._into(inputs), kind, inputs)
        return provider_pb2.CreateResponse(id=identity, properties=encode(outputs))

    def Update(self, request: Any) -> Any:
        kind, old, outputs = kind_of(_type_in(request.urn)), decode(request.old_inputs), decode(request.olds)
        new = keep_old(old, decode(request.news), request.ignoreChanges)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=encode(_previewed(kind, new, outputs)))
        names = (*provider.diff(kind, old, new).names, *_owed(new, outputs))
        after = provider.update(self._into(new), kind, request.id, old, new, outputs, names)
        return provider_pb2.UpdateResponse(properties=encode(after))

    def Read(self, request: Any) -> Any:
        """For `.get()` what exists, for a refresh what has become of it; no id when it is gone."""
        kind, inputs, outputs = kind_of(_type_in(request.urn)), decode(request.inputs), decode(request.properties)
        aws = self._into({**outputs, **inputs})
        seen = refreshed(aws, kind, request.id, inputs, outputs) if inputs else _looked_up(aws, kind, request.id)
        if seen is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=request.id, inputs=encode(seen[0]), properties=encode(seen[1]))

    def Delete(self, request: Any) -> Any:
        kind, inputs, outputs = kind_of(_type_in(request.urn)), decode(request.old_inputs), decode(request.properties)
        provider.delete(self._into(inputs), kind, request.id, inputs, outputs)
        return empty_pb2.Empty()

    def _into(self, properties: Properties) -> Regional:
        return self.door.into(str(properties.get("region") or self.settings.region))


def _type_in(urn: str) -> str:
    """The last of the types: those before it are the parents'."""
    return urn.split("::")[2].rpartition("$")[2]


def _looked_up(aws: Aws, kind: Kind, identity: str) -> tuple[Properties, Properties] | None:
    try:
        return {}, provider.read(aws, kind, identity)
    except (ClientError, Gone) as error:
        if is_gone(error):
            return None
        raise


def _previewed(kind: Kind, inputs: Properties, outputs: Properties | None) -> Properties:
    """With what is given but not known yet, too: a policy pack must be able to tell it from what is not given."""
    unknown = {name: value for name, value in inputs.items() if not name.startswith("__") and holds_unknown(value)}
    return {**unknown, **provider.planned(kind, inputs, outputs)}


def _owed(new: Properties, outputs: Properties) -> list[str]:
    """What a half-made resource still lacks: its outputs do not have it."""
    return [name for name in new if not name.startswith("__") and name not in outputs]


def _difference(path: Path, replaces: bool, old: Properties, new: Properties) -> Any:
    before, after = (_present(inputs, path) for inputs in (old, new))
    word = "UPDATE" if before and after else "ADD" if after else "DELETE"
    return _DIFFERENCE(kind=getattr(_DIFFERENCE, f"{word}_REPLACE" if replaces else word), inputDiff=True)


def _present(value: Any, path: Path) -> bool:
    for step in path:
        if isinstance(value, dict) and step in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return False
    return True
