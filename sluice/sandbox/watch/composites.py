"""The rule grammar of composite alarms: ALARM("a") AND NOT (OK("b") OR INSUFFICIENT_DATA(c)).

Decides whether a rule holds over the states of its children; when to ask is left to `alarms`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(
    r'\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]*)"|([^()"]+?))\s*\)|(AND|OR|NOT|TRUE|FALSE)\b|([()]))'
)


class RuleFault(ValueError):
    """A composite alarm's rule that CloudWatch would refuse, said in a sentence."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One term: `op` is AND, OR, NOT, TRUE, FALSE, or the state that the alarm `child` must be in."""

    op: str
    parts: tuple["Rule", ...] = ()
    child: str = ""

    def holds(self, states: Mapping[str, str]) -> bool:
        match self.op:
            case "AND":
                return all(part.holds(states) for part in self.parts)
            case "OR":
                return any(part.holds(states) for part in self.parts)
            case "NOT":
                return not self.parts[0].holds(states)
            case "TRUE" | "FALSE":
                return self.op == "TRUE"
            case state:
                return states.get(self.child) == state

    def children(self) -> frozenset[str]:
        own = frozenset({self.child}) if self.child else frozenset()
        return own.union(*(part.children() for part in self.parts))


@lru_cache(maxsize=256)
def parse_rule(text: str) -> Rule:
    """The rule as a tree; a child may be named by its name or its ARN. RuleFault where it cannot be read."""
    tokens = _tokens(text)
    rule, rest = _either(tokens, text)
    if rest:
        raise _fault(text, f"ends too late, at {rest[0].op!r}")
    return rule


def _fault(text: str, what: str) -> RuleFault:
    return RuleFault(f"composite alarm rule {text!r}: {what}")


def _tokens(text: str) -> list[Rule]:
    found, at, rule = [], 0, text.rstrip()
    while at < len(rule):
        match = _TOKEN.match(rule, at)
        if match is None:
            raise _fault(text, f"cannot read {rule[at:].strip()!r}")
        state, quoted, bare, word, sign = match.groups()
        child = (quoted or bare or "").rsplit(":alarm:", 1)[-1]
        if state and not child:
            raise _fault(text, f"{state} names no alarm")
        found.append(Rule(state or word or sign, child=child))
        at = match.end()
    return found


def _either(tokens: list[Rule], text: str) -> tuple[Rule, list[Rule]]:
    first, rest = _both(tokens, text)
    parts = [first]
    while rest and rest[0].op == "OR":
        part, rest = _both(rest[1:], text)
        parts.append(part)
    return (Rule("OR", tuple(parts)) if len(parts) > 1 else first), rest


def _both(tokens: list[Rule], text: str) -> tuple[Rule, list[Rule]]:
    first, rest = _term(tokens, text)
    parts = [first]
    while rest and rest[0].op == "AND":
        part, rest = _term(rest[1:], text)
        parts.append(part)
    return (Rule("AND", tuple(parts)) if len(parts) > 1 else first), rest


def _term(tokens: list[Rule], text: str) -> tuple[Rule, list[Rule]]:
    if not tokens:
        raise _fault(text, "ends where a state was expected")
    head, rest = tokens[0], tokens[1:]
    if head.op == "NOT":
        part, rest = _term(rest, text)
        return Rule("NOT", (part,)), rest
    if head.op == "(":
        inner, rest = _either(rest, text)
        if not rest or rest[0].op != ")":
            raise _fault(text, "a parenthesis is not closed")
        return inner, rest[1:]
    if head.op in ("AND", "OR", ")"):
        raise _fault(text, f"expected a state such as ALARM(name), got {head.op!r}")
    return head, rest
