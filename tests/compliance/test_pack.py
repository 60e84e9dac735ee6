"""The pack as Pulumi meets it: over gRPC, configured, with programs that follow and break each rule."""

from __future__ import annotations

import json
import re

import grpc
import pytest
from sluice_compliance.rules import RULES

from sluice.sandbox.engine.state import Record
from sluice.sandbox.engine.wire import UNKNOWN
from tests.compliance.analyzing import PACK, Analyzer, planned
from tests.compliance.conftest import Real
from tests.compliance.programs import PROGRAMS, permission_for_everything


def test_every_rule_has_a_program_that_follows_it_and_one_that_breaks_it() -> None:
    assert list(PROGRAMS) == [rule.name for rule in RULES]


@pytest.mark.parametrize("rule", PROGRAMS)
def test_the_program_that_follows_a_rule_passes_and_the_one_that_breaks_it_does_not(pack: Analyzer, rule: str) -> None:
    follows, breaks = PROGRAMS[rule]

    assert [v for v in pack.violations(planned(follows)) if v.rule == rule] == []
    assert [v.level for v in pack.violations(planned(breaks)) if v.rule == rule][:1] == ["mandatory"]


@pytest.mark.parametrize("tells_unknowns", [True, False])
def test_the_real_program_follows_every_rule_in_its_first_preview(
    pack: Analyzer, real: Real, tells_unknowns: bool
) -> None:
    unknown = [record for record in real.previewed if UNKNOWN in json.dumps(record.inputs)]

    assert unknown, "a first preview knows no ARN yet"
    assert pack.violations(real.previewed, tells_unknowns=tells_unknowns) == []


def test_the_real_program_follows_every_rule_after_its_first_update(pack: Analyzer, real: Real) -> None:
    assert pack.violations(real.standing) == []


def test_with_everything_turned_on_the_public_address_of_links_alone_needs_a_reason(
    pack: Analyzer, everything_on: list[Record]
) -> None:
    meant = {"link-url": "links carry a signature of ours", "link-invoke": "the same"}

    told = pack.violations(everything_on)

    assert sorted(violation.urn.rpartition("::")[2] for violation in told) == sorted(meant), told
    assert pack.violations(everything_on, {"no-wildcard-iam": {"publicPermissions": meant}}) == []


def test_descriptions_are_sentences_that_say_what_to_do(pack: Analyzer) -> None:
    for rule in pack.rules():
        assert re.fullmatch(r"[A-Z][^\n]+\.", rule.description)


def test_a_violation_is_about_the_resource_that_is_wrong(pack: Analyzer) -> None:
    (violation, _) = pack.violations(planned(permission_for_everything))

    assert violation.urn == "urn:pulumi:test::shop::aws:iam/rolePolicy:RolePolicy::reports"
    assert violation.message.startswith("'reports', statement Only: the action 's3:*' is a wildcard. Name the calls")


@pytest.mark.parametrize("level", ["advisory", "disabled"])
def test_a_rule_is_advisory_or_off_by_configuration(pack: Analyzer, level: str) -> None:
    config = {"no-wildcard-iam": {"enforcementLevel": level}}

    found = {violation.level for violation in pack.violations(planned(permission_for_everything), config)}

    assert found == ({"advisory"} if level == "advisory" else set())


def test_parameters_reach_the_rule(pack: Analyzer, real: Real) -> None:
    config = {
        "data-captured": {"minimumPercent": 100, "customerKey": True},
        "stores-encrypted": {"customerKeys": ["table"], "enforcementLevel": "advisory"},
    }

    found = pack.violations(real.standing, config)

    assert [(violation.rule, violation.level) for violation in found] == [
        ("data-captured", "mandatory"),
        ("stores-encrypted", "advisory"),
    ]


def test_a_parameter_nobody_knows_is_an_error_not_ignored(pack: Analyzer) -> None:
    """Pulumi checks what the schema names and lets the rest pass."""
    with pytest.raises(grpc.RpcError, match="no-wildcard-iam has no parameter 'anyResources' .it has: anyResource, m"):
        pack.violations(planned(permission_for_everything), {"no-wildcard-iam": {"anyResources": {}}})


def test_the_pack_stands_alone() -> None:
    """It is published, or copied, as this folder and nothing else."""
    imports = [
        (file.name, name)
        for file in PACK.rglob("*.py")
        for name in re.findall(r"^(?:from|import) (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
        if name in ("sluice", "infra", "lambdas")
    ]

    assert imports == []
