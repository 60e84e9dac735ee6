"""Which control plane a name means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from sluice.cli.searching import Served
from sluice.cli.target import Given, Target, find_target, find_targets
from sluice.core.errors import BadInput


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {aws:region: eu-west-1}\n")
    return tmp_path


SERVED = (Served("shop", "dev", "triage"), Served("bank", "prod", "fraud"), Served("bank", "prod", "credit"))


def served(region: str | None) -> Sequence[Served]:
    return SERVED


def nowhere(region: str | None) -> Sequence[Served]:
    raise BadInput(("Parameter Store could not be asked: not allowed",))


def found(folder: Path, name: str = "triage", environment: dict[str, str] | None = None, **options: str) -> Target:
    """By the name and the folder alone."""
    return find_target(Given(name, **options), folder, environment or {}, nowhere)


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


class TestLookingFurther:
    """Where the name and the folder do not say the stack, what the files configure and what is served there does."""

    @pytest.fixture
    def two(self, folder: Path) -> Path:
        (folder / "Pulumi.dev.yaml").write_text("config: {shop:endpoints: {triage: {}}}")
        text = "config: {aws:region: eu-west-2, shop:endpoints: {triage: {}, old: {endpoint_name: legacy}}}"
        (folder / "Pulumi.prod.yaml").write_text(text)
        return folder

    @pytest.mark.parametrize(("name", "stack"), [("prod-triage", "prod"), ("legacy", "prod"), ("dev-triage", "dev")])
    def test_of_two_stack_files_it_is_the_one_that_configures_it(self, two: Path, name: str, stack: str) -> None:
        target = found(two, name)

        assert (target.stack, target.endpoint) == (stack, name)
        assert target.region == ("eu-west-2" if stack == "prod" else None)

    @pytest.mark.parametrize("name", ["dev", "dev/"])
    def test_a_stacks_name_is_enough_where_it_has_one_endpoint(self, two: Path, name: str) -> None:
        assert found(two, name) == Target("shop", "dev", "dev-triage", None, ())

    def test_a_stack_of_several_is_a_question_to_those_who_need_one(self, two: Path) -> None:
        with pytest.raises(
            BadInput, match=r"'prod' has several endpoints \(prod/prod-triage, prod/legacy\). Say which"
        ):
            found(two, "prod")

        several = find_targets(Given("prod"), two, {}, nowhere)
        assert [target.endpoint for target in several] == ["prod-triage", "legacy"]

    def test_no_name_means_all_there_are(self, two: Path) -> None:
        def all_of(environment: dict[str, str]) -> list[str]:
            return [target.endpoint for target in find_targets(Given(""), two, environment, nowhere)]

        assert all_of({}) == ["dev-triage", "prod-triage", "legacy"]
        assert all_of({"PULUMI_STACK": "dev"}) == ["dev-triage"]

    def test_without_a_folder_what_is_served_says_it(self, tmp_path: Path) -> None:
        target = find_target(Given("fraud", region="eu-west-1"), tmp_path, {}, served)

        assert (target.function, target.endpoint, target.region) == ("bank-prod-command", "fraud", "eu-west-1")
        assert target.line("status") == "sluice status prod/fraud --project bank --region eu-west-1"

    @pytest.mark.parametrize("environment", [{}, {"PULUMI_STACK": "prod"}])
    def test_a_stack_that_is_only_served_is_found_too(self, tmp_path: Path, environment: dict[str, str]) -> None:
        several = find_targets(Given("prod"), tmp_path, environment, served)

        assert [(target.project, target.endpoint) for target in several] == [("bank", "fraud"), ("bank", "credit")]

    def test_a_project_that_is_said_leaves_out_the_others(self, tmp_path: Path) -> None:
        with pytest.raises(BadInput, match="there is no endpoint or stack 'fraud'"):
            find_target(Given("fraud", project="shop"), tmp_path, {}, served)

    def test_a_project_that_has_nothing_is_named_beside_what_others_have(self, folder: Path) -> None:
        with pytest.raises(BadInput) as caught:
            find_target(Given("", project="shop", stack="prod"), folder, {}, served)

        assert "there is no endpoint of stack 'prod' in project 'shop' (" in str(caught.value)
        assert "prod/fraud of project bank" in str(caught.value)

    def test_what_is_nowhere_is_said_with_what_there_is(self, tmp_path: Path) -> None:
        with pytest.raises(BadInput) as caught:
            find_target(Given("nosuch"), tmp_path, {}, served)

        assert str(caught.value) == (
            f"NAME: there is no endpoint or stack 'nosuch' (no Pulumi.<stack>.yaml in {tmp_path}; endpoints in Parameter Store: "
            "dev/triage, prod/fraud, prod/credit). Say STACK/ENDPOINT, and check --project, --region and the AWS account."
        )

    def test_who_may_not_look_there_is_told_so(self, tmp_path: Path) -> None:
        with pytest.raises(BadInput, match=r"Parameter Store could not be asked: not allowed\). Say STACK/ENDPOINT"):
            found(tmp_path, "fraud")

    def test_a_stacks_own_name_is_asked_of_its_control_plane_where_nothing_else_is_known(self, folder: Path) -> None:
        assert found(folder, "dev").endpoint == "dev"


def test_name_and_option_must_not_disagree(folder: Path) -> None:
    with pytest.raises(BadInput, match="the name says stack 'dev', the option 'prod'. Say one of them."):
        found(folder, "dev/triage", stack="prod")


@pytest.mark.parametrize("name", ["", "dev/"])
def test_a_stack_without_an_endpoint_is_a_question(folder: Path, name: str) -> None:
    with pytest.raises(BadInput, match="there is no endpoint of stack 'dev'"):
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
