"""The probe's own model: ten lines without a dependency, so that no library version of an image can keep it from starting."""

from __future__ import annotations

import gzip
import io
import tarfile

IMAGE_TAG = "1.2-1-cpu-py3"
REGISTRIES = {
    "af-south-1": "510948584623",
    "ap-east-1": "651117190479",
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "720646828776",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ca-central-1": "341280168497",
    "eu-central-1": "492215442770",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "me-south-1": "801668240914",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}
"""The accounts that hold SageMaker's scikit-learn images, by region. Source: sagemaker-python-sdk, image_uri_config/sklearn.json."""

INFERENCE = b'''"""Answers every request with its length: what is probed is SageMaker, not a model."""


def model_fn(model_dir):
    return None


def input_fn(request_body, content_type):
    return request_body


def predict_fn(request, model):
    return len(request)


def output_fn(length, accept):
    return str(length), "text/csv"
'''


def default_image(region: str) -> str | None:
    """SageMaker's scikit-learn image in a region; None where its registry is not known."""
    registry = REGISTRIES.get(region)
    return f"{registry}.dkr.ecr.{region}.amazonaws.com/sagemaker-scikit-learn:{IMAGE_TAG}" if registry else None


def archive() -> bytes:
    """model.tar.gz in SageMaker's script-mode layout; the same bytes every time."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("code/inference.py")
        entry.size = len(INFERENCE)
        tar.addfile(entry, io.BytesIO(INFERENCE))
    return gzip.compress(packed.getvalue(), mtime=0)
