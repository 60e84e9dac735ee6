"""A document that outgrows one policy is spread over several, which allow the same and never let a resource go in between."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.iam_documents import Document
from infra.iam_packing import INLINE_LIMIT, MANAGED_LIMIT, Packed, PolicyTooLong, length, pack
from infra.permission_scope import scope_of
from infra.permissions import FUNCTION_DOCUMENTS
from tests.infra.stacks import NAMES, spec

MANY = 100
COUNTS = (1, 8, 9, 40, 41, 80, MANY, 300)


def whole(word: str, endpoints: int) -> Document:
    stack = spec()
    (endpoint,) = stack.endpoints
    many = tuple(replace(endpoint, name=f"e{i}", endpoint_name=f"dev-checkout-model-{i}") for i in range(endpoints))
    return FUNCTION_DOCUMENTS[word](scope_of(NAMES, replace(stack, endpoints=many)))


def allowed(*documents: Document) -> set[tuple[str, str, str]]:
    """Every action on every resource, with its condition."""
    return {
        (action, resource, str(statement.get("Condition")))
        for document in documents
        for statement in document["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def policies(packed: Packed) -> tuple[Document, ...]:
    return (packed.inline, *packed.managed)


@pytest.mark.parametrize("word", FUNCTION_DOCUMENTS)
@pytest.mark.parametrize("endpoints", COUNTS)
def test_together_the_policies_allow_what_the_document_allows(word: str, endpoints: int) -> None:
    document = whole(word, endpoints)

    packed = pack(document)

    assert allowed(*policies(packed)) == allowed(document)
    assert length(packed.inline) <= INLINE_LIMIT
    assert all(length(each) <= MANAGED_LIMIT for each in packed.managed)
    assert all(each["Statement"] for each in packed.managed)


def test_a_small_stack_has_inline_policies_only() -> None:
    assert [pack(whole(word, 10)).managed for word in FUNCTION_DOCUMENTS] == [()] * len(FUNCTION_DOCUMENTS)


@pytest.mark.parametrize("word", FUNCTION_DOCUMENTS)
def test_one_more_endpoint_moves_nothing_from_policy_to_policy_unless_there_are_more_policies(word: str) -> None:
    """Policies are updated one after the other: what moved would be denied for a moment, also to a rollback."""
    for endpoints in range(30, 120):
        before, after = pack(whole(word, endpoints)), pack(whole(word, endpoints + 1))
        if len(before.managed) == len(after.managed):
            kept = zip(policies(before), policies(after), strict=True)
            assert all(allowed(old) <= allowed(new) for old, new in kept), f"at {endpoints}"


@pytest.mark.parametrize("word", FUNCTION_DOCUMENTS)
def test_when_policies_double_each_takes_over_from_one_before_it(word: str) -> None:
    """So it is enough that a policy waits for those with higher numbers, as `control_functions` has it."""
    for endpoints in range(30, 200):
        before, after = policies(pack(whole(word, endpoints))), policies(pack(whole(word, endpoints + 1)))
        for number, document in enumerate(before):
            lost = allowed(document) - allowed(after[number])
            assert lost <= allowed(*after[number + 1 :]), f"at {endpoints}, policy {number}"


def test_what_fits_into_no_number_of_policies_is_an_error() -> None:
    with pytest.raises(PolicyTooLong, match="IAM takes 10240 in a role and 8 policies of 6144"):
        pack(whole("tick", 1000))
