"""The Lambda zip, unpacked in an environment that has boto3 and nothing else of ours: what the Lambda runtime is."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ZIP = ROOT / "build" / "lambdas.zip"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # nothing listens there: a call fails at once, on this machine
    "SLUICE_TABLE": "sluice",
    "SLUICE_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:sluice",
    "SLUICE_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:sluice",
    "SLUICE_PARAMETER_ROOT": "/sluice/",
    "POWERTOOLS_SERVICE_NAME": "test",
    "POWERTOOLS_METRICS_NAMESPACE": "Sluice",
    "PATH": os.environ["PATH"],
}


@pytest.fixture(scope="module")
def task_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(ZIP) as archive:
        archive.extractall(folder)
    return folder


def invoke(task_root: Path, handler: str, event: dict[str, object]) -> subprocess.CompletedProcess[str]:
    module = handler.rpartition(".")[0]
    code = f"import json, sys; from {module} import handler; print('ANSWER', json.dumps(handler(json.load(sys.stdin), None)))"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=task_root,
        env=ENVIRONMENT,
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=False,
    )


def test_this_environment_is_as_bare_as_the_lambda_runtime() -> None:
    for package in ("pydantic", "pulumi", "yaml", "typer", "moto", "aws_lambda_powertools"):
        assert importlib.util.find_spec(package) is None, f"{package} is installed: this proves nothing"


def test_the_alarm_function_ignores_a_foreign_event(task_root: Path) -> None:
    body = json.dumps({"source": "aws.sagemaker", "detail-type": "SageMaker Endpoint State Change"})
    record = {"messageId": "m1", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}

    done = invoke(task_root, "lambdas.alarm.handler", {"Records": [record]})

    assert done.returncode == 0, done.stderr
    assert 'ANSWER {"batchItemFailures": []}' in done.stdout
    assert "is not an alarm's state change: ignored" in done.stdout


def test_an_event_that_cannot_be_handled_is_handed_back_for_redelivery(task_root: Path) -> None:
    record = {"messageId": "m1", "body": "not json", "attributes": {"ApproximateReceiveCount": "1"}}

    done = invoke(task_root, "lambdas.alarm.handler", {"Records": [record]})

    assert 'ANSWER {"batchItemFailures": [{"itemIdentifier": "m1"}]}' in done.stdout, done.stderr


@pytest.mark.parametrize("function", ["submit", "tick", "sweep", "command", "archive", "incident", "notify", "link"])
def test_every_handler_loads(task_root: Path, function: str) -> None:
    code = f"from lambdas.{function} import handler; print(handler.__name__)"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=task_root, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )

    assert done.stdout.strip() == "handler", done.stderr
