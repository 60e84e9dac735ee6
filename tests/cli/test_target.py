"""Which control plane a name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice.cli.target import Given, Target, find_target
from sluice.core.errors import BadInput


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {aws:region: eu-west-1}\n")
    return tmp_path


def found(folder: Path, name: str = "triage", environment: dict[str, str] | None = None, **options: str) -> Target:
    return find_target(Given(name, **options), folder, environment or {})


def test_a_name_alone_is_enough_where_there_is_one_stack(folder: Path) -> None:
    assert found(folder) == Target("shop", "dev", "triage", "eu-west-1", ())


def test_a_folder_below_is_as_good(folder: Path) -> None:
    (folder / "policies").mkdir()

    assert found(folder / "policies").project == "shop"


def test_the_name_says_the_stack(folder: Path) -> None:
    (folder / "Pulumi.prod.yaml").write_text("")

    assert found(folder, "prod/triage") == Target("shop", "prod", "triage", None, ())


@pytest.mark.parametrize("environment", ["prod", "acme/shop/prod"])
def test_the_environment_says_the_stack_and_an_organization_is_left_out(folder: Path, environment: str) -> None:
    assert found(folder, environment={"PULUMI_STACK": environment}).stack == "prod"
    assert found(folder, "acme/prod/triage").stack == "prod"


def test_options_win_and_are_repeated_in_command_lines(folder: Path) -> None:
    target = found(folder, environment={"PULUMI_STACK": "x"}, project="other", stack="prod", region="us-east-2")

    assert (target.project, target.stack, target.region) == ("other", "prod", "us-east-2")
    assert target.line("abort", "--reason", "a b") == (
        "sluice abort prod/triage --project other --region us-east-2 --reason 'a b'"
    )


def test_without_a_project_file_it_is_sluice(tmp_path: Path) -> None:
    assert found(tmp_path, "dev/triage") == Target("sluice", "dev", "triage", None, ())


def test_two_stacks_are_a_question(folder: Path) -> None:
    (folder / "Pulumi.prod.yaml").write_text("")

    with pytest.raises(BadInput) as caught:
        found(folder)

    assert str(caught.value) == (
        f"stack: which one? ({folder} has dev, prod). Say stack/triage, or give --stack, or set PULUMI_STACK."
    )


def test_no_stack_at_all_is_a_question_too(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"stack: which one\? \(no Pulumi.<stack>.yaml in "):
        found(tmp_path)


def test_name_and_option_must_not_disagree(folder: Path) -> None:
    with pytest.raises(BadInput, match="the name says stack 'dev', the option 'prod'. Say one of them."):
        found(folder, "dev/triage", stack="prod")


@pytest.mark.parametrize("name", ["", "dev/"])
def test_an_endpoint_must_be_named(folder: Path, name: str) -> None:
    with pytest.raises(BadInput, match="NAME: must be an endpoint's name or stack/endpoint, got"):
        found(folder, name)


def test_a_broken_project_file_is_named(folder: Path) -> None:
    (folder / "Pulumi.yaml").write_text("name: [")

    with pytest.raises(BadInput, match=r"Pulumi.yaml: cannot be read: while parsing"):
        found(folder)


@pytest.mark.parametrize("text", ["- a list", "config: nothing", "config: {aws:region: 5}"])
def test_a_stack_file_without_a_region_leaves_it_to_boto3(folder: Path, text: str) -> None:
    (folder / "Pulumi.dev.yaml").write_text(text)

    assert found(folder).region is None


class TestASharedControlPlane:
    """A stack of endpoints only: everything about them is kept by the stack that its configuration names."""

    @pytest.fixture
    def ward(self, folder: Path) -> Path:
        text = "config: {aws:region: eu-west-1, shop:control_plane: acme/platform/prod}"
        (folder / "Pulumi.ward.yaml").write_text(text)
        return folder

    def test_functions_and_records_are_those_of_the_stack_that_is_named(self, ward: Path) -> None:
        target = found(ward, "ward/triage")

        assert (target.function, target.of("archive")) == ("platform-prod-command", "platform-prod-archive")
        assert target.table == "platform-prod"
        assert (target.project, target.stack) == ("shop", "ward"), "it is still the ward's endpoint"
        assert target.line("status") == "sluice status ward/triage"

    def test_another_project_is_not_served_by_what_this_folder_says(self, ward: Path) -> None:
        assert found(ward, "ward/triage", project="other").table == "other-ward"

    @pytest.mark.parametrize("text", ["prod", "acme/prod", "acme//prod", "{a: 1}"])
    def test_a_name_that_is_not_whole_is_refused(self, ward: Path, text: str) -> None:
        (ward / "Pulumi.ward.yaml").write_text(f"config: {{shop:control_plane: {text}}}")

        with pytest.raises(BadInput, match=r"Pulumi.ward.yaml: config.shop:control_plane: must be <organization>"):
            found(ward, "ward/triage")
