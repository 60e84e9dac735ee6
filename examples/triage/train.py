"""Trains the five releases of the example `triage` on real data and writes each as an artifact with its release.json.

It decides what each release does well or wrong (README.md tells the stories); how a model is served is inference.py's.
Equal library versions on an equal CPU architecture give byte-equal archives: nothing here reads a clock or is unseeded.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import ExtraTreesClassifier, GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

SEED = 1
DEFAULT_BUCKET = "sluice-example-models"
DEFAULT_PREFIX = "triage"
SMOKE_ROWS = 3

# The columns are three blocks of ten: each measurement's mean, standard error and worst value over a sample's nuclei.
MEAN, ERROR, WORST = range(10), range(10, 20), range(20, 30)
CONTRACT_ORDER = (*MEAN, *ERROR, *WORST)
MEAN_RADIUS = 0

# The repository is SageMaker's own; the digest is made up for the sandbox, which pulls no image. For a real account put
# in the digest of the image your region offers, and train with the scikit-learn version inside it.
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn@sha256:" + (
    hashlib.sha256(b"made up for the sandbox").hexdigest()
)
ENVIRONMENT = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}


@dataclass(frozen=True)
class Table:
    """Labelled samples: rows of (n, 30) measurements."""

    rows: NDArray[np.float64]
    labels: NDArray[np.str_]

    def csv_rows(self) -> list[str]:
        return [",".join(str(float(value)) for value in row) for row in self.rows]

    def sha256(self) -> str:
        lines = (f"{row},{label}\n" for row, label in zip(self.csv_rows(), self.labels, strict=True))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def every_row(rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.ones(len(rows), dtype=bool)


def small_nuclei_only(rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    """v3's mistake: meant to drop pictures of two touching nuclei measured as one, it drops all large nuclei."""
    return rows[:, MEAN_RADIUS] < 17.0


@dataclass(frozen=True)
class Recipe:
    """How one release is made. `keep` and `order`: what its author's export did, to training and test rows alike."""

    name: str
    feature_set: str
    build: Callable[[], Pipeline]
    keep: Callable[[NDArray[np.float64]], NDArray[np.bool_]] = every_row
    order: tuple[int, ...] = CONTRACT_ORDER
    environment: dict[str, str] = field(default_factory=dict)

    def kept(self, table: Table) -> Table:
        mask = self.keep(table.rows)
        return Table(table.rows[mask], table.labels[mask])

    def exported(self, table: Table) -> Table:
        kept = self.kept(table)
        return Table(kept.rows[:, list(self.order)], kept.labels)


def linear() -> LogisticRegression:
    return LogisticRegression(max_iter=1000)


def linear_on_means() -> Pipeline:
    return make_pipeline(make_column_transformer((StandardScaler(), list(MEAN))), linear())


def linear_on_all() -> Pipeline:
    return make_pipeline(StandardScaler(), linear())


def linear_with_radius_bands() -> Pipeline:
    """One band per whole unit of mean radius. A band that training has not seen raises when serving."""
    bands = make_pipeline(FunctionTransformer(np.floor), OneHotEncoder(handle_unknown="error"))
    return make_pipeline(
        make_column_transformer((bands, [MEAN_RADIUS]), (StandardScaler(), list(CONTRACT_ORDER))), linear()
    )


def many_trees() -> Pipeline:
    return make_pipeline(ExtraTreesClassifier(n_estimators=80, random_state=SEED))


def boosted_trees() -> Pipeline:
    return make_pipeline(GradientBoostingClassifier(random_state=SEED))


RECIPES = (
    Recipe("v1", "nuclei-mean-10", linear_on_means),
    Recipe("v2", "nuclei-all-30", linear_on_all),
    Recipe("v3", "nuclei-all-30+radius-band", linear_with_radius_bands, keep=small_nuclei_only),
    # 80 trees take some ten times v2's time for a row. On an idle core that is still only milliseconds, so the variable
    # tells the sandbox what a busy small instance would make of it. SageMaker ignores it.
    Recipe("v4", "nuclei-all-30", many_trees, environment={"SANDBOX_LATENCY_MS": "250"}),
    # v5's export wrote the worst values first; serving sends the contract's order. Nothing raises: all are numbers.
    Recipe("v5", "nuclei-all-30", boosted_trees, order=(*WORST, *ERROR, *MEAN)),
)


def load_tables() -> tuple[Table, Table]:
    """Split the 569 real samples into halves: one to train on, one held out for evaluation and traffic."""
    data = load_breast_cancer()
    labels = data.target_names[data.target]
    train_rows, test_rows, train_labels, test_labels = train_test_split(
        data.data, labels, test_size=0.5, random_state=SEED, stratify=labels
    )
    return Table(train_rows, train_labels), Table(test_rows, test_labels)


