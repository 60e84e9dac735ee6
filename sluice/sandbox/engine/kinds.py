"""The words in which a resource type is described: which AWS operations make, change, read and remove it.

Decides nothing about a type; the tables are in `resources/`, and `provider` carries them out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sluice.sandbox.engine.translate import Rules
from sluice.sandbox.engine.wire import Properties

ALWAYS = ("region",)  # on every type since pulumi-aws 7; says which client is used, never a parameter


class Refused(Exception):
    """An operation that cannot be done; the message is a sentence that says what to do."""


class Gone(Refused):
    """What is to be read does not exist (where AWS itself answers with an empty list)."""


class Aws(Protocol):
    """The door to AWS: operation names as botocore models spell them (`CreateModel`)."""

    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Call:
    """One operation. `keys` (parameter -> fact) say which thing is meant; a fact is an input, an output or `id`."""

    operation: str
    keys: Mapping[str, str] = field(default_factory=dict)
    sends: tuple[str, ...] | None = None  # None: every property the operation has a parameter for
    constants: Mapping[str, Any] = field(default_factory=dict)
    inside: str = ""  # the parameter that holds the properties, when they are not at the top


@dataclass(frozen=True, slots=True)
class Change:
    """What an operation written as a function is handed. On create `old` is empty and `facts` are the new inputs."""

    facts: Properties
    old: Properties
    new: Properties
    changed: frozenset[str] = frozenset()


Step = Callable[[Aws, Change], dict[str, Any]]
Do = Call | Step


@dataclass(frozen=True, slots=True)
class Part:
    """Properties with an operation of their own: carried out after the create, and whenever one of them changes."""

    properties: tuple[str, ...]
    put: Do
    clear: Do | None = None  # when the properties are gone; None: `put` is called with what is left
    on_create: bool = True  # False: the create call carries them
    also: tuple[str, ...] = ()  # properties of other calls after which this one is due too


@dataclass(frozen=True, slots=True)
class Naming:
    """How Pulumi names what has no name: `<logical name>-<7 hex>`. Not random means the logical name itself."""

    property: str = "name"
    prefix: str = "namePrefix"
    longest: int = 255
    random: bool = True
    lower: bool = False
    suffix: Callable[[Properties], str] = lambda _: ""


@dataclass(frozen=True, slots=True)
class Tagging:
    tag: Do
    untag: Do | None = None  # None: `tag` replaces the whole set
    on_create: bool = True  # the create call takes tags


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource type. `force_new` lists property paths; with `"*"` everything replaces but `in_place`."""

    type: str
    service: str
    create: Do
    delete: Do | None
    read: Do | None = None
    update: Do | None = None
    parts: tuple[Part, ...] = ()
    id: str = "{name}"  # over the inputs; "@a.b" is a path in the answer to create
    computed: Mapping[str, str] = field(default_factory=dict)  # output -> path in the answer to read (or create)
    volatile: tuple[str, ...] = ()  # outputs any update may change: unknown in a preview
    formats: Mapping[str, str] = field(default_factory=dict)  # output -> text over the facts
    naming: Naming | None = None
    tagging: Tagging | None = None
    rules: Rules = field(default_factory=Rules)
    force_new: tuple[str, ...] = ()
    in_place: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    cleared: Mapping[str, Any] = field(default_factory=dict)  # what an update sends for a property that is gone
    documents: tuple[str, ...] = ()  # properties that hold JSON; an object is written out
    unordered: tuple[str, ...] = ()  # lists that are sets
    known: tuple[str, ...] = ()  # properties handled by functions, which no shape can vouch for
    reshape: Callable[[Properties], Properties] = lambda properties: properties
    replaces: Callable[[Properties, str], bool] | None = None  # told the new inputs and which property changed
    settled: Callable[[Aws, Properties, str], None] | None = None  # waits; told "create", "update" or "delete"

    @property
    def inline_tags(self) -> bool:
        return self.tagging is not None and self.tagging.on_create
