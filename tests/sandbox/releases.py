"""Small releases for the sandbox's tests: model.tar.gz with an inference.py, and SageMaker resources around them."""

import io
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ROLE = "arn:aws:iam::123456789012:role/serving"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sklearn:1.4"
BUCKET = "models"

DOUBLING = """
class Doubler:
    def predict(self, rows):
        return rows.sum(axis=1) * 2

def model_fn(model_dir):
    return Doubler()
"""

FAILING_ON_NEGATIVES = """
def model_fn(model_dir):
    return 3

def predict_fn(data, model):
    if (data < 0).any():
        raise RuntimeError("negative amount")
    return data.sum(axis=1) * model
"""


def packed(script: str, **files: str) -> bytes:
    """A model.tar.gz with code/inference.py and further files by path (`__` stands for `/`, `_py` for `.py`)."""
    return packed_files({"code/inference.py": script, **{_path(name): text for name, text in files.items()}})


def packed_files(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _path(name: str) -> str:
    return name.replace("__", "/").replace("_py", ".py")


@cache
def client(service: str) -> Any:
    """A boto3 client made once: reading botocore's service models is what costs. Inside moto's mock it speaks to moto."""
    return boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


class Account:
    """boto3 clients of one account, and shorthands for what the tests set up. Inside moto's mock only."""

    def __init__(self) -> None:
        self.sagemaker = client("sagemaker")
        self.runtime = client("sagemaker-runtime")
        self.cloudwatch = client("cloudwatch")
        self.s3 = client("s3")
        self.s3.create_bucket(Bucket=BUCKET)

    def model(self, name: str, script: str | bytes = DOUBLING, **environment: str) -> None:
        body = packed(script) if isinstance(script, str) else script
        self.s3.put_object(Bucket=BUCKET, Key=f"{name}.tar.gz", Body=body)
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{name}.tar.gz", "Environment": environment}
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)

    def config(self, name: str, variants: Mapping[str, tuple[str, float]], count: int = 1) -> None:
        """A configuration from slot -> (model name, initial weight)."""
        production = [
            {
                "VariantName": slot,
                "ModelName": model,
                "InitialVariantWeight": weight,
                "InitialInstanceCount": count,
                "InstanceType": "ml.c7g.large",
            }
            for slot, (model, weight) in variants.items()
        ]
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=production)

    def described(self, name: str = "fraud") -> dict[str, Any]:
        return dict(self.sagemaker.describe_endpoint(EndpointName=name))

    def slots(self, name: str = "fraud") -> dict[str, dict[str, Any]]:
        return {variant["VariantName"]: variant for variant in self.described(name)["ProductionVariants"]}

    def weights(self, name: str = "fraud") -> dict[str, float]:
        return {slot: variant["CurrentWeight"] for slot, variant in self.slots(name).items()}

    def status(self, name: str = "fraud") -> str:
        return str(self.described(name)["EndpointStatus"])

    def shift(self, name: str = "fraud", **weights: float) -> None:
        desired = [{"VariantName": slot, "DesiredWeight": weight} for slot, weight in weights.items()]
        self.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=desired)