def fit(recipe: Recipe, train: Table) -> Pipeline:
    exported = recipe.exported(train)
    with threadpool_limits(limits=1):
        model = recipe.build().fit(exported.rows, exported.labels)
    last = model[-1]
    if isinstance(last, LogisticRegression):
        # BLAS kernels differ by CPU in the last bits; six decimals are equal everywhere, and so then is the archive.
        last.coef_ = last.coef_.round(6)
        last.intercept_ = last.intercept_.round(6)
    return model


def evaluate(recipe: Recipe, model: Pipeline, held_out: Table) -> dict[str, Any]:
    """What the release's author saw offline. An export's mistake hides itself: the test rows share it."""
    exported = recipe.exported(held_out)
    probabilities = model.predict_proba(exported.rows)
    predicted = model.classes_[probabilities.argmax(axis=1)]
    return {
        "accuracy": round(float(accuracy_score(exported.labels, predicted)), 4),
        "log_loss": round(float(log_loss(exported.labels, probabilities, labels=model.classes_)), 4),
        "rows": len(exported.labels),
    }


def pack(model: Pipeline) -> bytes:
    """A model.tar.gz whose bytes depend on the model and inference.py alone: no times, no owners, sorted members."""
    dumped = io.BytesIO()
    joblib.dump(model, dumped)
    inference = Path(__file__).with_name("inference.py").read_bytes()
    members = {"code/inference.py": inference, "model.joblib": dumped.getvalue()}
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, content in sorted(members.items()):
            entry = tarfile.TarInfo(name)  # its defaults: mtime 0, owner 0, no names, mode 0644
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def describe(recipe: Recipe, url: str, sha256: str, train: Table, held_out: Table, model: Pipeline) -> dict[str, Any]:
    """The release document that is submitted to Sluice."""
    return {
        "schema": 1,
        "name": recipe.name,
        "artifact": {"url": url, "sha256": sha256},
        "image": IMAGE,
        "environment": ENVIRONMENT | recipe.environment,
        "contract": "1",
        "instance_type": "ml.m5.large",
        "smoke": {
            "content_type": "text/csv",
            "accept": "text/csv",
            "inputs": recipe.kept(held_out).csv_rows()[:SMOKE_ROWS],
        },
        "metadata": {
            "training_run": f"examples/triage/train.py {recipe.name} seed={SEED}",
            "dataset_sha256": recipe.exported(train).sha256(),
            "feature_set": recipe.feature_set,
            "evaluation": evaluate(recipe, model, held_out),
        },
    }


def write_release(recipe: Recipe, train: Table, held_out: Table, out: Path, location: str) -> dict[str, Any]:
    """Train one release and write OUT/<name>/model.tar.gz and release.json; `location` is s3://bucket/prefix."""
    model = fit(recipe, train)
    archive = pack(model)
    sha256 = hashlib.sha256(archive).hexdigest()
    url = f"{location}/{recipe.name}/{sha256[:12]}/model.tar.gz"
    document = describe(recipe, url, sha256, train, held_out, model)
    folder = out / recipe.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tar.gz").write_bytes(archive)
    (folder / "release.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return document


def write_traffic(held_out: Table, out: Path) -> None:
    """Line n of traffic.csv is a request body without a header; line n of labels.csv the truth, learnt later."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "traffic.csv").write_text("".join(f"{row}\n" for row in held_out.csv_rows()), encoding="utf-8")
    (out / "labels.csv").write_text("".join(f"{label}\n" for label in held_out.labels), encoding="utf-8")


def write_all(out: Path, bucket: str = DEFAULT_BUCKET, prefix: str = DEFAULT_PREFIX) -> list[dict[str, Any]]:
    """Train every release into `out`, with the traffic and its labels; returns the release documents in order."""
    train, held_out = load_tables()
    write_traffic(held_out, out)
    return [write_release(recipe, train, held_out, out, f"s3://{bucket}/{prefix}") for recipe in RECIPES]


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the triage releases v1 to v5 and write their artifacts.")
    parser.add_argument("out", type=Path, help="folder to write to; made if missing")
    parser.add_argument("--bucket", default=DEFAULT_BUCKET, help="bucket the artifacts will live in (%(default)s)")
    parser.add_argument("--prefix", default=DEFAULT_PREFIX, help="key prefix in the bucket (%(default)s)")
    arguments = parser.parse_args()
    for document in write_all(arguments.out, arguments.bucket, arguments.prefix):
        evaluation = document["metadata"]["evaluation"]
        print(
            f"{document['name']}  offline accuracy {evaluation['accuracy']:.4f}  log loss {evaluation['log_loss']:.4f}"
            f"  rows {evaluation['rows']}  {document['artifact']['url']}"
        )


if __name__ == "__main__":
    main()
