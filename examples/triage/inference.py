"""How SageMaker's scikit-learn image serves a triage model: load, read rows, score them, write answers.

Goes into every release's model.tar.gz as code/inference.py. It decides the contract (version 1) with callers; what the
answers are is the model's business. Each line of a request is 30 measurements; each gets one answer, in the same order.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

MEASUREMENTS = 30
POSITIVE = "malignant"

Answer = tuple[str, float]  # label, probability of POSITIVE


def model_fn(model_dir: str) -> Any:
    """Load the fitted pipeline; called once, when a server process starts."""
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(request_body: str | bytes, content_type: str) -> NDArray[np.float64]:
    """Parse a text/csv body without a header into an array of (rows, 30)."""
    if _media_type(content_type) != "text/csv":
        raise ValueError(f"content type {content_type!r} is not served. Send text/csv.")
    text = request_body.decode("utf-8") if isinstance(request_body, bytes) else request_body
    if not text.strip():
        raise ValueError(f"the request is empty. Send lines of {MEASUREMENTS} numbers.")
    rows = np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2, comments=None)
    if rows.shape[1] != MEASUREMENTS:
        raise ValueError(f"each line must have {MEASUREMENTS} numbers, got {rows.shape[1]}.")
    return rows


def predict_fn(rows: NDArray[np.float64], model: Any) -> list[Answer]:
    """Score all rows in one call: the likeliest label and the probability that the sample is malignant."""
    probabilities = model.predict_proba(rows)
    labels = model.classes_[probabilities.argmax(axis=1)]
    positive = probabilities[:, list(model.classes_).index(POSITIVE)]
    return [(str(label), float(p)) for label, p in zip(labels, positive, strict=True)]


def output_fn(answers: list[Answer], accept: str) -> tuple[str, str]:
    """Render one answer per row; returns (body, content type), as the image's server expects."""
    media_type = _media_type(accept)
    if media_type in ("text/csv", "*/*"):
        return "".join(f"{label},{p:.4f}\n" for label, p in answers), "text/csv"
    if media_type == "application/json":
        return json.dumps([{"label": label, "probability": round(p, 4)} for label, p in answers]), "application/json"
    raise ValueError(f"cannot answer as {accept!r}. Accept text/csv or application/json.")


def _media_type(header: str) -> str:
    return header.split(";")[0].strip().lower()
