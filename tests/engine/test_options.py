"""What Pulumi does with the options a program gives its resources, seen in the steps and in the calls to AWS."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluice.sandbox.engine.program import ProgramFailed, RunResult
from tests.acceptance.conftest import Stage
from tests.engine.test_up import done, written

HEAD = """
import json
import pulumi
import pulumi_aws as aws
from pulumi import ResourceOptions as O

TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
SAID = [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop/*"}]
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": SAID})
"""
CONFIG = {"aws:region": "us-east-1"}


class Shop:
    """A small stack whose program is a few lines."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage, self.engine, self.folder = stage, stage.sandbox.engine, folder
        self.calls: list[str] = []
        folder.mkdir()

    def up(self, text: str) -> list[tuple[str, str]]:
        """Steps of this run; `calls` are its calls that change something."""
        return done(self._run("up", text))

    def preview(self, text: str) -> list[tuple[str, str]]:
        return done(self._run("preview", text))

    def _run(self, word: str, text: str) -> RunResult:
        (self.folder / "__main__.py").write_text(HEAD + text)
        before = len(written(self.stage))
        try:
            result: RunResult = getattr(self.engine, word)(self.folder, "shop", "test", CONFIG)
        finally:
            self.calls = written(self.stage)[before:]
        return result


@pytest.fixture
def shop(bare: Stage, tmp_path: Path) -> Shop:
    return Shop(bare, tmp_path / "shop")


def role(path: str, name: str = "", options: str = "") -> str:
    named = f"name='{name}', " if name else ""
    return f"role = aws.iam.Role('role', {named}path='{path}', assume_role_policy=TRUST, opts=O({options}))\n"


POLICY = "aws.iam.RolePolicy('policy', name='p', role=role.name, policy=ALLOW, opts=O())\n"


def test_what_has_a_drawn_name_is_made_anew_before_the_old_one_goes(shop: Shop) -> None:
    shop.up(role("/a/"))

    assert shop.preview(role("/b/")) == [("replace", "role")]
    assert shop.calls == []
    assert shop.up(role("/b/")) == [("replace", "role")]
    assert shop.calls == ["CreateRole", "DeleteRole"]


def test_what_has_a_fixed_name_goes_first_and_takes_what_hangs_on_it_along(shop: Shop) -> None:
    shop.up(role("/a/", "fixed") + POLICY)

    told = shop.preview(role("/b/", "fixed") + POLICY)
    made = shop.up(role("/b/", "fixed") + POLICY)

    assert sorted(made) == sorted(told) == [("replace", "policy"), ("replace", "role")]
    assert shop.calls == ["DeleteRolePolicy", "DeleteRole", "CreateRole", "PutRolePolicy"]


def test_to_delete_first_can_be_asked_for(shop: Shop) -> None:
    shop.up(role("/a/", options="delete_before_replace=True"))

    assert shop.up(role("/b/", options="delete_before_replace=True")) == [("replace", "role")]
    assert shop.calls == ["DeleteRole", "CreateRole"]


def test_what_is_no_longer_named_goes_dependents_first(shop: Shop) -> None:
    first = "first = aws.sqs.Queue('first')\n"
    shop.up(first + "aws.sns.Topic('second', opts=O(depends_on=[first]))\n")

    assert shop.up("") == [("delete", "second"), ("delete", "first")]
    assert shop.calls == ["DeleteTopic", "DeleteQueue"]


def test_what_is_retained_is_left_behind(shop: Shop) -> None:
    shop.up("aws.sqs.Queue('kept', opts=O(retain_on_delete=True))\n")

    assert shop.up("") == [("retain", "kept")]
    assert shop.calls == []


def test_what_is_deleted_with_another_needs_no_call(shop: Shop) -> None:
    shop.up("q = aws.sqs.Queue('q')\naws.sns.Topic('t', opts=O(deleted_with=q))\n")

    assert shop.up("") == [("delete", "t"), ("delete", "q")]
    assert shop.calls == ["DeleteQueue"]


@pytest.mark.parametrize("then", ["", role("/b/", options="protect=True")], ids=["removed", "replaced"])
def test_what_is_protected_neither_goes_nor_is_replaced(shop: Shop, then: str) -> None:
    shop.up(role("/a/", options="protect=True"))

    with pytest.raises(ProgramFailed, match="protect"):
        shop.up(then)

    assert shop.calls == []
    assert shop.up(role("/a/")) == []


def test_ignored_changes_stay_as_they_were_also_deep_down(shop: Shop) -> None:
    shop.up("aws.sqs.Queue('q', delay_seconds=1, tags={'a': '1', 'b': '1'})\n")
    changed = "aws.sqs.Queue('q', delay_seconds=2, tags={'a': '2', 'b': '2'}, opts=O(ignore_changes=%s))\n"

    assert shop.up(changed % "['*']") == []
    assert shop.calls == []
    assert shop.up(changed % "['delaySeconds', 'tags[\"a\"]', 'tagsAll[\"a\"]']") == [("update", "q")]
    assert shop.calls == ["TagQueue"]


def test_a_change_can_be_made_to_replace(shop: Shop) -> None:
    text = "aws.sqs.Queue('q', delay_seconds=%d, opts=O(replace_on_changes=['delaySeconds']))\n"
    shop.up(text % 1)

    assert shop.up(text % 2) == [("replace", "q")]
    assert shop.calls == ["CreateQueue", "DeleteQueue"]


def test_a_new_name_with_an_alias_is_the_same_thing(shop: Shop) -> None:
    shop.up("aws.sqs.Queue('old')\n")

    assert shop.up("aws.sqs.Queue('new', opts=O(aliases=[pulumi.Alias(name='old')]))\n") == []
    assert shop.calls == []


def test_an_option_alone_changes_nothing_on_aws(shop: Shop) -> None:
    shop.up("aws.sqs.Queue('q')\n")

    assert shop.up("aws.sqs.Queue('q', opts=O(protect=True, retain_on_delete=True))\n") == []
    assert shop.calls == []


def test_what_was_made_before_a_failure_is_kept(shop: Shop) -> None:
    good = "q = aws.sqs.Queue('good')\n"
    bad = "aws.iam.RolePolicy('bad', role=q.name, policy='{}')\n"
    with pytest.raises(ProgramFailed):
        shop.up(good + bad)

    assert shop.calls[0] == "CreateQueue"
    assert shop.up(good) == []


def test_what_replaces_something_else_s_input_reaches_it(shop: Shop) -> None:
    """The dependent has the new name before the old thing goes."""
    text = "q = aws.sqs.Queue('q', fifo_queue=%s)\naws.ssm.Parameter('p', name='/p', type='String', value=q.name)\n"
    shop.up(text % "False")

    assert shop.up(text % "True") == [("replace", "q"), ("update", "p")]
    assert shop.calls == ["CreateQueue", "PutParameter", "DeleteQueue"]


def test_things_that_are_not_ours_are_read_and_never_touched(shop: Shop) -> None:
    import boto3

    boto3.client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument="{}")
    text = "theirs = aws.iam.Role.get('theirs', 'theirs')\npulumi.export('arn', theirs.arn)\n"

    shop.up(text)

    assert shop.up(text) == []
    assert shop.up("") == []
    assert shop.calls == []
