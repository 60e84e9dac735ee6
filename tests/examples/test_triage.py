"""The example's five releases do what examples/triage/README.md says of them, served the way SageMaker would."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("sklearn", reason="the example needs the extra `sandbox`")

EXAMPLE = Path(__file__).parents[2] / "examples" / "triage"
VERSIONS = ("v1", "v2", "v3", "v4", "v5")


def load_module(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Served:
    """A release unpacked from its archive and loaded through its own inference.py, as the image does it."""

    document: dict[str, Any]
    handlers: ModuleType
    model: Any

    def answer(self, body: str | bytes, accept: str = "text/csv") -> str:
        rows = self.handlers.input_fn(body, "text/csv")
        text, _ = self.handlers.output_fn(self.handlers.predict_fn(rows, self.model), accept)
        return str(text)


@dataclass(frozen=True)
class Tally:
    """What one release did with every row of the traffic, asked one at a time."""

    right: int
    wrong: int
    failed: int

    @property
    def accuracy(self) -> float:
        return self.right / (self.right + self.wrong)

    @property
    def failing_share(self) -> float:
        return self.failed / (self.right + self.wrong + self.failed)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("triage")
    load_module(EXAMPLE / "train.py", "triage_train").write_all(out)
    return out


@pytest.fixture(scope="module")
def served(written: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Served]:
    return {version: serve(written / version, tmp_path_factory.mktemp(version)) for version in VERSIONS}


@pytest.fixture(scope="module")
def tallies(written: Path, served: dict[str, Served]) -> dict[str, Tally]:
    rows, labels = traffic(written)
    return {version: tally(release, rows, labels) for version, release in served.items()}


def serve(folder: Path, model_dir: Path) -> Served:
    with tarfile.open(folder / "model.tar.gz") as archive:
        archive.extractall(model_dir, filter="data")
    handlers = load_module(model_dir / "code" / "inference.py", f"triage_inference_{folder.name}")
    return Served(json.loads((folder / "release.json").read_text()), handlers, handlers.model_fn(str(model_dir)))


def traffic(written: Path) -> tuple[list[str], list[str]]:
    return (written / "traffic.csv").read_text().splitlines(), (written / "labels.csv").read_text().splitlines()


def tally(release: Served, rows: list[str], labels: list[str]) -> Tally:
    right = wrong = failed = 0
    for row, label in zip(rows, labels, strict=True):
        try:
            said = release.answer(row).split(",")[0]
        except ValueError:
            failed += 1
            continue
        right, wrong = (right + 1, wrong) if said == label else (right, wrong + 1)
    return Tally(right, wrong, failed)


def test_v2_is_measurably_better_than_v1(tallies: dict[str, Tally], served: dict[str, Served]) -> None:
    evaluations = {version: served[version].document["metadata"]["evaluation"] for version in ("v1", "v2")}

    assert tallies["v2"].accuracy > tallies["v1"].accuracy + 0.02
    assert evaluations["v2"]["log_loss"] < evaluations["v1"]["log_loss"]


@pytest.mark.parametrize("version", ["v1", "v2", "v4", "v5"])
def test_only_v3_fails_on_real_rows(version: str, tallies: dict[str, Tally]) -> None:
    assert tallies[version].failed == 0


def test_v3_fails_on_about_a_fifth_of_the_traffic(tallies: dict[str, Tally]) -> None:
    assert 0.15 <= tallies["v3"].failing_share <= 0.25, "the share that README.md and the demo speak of"


def test_v3_looks_fine_offline_since_its_test_rows_were_filtered_like_its_training_rows(
    served: dict[str, Served],
) -> None:
    evaluations = {version: served[version].document["metadata"]["evaluation"] for version in ("v1", "v3")}

    assert evaluations["v3"]["accuracy"] > evaluations["v1"]["accuracy"]
    assert evaluations["v3"]["rows"] < evaluations["v1"]["rows"], "the only trace that its export dropped rows"


def test_v4_is_right_but_asks_the_sandbox_to_be_slow(tallies: dict[str, Tally], served: dict[str, Served]) -> None:
    assert tallies["v4"].accuracy > tallies["v1"].accuracy
    assert int(served["v4"].document["environment"]["SANDBOX_LATENCY_MS"]) > 0
    assert "SANDBOX_LATENCY_MS" not in served["v2"].document["environment"]


def test_v5_raises_nothing_and_is_clearly_worse_though_it_looked_better_offline(
    tallies: dict[str, Tally], served: dict[str, Served]
) -> None:
    offline = {version: served[version].document["metadata"]["evaluation"]["accuracy"] for version in ("v1", "v5")}

    assert tallies["v5"].accuracy < tallies["v1"].accuracy - 0.05
    assert offline["v5"] > offline["v1"]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_release_passes_its_own_smoke_inputs(version: str, served: dict[str, Served]) -> None:
    smoke = served[version].document["smoke"]

    answers = [served[version].answer(body, smoke["accept"]) for body in smoke["inputs"]]

    assert len(answers) == 3
    assert all(answer.split(",")[0] in ("malignant", "benign") for answer in answers)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_release_document_names_the_archive_beside_it(version: str, written: Path) -> None:
    document = json.loads((written / version / "release.json").read_text())
    sha256 = hashlib.sha256((written / version / "model.tar.gz").read_bytes()).hexdigest()

    assert document["name"] == version
    assert document["artifact"]["sha256"] == sha256
    assert document["artifact"]["url"] == f"s3://sluice-example-models/triage/{version}/{sha256[:12]}/model.tar.gz"


def test_two_runs_of_the_script_write_the_same_bytes(tmp_path: Path) -> None:
    """As processes of their own: what else a process has loaded shows in how a pickle shares its strings."""
    for folder, seed, threads in (("first", "3", "2"), ("second", "7", "1")):
        environment = os.environ | {"PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": threads}
        command = [sys.executable, EXAMPLE / "train.py", tmp_path / folder]
        subprocess.run(command, check=True, capture_output=True, env=environment)
    first, second = (contents(tmp_path / folder) for folder in ("first", "second"))

    assert sorted(first) == sorted(second)
    assert [str(path) for path, content in first.items() if second[path] != content] == []


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_several_rows_in_one_request_get_the_answers_they_get_alone(written: Path, served: dict[str, Served]) -> None:
    rows, _ = traffic(written)
    alone = [served["v2"].answer(row) for row in rows[:5]]

    together = served["v2"].answer("\n".join(rows[:5]).encode())

    assert together == "".join(alone)


def test_json_carries_the_same_answers_as_csv(written: Path, served: dict[str, Served]) -> None:
    rows, _ = traffic(written)
    label, probability = served["v1"].answer(rows[0]).strip().split(",")

    assert json.loads(served["v1"].answer(rows[0], "application/json")) == [
        {"label": label, "probability": float(probability)}
    ]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "the request is empty. Send lines of 30 numbers."),
        ("1,2,3", "each line must have 30 numbers, got 3."),
        (",".join(["", *["1"] * 29]), "could not convert string '' to float64"),
    ],
)
def test_a_malformed_body_is_refused_with_a_sentence(body: str, says: str, served: dict[str, Served]) -> None:
    with pytest.raises(ValueError, match=says):
        served["v1"].answer(body)


def test_other_media_types_are_refused_with_a_sentence(served: dict[str, Served]) -> None:
    with pytest.raises(ValueError, match=r"'image/png' is not served\. Send text/csv\."):
        served["v1"].handlers.input_fn("1", "image/png")
    with pytest.raises(ValueError, match=r"cannot answer as 'image/png'\."):
        served["v1"].handlers.output_fn([], "image/png")


def test_the_readme_states_the_measured_numbers(tallies: dict[str, Tally]) -> None:
    readme = (EXAMPLE / "README.md").read_text()
    measured = [
        f"| {version} | {tallies[version].accuracy:.1%} right, {tallies[version].failing_share:.1%} failed |"
        for version in VERSIONS
    ]

    assert [cells for cells in measured if cells not in readme] == []
