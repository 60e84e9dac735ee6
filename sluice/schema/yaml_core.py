"""YAML by the core schema of version 1.2, which is how editors and JSON readers see it. Leaves files to `reading`.

`yes`, `no`, `on` and `off` are text, `010` is ten, there are no dates and no numbers to base 60; a key given twice is refused.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import yaml

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_UNCHANGED = (*(_TAG + name for name in ("null", "str", "seq", "map")),)
"""What PyYAML constructs as the core schema does."""
_PLAIN = (
    ("null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
    ("bool", "|".join(_TRUE + _FALSE), tuple("tTfF")),
    ("int", r"[-+]?[0-9]+", tuple("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", tuple("-+.0123456789")),
    ("merge", r"<<", ("<",)),
)
"""What a word without quotes can be besides text, and the characters that it can begin with. Asked in this order."""


class CoreSchemaLoader(yaml.SafeLoader):
    """For `yaml.load`. The second of two equal keys would silently win, so they are refused."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 - as PyYAML declares it
    yaml_constructors: ClassVar[dict[Any, Any]] = {tag: yaml.SafeLoader.yaml_constructors[tag] for tag in _UNCHANGED}

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        """Looked at before merges are resolved, where a key may rightly come twice."""
        node = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, value in node.value:
            if key.tag == _MERGE and not isinstance(value, yaml.MappingNode):
                raise _refusal(key, "<< takes one mapping; lists of them could multiply without end")
            if not isinstance(key, yaml.ScalarNode):
                raise _refusal(key, "a key must be text")
            if (key.tag, key.value) in seen:
                raise _refusal(key, f"key {key.value!r} is given twice")
            seen.add((key.tag, key.value))
        return node


def _boolean(loader: CoreSchemaLoader, node: yaml.ScalarNode) -> bool:
    text = loader.construct_scalar(node)
    if text not in _TRUE + _FALSE:
        raise _refusal(node, f"{text!r} is neither true nor false")
    return text in _TRUE


def _integer(loader: CoreSchemaLoader, node: yaml.ScalarNode) -> int:
    return int(_digits(loader.construct_scalar(node), node))


def _number(loader: CoreSchemaLoader, node: yaml.ScalarNode) -> float:
    return float(_digits(loader.construct_scalar(node), node))


def _digits(text: str, node: yaml.ScalarNode) -> str:
    """What is tagged as a number by hand may be anything; beyond 4,300 digits Python refuses to read one."""
    if not re.fullmatch(r"[-+.0-9eE]{1,400}", text):
        raise _refusal(node, f"{text[:60]!r} is not a number")
    return text


def _unknown(loader: CoreSchemaLoader, node: yaml.Node) -> None:  # noqa: ARG001 - PyYAML's signature
    raise _refusal(node, f"the tag {node.tag!r} means nothing here; remove it")


def _refusal(node: yaml.Node, why: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, why, node.start_mark)


def position(fault: yaml.MarkedYAMLError) -> str:
    """Line and column, for the front of a sentence."""
    mark = fault.problem_mark or fault.context_mark
    return f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""


def problem(fault: yaml.MarkedYAMLError) -> str:
    """What PyYAML ran into, and inside of what."""
    if r"character '\t'" in (fault.problem or ""):
        return "a tab cannot begin anything in YAML; indent with spaces"
    if "another document" in (fault.problem or ""):
        return "a second document begins here; give each a file of its own"
    begun = f" ({fault.context} begun in line {fault.context_mark.line + 1})" if fault.context_mark else ""
    return f"{fault.problem}{begun}"


for _name, _pattern, _first in _PLAIN:
    CoreSchemaLoader.add_implicit_resolver(_TAG + _name, re.compile(f"^(?:{_pattern})$"), _first)
CoreSchemaLoader.add_constructor(_TAG + "bool", _boolean)
CoreSchemaLoader.add_constructor(_TAG + "int", _integer)
CoreSchemaLoader.add_constructor(_TAG + "float", _number)
CoreSchemaLoader.add_constructor(None, _unknown)
