"""The Lambda zip: its size, and what a cold start takes beside one that makes nothing but a SageMaker client."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.system.measure import Row, fresh_cpu_ms
from infra.bundle import bundled_files

_BARE = "import boto3; boto3.client('sagemaker')"
_OURS = "from lambdas.alarm import handler"
_CLIENTS = "from sluice.aws.clients import client, once; client('dynamodb'); once('sagemaker')"
_BARE_CLIENTS = "import boto3; boto3.client('dynamodb'); boto3.client('sagemaker')"


def rows() -> Iterator[Row]:
    whole, vendored = _zipped(""), _zipped("aws_lambda_powertools/")
    yield Row(
        "size of the Lambda zip", f"{len(whole) / 1024:.0f} KiB", f"{len(vendored) / 1024:.0f} KiB", "Powertools alone"
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            archive.extractall(root)
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_DEFAULT_REGION": "us-east-1",
            "PYTHONDONTWRITEBYTECODE": "1",  # /var/task cannot be written: every cold start compiles
            "POWERTOOLS_SERVICE_NAME": "bench",
        }
        for what, ours, bare, name in (
            ("cold import of the alarm function from the zip", _OURS, _BARE, '`boto3.client("sagemaker")`'),
            (
                "the same, and the two clients of the way back",
                f"{_OURS}; {_CLIENTS}",
                _BARE_CLIENTS,
                "the same two clients, bare",
            ),
        ):
            measured, baseline = (fresh_cpu_ms(code, root, environment) for code in (ours, bare))
            yield Row(what, f"{measured:.0f} ms CPU", f"{baseline:.0f} ms CPU", name)


def _zipped(prefix: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, file in bundled_files().items():
            if path.startswith(prefix):
                archive.write(file, path)
    return buffer.getvalue()
