"""Metric-math expressions as trees: tokens, precedence, names.

Decides what CloudWatch would accept as an expression and says in a sentence why not; what a tree means is left to
`arithmetic`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

FUNCTIONS = frozenset(
    (
        "ABS",
        "AVG",
        "CEIL",
        "DATAPOINT_COUNT",
        "DIFF",
        "FILL",
        "FLOOR",
        "IF",
        "MAX",
        "METRICS",
        "MIN",
        "PERIOD",
        "RATE",
        "SUM",
        "TIME_SERIES",
    )
)
"""The functions the sandbox evaluates; CloudWatch has more."""


class MathFault(ValueError):
    """An expression CloudWatch would refuse, said in a sentence."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operation: `op` is a function's or operator's name, or "number", "id", "text", "word", "list"."""

    op: str
    args: tuple["Node", ...] = ()
    leaf: str = ""


_TOKEN = re.compile(
    r'\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|([A-Za-z][A-Za-z0-9_]*)|"([^"]*)"|(<=|>=|==|!=|&&|\|\||[-+*/^<>(),\[\]]))'
)
_LEVELS = (("OR", "||"), ("AND", "&&"), ("<", "<=", ">", ">=", "==", "!="), ("+", "-"), ("*", "/"))
_SAME = {"&&": "AND", "||": "OR"}
_FILLERS = ("REPEAT", "LINEAR")


@lru_cache(maxsize=1024)
def parse(expression: str) -> Node:
    """The expression as a tree. MathFault where CloudWatch would refuse it."""
    return _Parser(expression).whole()


class _Parser:
    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = list(self._tokens())
        self.at = 0

    def _tokens(self) -> Iterator[tuple[str, str]]:
        at = 0
        text = self.expression.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise self.fault(f"cannot read {text[at:].strip()!r}")
            kinds = ("number", "name", "text", "sign")
            yield next((kind, part) for kind, part in zip(kinds, match.groups(), strict=True) if part is not None)
            at = match.end()

    def fault(self, what: str) -> MathFault:
        return MathFault(f"metric math {self.expression!r}: {what}")

    def peek(self) -> str:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")
        return "" if kind == "text" else text

    def take(self, wanted: str) -> None:
        if self.peek() != wanted:
            raise self.fault(f"expected {wanted!r}, got {self.peek() or 'the end'!r}")
        self.at += 1

    def whole(self) -> Node:
        node = self.level(0)
        if self.at < len(self.tokens):
            word = self.peek()
            hint = f" (write {word.upper()})" if word.upper() in ("AND", "OR") else ""
            raise self.fault(f"expected an operator, got {word!r}{hint}")
        return node

    def level(self, depth: int) -> Node:
        if depth == len(_LEVELS):
            return self.negated()
        node = self.level(depth + 1)
        while (sign := self.peek()) in _LEVELS[depth]:
            self.at += 1
            node = Node(_SAME.get(sign, sign), (node, self.level(depth + 1)))
        return node

    def negated(self) -> Node:
        if self.peek() == "-":
            self.at += 1
            return Node("negate", (self.negated(),))
        base = self.atom()
        if self.peek() == "^":
            self.at += 1
            return Node("^", (base, self.negated()))
        return base

    def atom(self) -> Node:
        if self.at == len(self.tokens):
            raise self.fault("ends where a value was expected")
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind in ("number", "text"):
            return Node(kind, leaf=text)
        if kind == "name":
            return self.named(text)
        if text == "(":
            node = self.level(0)
            self.take(")")
            return node
        if text == "[":
            return Node("list", self.arguments("]"))
        raise self.fault(f"expected a value, got {text!r}")

    def named(self, text: str) -> Node:
        if self.peek() == "(":
            self.at += 1
            if text not in FUNCTIONS and text.upper() in FUNCTIONS:
                raise self.fault(f"function names are upper case: {text.upper()}, not {text}")
            if text not in FUNCTIONS:
                raise self.fault(f"the sandbox knows no function {text} (it knows {', '.join(sorted(FUNCTIONS))})")
            return Node(text, self.arguments(")"))
        if text in _FILLERS:
            return Node("word", leaf=text)
        if not text[0].islower():
            raise self.fault(f"{text!r} is no id: an id starts with a lower-case letter")
        return Node("id", leaf=text)

    def arguments(self, closing: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while self.peek() != closing:
            if found:
                self.take(",")
            found.append(self.level(0))
        self.take(closing)
        return tuple(found)


@lru_cache(maxsize=1024)
def names(expression: str) -> frozenset[str]:
    """The ids an expression refers to. MathFault where CloudWatch would refuse it."""
    return _names(parse(expression))


def _names(node: Node) -> frozenset[str]:
    own = frozenset({node.leaf}) if node.op == "id" else frozenset()
    return own.union(*(_names(arg) for arg in node.args))
