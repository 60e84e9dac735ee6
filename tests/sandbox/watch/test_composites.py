"""The rule grammar of composite alarms."""

import pytest

from sluice.sandbox.watch.composites import RuleFault, parse_rule

STATES = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA", "sluice/x y/blue": "ALARM"}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ('ALARM("a")', True),
        ("ALARM(a)", True),
        ('ALARM("b")', False),
        ('ALARM("a") AND NOT OK("b")', False),
        ('ALARM("a") AND OK("b") AND INSUFFICIENT_DATA(c)', True),
        ('ALARM("b") OR ALARM("a") AND OK("b")', True),
        ('(ALARM("b") OR ALARM("a")) AND ALARM("b")', False),
        ('NOT (ALARM("b") OR FALSE)', True),
        ("TRUE", True),
        ('ALARM("sluice/x y/blue")', True),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:a)", True),
        ('ALARM("nowhere")', False),
    ],
)
def test_a_rule_holds_over_the_states_of_its_children(rule: str, holds: bool) -> None:
    assert parse_rule(rule).holds(STATES) is holds


@pytest.mark.parametrize(
    "rule", ["", "ALARM()", "ALARM(a) AND", "(ALARM(a)", "ALARM(a) ALARM(b)", "AND ALARM(a)", "a > 1"]
)
def test_a_rule_that_cannot_be_read_is_an_error_with_a_sentence(rule: str) -> None:
    with pytest.raises(RuleFault, match="composite alarm rule"):
        parse_rule(rule)


def test_the_children_of_a_rule_are_those_it_names() -> None:
    assert parse_rule('ALARM("a") AND NOT (OK("b") OR ALARM("a"))').children() == {"a", "b"}
