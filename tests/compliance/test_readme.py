"""The pack's README shows the rules the pack has, and its example configuration is one the rules take."""

from __future__ import annotations

import json
import os
import re

import pytest
from sluice_compliance.rule import arguments
from sluice_compliance.rules import RULES, table

from tests.compliance.analyzing import PACK

README = PACK / "README.md"
_TABLE = re.compile(r"(?<=<!-- rules -->\n).*?(?=<!-- end of rules -->)", re.DOTALL)


@pytest.mark.golden
def test_the_table_of_rules_is_fresh() -> None:
    text = README.read_text(encoding="utf-8")
    if os.environ.get("SLUICE_GOLDEN") == "write":
        README.write_text(_TABLE.sub(lambda _: f"{table()}\n", text), encoding="utf-8")
        text = README.read_text(encoding="utf-8")

    assert _TABLE.findall(text) == [f"{table()}\n"], "the rules have changed: `make golden`"


def test_the_example_configuration_is_one_the_rules_take() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    rules, said = {rule.name: rule for rule in RULES}, json.loads(block)

    assert set(said) - set(rules) <= {"all"}
    for name, config in said.items():
        if isinstance(config, dict):
            level = config.pop("enforcementLevel", "mandatory")
            assert arguments(rules[name], config)
        else:
            level = config
        assert level in ("advisory", "mandatory", "disabled")
