"""Files that are not what they should be, before anybody looks at what they say."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sluice.core.errors import BadInput
from sluice.schema import read_document, read_policy, read_release
from tests.schema.documents import policy_document, release_document


def refusal(path: Path, name: str) -> str:
    with pytest.raises(BadInput) as refused:
        read_release(path, name) if name.endswith(".json") else read_policy(path, name)
    return str(refused.value)


def written(folder: Path, name: str, content: str | bytes) -> str:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return refusal(folder / name, name)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "p.yaml", "p.yaml") == "p.yaml: cannot be read: No such file or directory"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert refusal(tmp_path, "p.yaml") == "p.yaml: cannot be read: Is a directory"


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").touch(mode=0o000)

    assert refusal(tmp_path / "p.yaml", "p.yaml") == "p.yaml: cannot be read: Permission denied"


def test_a_path_that_no_system_knows_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a\0b.yaml", "p.yaml") == "p.yaml: cannot be read: embedded null byte"


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    assert written(tmp_path, "p.yaml", "") == "p.yaml: is empty"
    assert written(tmp_path, "p.yaml", "# nothing but a comment\n") == "p.yaml: is empty"


def test_a_file_in_another_encoding_names_the_line(tmp_path: Path) -> None:
    assert written(tmp_path, "p.yaml", "version: 1\n# café\n".encode("latin-1")) == (
        "p.yaml: line 2: is not UTF-8 text; save the file as UTF-8"
    )
    assert written(tmp_path, "p.yaml", "version: 1\n".encode("utf-16")) == (
        "p.yaml: line 1: is not UTF-8 text; save the file as UTF-8"
    )


def test_a_file_that_is_far_too_large_is_not_parsed(tmp_path: Path) -> None:
    assert written(tmp_path, "p.yaml", "#" * 300_000) == (
        "p.yaml: has more than 256 KB; policies and releases have a few"
    )


def test_a_device_without_an_end_is_left_alone() -> None:
    assert refusal(Path("/dev/zero"), "p.yaml") == "p.yaml: has more than 256 KB; policies and releases have a few"


@pytest.mark.parametrize("name", ["p.yaml", "r.json"])
def test_nesting_without_end_is_refused(tmp_path: Path, name: str) -> None:
    assert written(tmp_path, name, "[" * 100_000) == f"{name}: cannot be parsed: is nested too deep"


def test_a_number_that_fills_the_file_is_refused(tmp_path: Path) -> None:
    assert written(tmp_path, "p.yaml", "version: " + "9" * 5000) == (
        f"p.yaml: line 1, column 10: cannot be parsed: '{'9' * 60}' is not a number"
    )
    assert written(tmp_path, "r.json", '{"schema": ' + "9" * 5000 + "}").startswith("r.json: cannot be parsed: Exceeds")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{'schema': 1}", "line 1, column 2: cannot be parsed: Expecting property name enclosed in double quotes"),
        ('{"schema": 1,}', "line 1, column 13: cannot be parsed: Illegal trailing comma before end of object"),
        ('{"schema": 1, "schema": 1}', "cannot be parsed: key 'schema' is given twice"),
        ("", "line 1, column 1: cannot be parsed: Expecting value"),
        ("[]", "must be a mapping of keys to values, got a list"),
        ("null", "is empty"),
    ],
)
def test_json_that_is_broken_names_the_place(tmp_path: Path, content: str, sentence: str) -> None:
    found = written(tmp_path, "r.json", content)

    if "trailing comma" in sentence and "trailing comma" not in found:
        sentence = sentence.replace("column 13", "column 14").replace(
            "Illegal trailing comma before end of object", "Expecting property name enclosed in double quotes"
        )  # Python up to 3.12
    assert found == f"r.json: {sentence}"


def test_a_release_may_be_yaml_as_well(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(json.dumps(release_document(), indent=1))

    assert read_release(tmp_path / "r.yaml").name == "v1"


def _write(folder: Path, document: dict[str, Any]) -> Path:
    file = folder / "document.json"
    file.write_text(json.dumps(document))
    return file


def test_a_document_is_told_apart_by_its_keys(tmp_path: Path) -> None:
    assert read_document(_write(tmp_path, release_document())).name == "v1"
    assert read_document(_write(tmp_path, policy_document())).min_samples == 100
    with pytest.raises(BadInput, match="is neither a rollout policy"):
        read_document(_write(tmp_path, {"just": "notes"}))
