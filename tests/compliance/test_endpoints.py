"""Endpoints stay; the first model and configuration are left alone."""

from __future__ import annotations

import pytest
from sluice_compliance.endpoints import bootstrap_left_alone, endpoint_protected
from sluice_compliance.resources import CONFIGURATION, ENDPOINT, MODEL, Resource


def endpoint(*, protect: bool = True, ignores: frozenset[str] = frozenset({"endpointConfigName"})) -> Resource:
    return Resource(ENDPOINT, "shop", {"name": "prod-shop"}, protect=protect, ignore_changes=ignores)


def test_a_protected_endpoint_that_ignores_its_configuration_passes() -> None:
    assert list(endpoint_protected(endpoint())) == []
    assert list(endpoint_protected(endpoint(ignores=frozenset({"*"})))) == []


def test_both_faults_are_told_at_once() -> None:
    unprotected, following = endpoint_protected(endpoint(protect=False, ignores=frozenset({"tags"})))

    assert "'prod-shop' is not protected" in unprotected
    assert "Set the option `ignoreChanges: [endpointConfigName]`" in following


def test_an_exempt_endpoint_may_come_and_go() -> None:
    assert list(endpoint_protected(endpoint(protect=False), exempt=["prod-shop"])) == []


@pytest.mark.parametrize(("kind", "word"), [(MODEL, "model"), (CONFIGURATION, "endpoint configuration")])
def test_ignoring_single_properties_is_not_enough(kind: str, word: str) -> None:
    pair = Resource(kind, "first", ignore_changes=frozenset({"productionVariants", "primaryContainer"}))

    (fault,) = bootstrap_left_alone(pair)

    assert fault.startswith(f"{word} 'first' follows changes of the program")
    assert list(bootstrap_left_alone(pair, exempt=["first"])) == []


def test_the_first_configuration_is_not_deleted_before_the_next_exists() -> None:
    pair = Resource(CONFIGURATION, "first", ignore_changes=frozenset({"*"}), delete_before_replace=True)

    (fault,) = bootstrap_left_alone(pair)

    assert "Remove `deleteBeforeReplace`" in fault


def test_other_resources_are_not_its_business() -> None:
    table = Resource("aws:dynamodb/table:Table", "records")

    assert [*endpoint_protected(table), *bootstrap_left_alone(table)] == []
