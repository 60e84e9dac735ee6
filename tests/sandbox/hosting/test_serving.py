"""Containers: the release's own code answers, alone or many at a time, and fails one request at a time."""

import os
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.sandbox.hosting.loading import Artifacts, ContainerSpec, LoadFault
from sluice.sandbox.hosting.serving import Container, Served, _distinct
from tests.sandbox.releases import DOUBLING, FAILING_ON_NEGATIVES, packed, packed_files

Serve = Callable[..., Container]


@pytest.fixture
def container() -> Iterator[Serve]:
    objects: dict[str, bytes] = {}

    def fetch(url: str, role: str) -> bytes:
        return objects[url]

    artifacts = Artifacts(fetch)

    def load(body: str | bytes = DOUBLING, slot: str = "green", seed: int = 1, **environment: str) -> Container:
        objects["s3://models/m"] = packed(body) if isinstance(body, str) else body
        spec = ContainerSpec("fraud-v2", "image", "s3://models/m", environment, "role")
        return Container(artifacts.load(spec), slot, seed)

    yield load
    artifacts.close()


def statuses(served: list[Served]) -> list[int]:
    return [answer.status for answer in served]


def bodies(served: list[Served]) -> list[bytes]:
    return [answer.body for answer in served]


def test_the_default_handlers_read_and_write_csv(container: Serve) -> None:
    assert bodies(container().serve([b"1,2\n"])) == [b"6.0"]


def test_the_default_handlers_read_and_write_json(container: Serve) -> None:
    served = container().serve([b"[[1, 2], [3, 4]]"], "application/json", "application/json")

    assert bodies(served) == [b"[6, 14]"]
    assert served[0].content_type == "application/json"


def test_many_csv_requests_are_answered_each_with_its_own_rows(container: Serve) -> None:
    served = container().serve([b"1,2", b"3,4\n5,6\n", b"7,8"])

    assert bodies(served) == [b"6.0", b"14.0\n22.0", b"30.0"]


def test_many_requests_can_be_answered_in_json(container: Serve) -> None:
    served = container().serve([b"1,2", b"3,4"], "text/csv", "application/json")

    assert bodies(served) == [b"[6.0]", b"[14.0]"]


def test_only_the_requests_that_make_the_release_raise_fail(container: Serve) -> None:
    requests = [b"1,1"] * 40
    requests[3] = requests[31] = b"-1,1"

    served = container(FAILING_ON_NEGATIVES).serve(requests)

    assert [index for index, status in enumerate(statuses(served)) if status == 500] == [3, 31]
    assert served[3].fault == "RuntimeError: negative amount"
    assert served[4].body == b"6.0"


def test_a_release_that_looks_at_its_whole_batch_is_served_one_by_one(container: Serve) -> None:
    batch_mean = "def model_fn(d): return None\ndef predict_fn(data, model): return data.sum(axis=1) - data.mean()\n"

    served = container(batch_mean).serve([b"1,1", b"5,5", b"9,9"])

    assert bodies(served) == [b"1.0", b"5.0", b"9.0"]


def test_other_rounding_in_a_batch_is_no_reason_to_serve_one_by_one(container: Serve) -> None:
    linear = """
import numpy as np
def model_fn(d): return np.linspace(-1, 1, 7)
def predict_fn(data, model):
    return data @ model + (1e-13 if len(data) > 1 else 0)
"""
    running = container(linear)
    running.serve([f"{value},1,2,3,4,5,6".encode() for value in range(9)])

    assert running._takes_batches


def test_a_release_that_ends_its_lines_is_served_in_batches_too(container: Serve) -> None:
    ended = (
        DOUBLING
        + """
def output_fn(prediction, accept):
    return "".join(f"{value}\\n" for value in prediction)
"""
    )
    running = container(ended)
    served = running.serve([b"1,2", b"3,4\n5,6", b"7,8"])

    assert bodies(served) == [b"6.0\n", b"14.0\n22.0\n", b"30.0\n"]
    assert running._takes_batches


def test_rows_of_different_width_fail_alone(container: Serve) -> None:
    assert statuses(container().serve([b"1,2", b"1,2,3\n4", b"3,4"])) == [200, 500, 200]


def test_a_batch_and_single_requests_come_to_the_same(container: Serve) -> None:
    requests = [f"{value},{value % 7 - 3}".encode() for value in range(50)]

    together = container(FAILING_ON_NEGATIVES).serve(requests)
    alone = container(FAILING_ON_NEGATIVES)

    assert [answer[:1] + answer[3:] for answer in together] == [
        answer[:1] + answer[3:] for request in requests for answer in alone.serve([request])
    ]


@pytest.mark.parametrize(
    ("content_type", "accept", "status"),
    [("image/png", "text/csv", 415), ("text/csv", "image/png", 406), ("text/csv", "text/csv", 200)],
)
def test_formats_the_container_does_not_speak_are_client_errors(
    container: Serve, content_type: str, accept: str, status: int
) -> None:
    assert statuses(container().serve([b"1,2"], content_type, accept)) == [status]


def test_an_unreadable_body_is_the_containers_own_error(container: Serve) -> None:
    assert statuses(container().serve([b"one,two", b"\xff", b""])) == [500, 500, 500]


def test_the_releases_own_handlers_are_used_with_what_sagemaker_hands_them(container: Serve) -> None:
    script = """
def model_fn(model_dir):
    return open(model_dir + "/weights.txt").read()

def input_fn(body, content_type):
    return (type(body).__name__, body)

def predict_fn(data, model):
    return data + (model,)

def output_fn(prediction, accept):
    return "|".join(prediction), "text/plain"
"""
    served = container(packed(script, **{"weights.txt": "42"})).serve([b"hello"])

    assert (served[0].body, served[0].content_type) == (b"str|hello|42", "text/plain")


def test_two_releases_with_equal_module_names_do_not_mix(container: Serve) -> None:
    script = (
        "import features\ndef model_fn(d): return None\ndef predict_fn(data, model): return data[:, 0] * features.K\n"
    )
    old = container(packed(script, code__features_py="K = 2\n"))
    new = container(packed(script, code__features_py="K = 3\n"))

    assert (bodies(old.serve([b"1"])), bodies(new.serve([b"1"]))) == ([b"2.0"], [b"3.0"])
    assert "features" not in sys.modules


def test_a_module_imported_while_serving_is_found_too(container: Serve) -> None:
    script = (
        "def model_fn(d): return None\ndef predict_fn(data, model):\n    import late\n    return data[:, 0] * late.K\n"
    )
    late = container(packed(script, code__late_py="K = 5\n"))

    assert [bodies(late.serve([b"1"])) for _ in range(2)] == [[b"5.0"], [b"5.0"]]
    assert "late" not in sys.modules


def test_the_environment_of_the_model_is_there_while_it_loads_and_serves_only(container: Serve) -> None:
    script = "import os\ndef model_fn(d): return os.environ['SCALE']\n" + (
        "def predict_fn(data, model): return data[:, 0] * float(os.environ['SCALE']) * float(model)\n"
    )

    assert bodies(container(script, SCALE="3").serve([b"1"])) == [b"9.0"]
    assert "SCALE" not in os.environ


def test_the_entry_point_can_be_named(container: Serve) -> None:
    body = packed_files({"src/serve.py": DOUBLING})
    named = container(body, SAGEMAKER_PROGRAM="serve.py", SAGEMAKER_SUBMIT_DIRECTORY="/opt/ml/model/src")

    assert bodies(named.serve([b"1,2"])) == [b"6.0"]


@pytest.mark.parametrize(
    ("body", "environment", "says"),
    [
        (b"nothing", {}, "no readable model.tar.gz"),
        (packed_files({"model.bin": "x"}), {}, "has no code/inference.py"),
        (packed("raise ImportError('no such library')"), {}, "ImportError: no such library"),
        (packed("def predict_fn(data, model): return data"), {}, "defines no model_fn"),
        (packed("def model_fn(d): return 1\ndef transform_fn(*a): pass"), {}, "transform_fn"),
        (packed(DOUBLING), {"SAGEMAKER_SUBMIT_DIRECTORY": "s3://code/src.tar.gz"}, "not under /opt/ml/model"),
        (packed(DOUBLING), {"SAGEMAKER_PROGRAM": "../../../etc/passwd"}, "has no"),
    ],
)
def test_a_container_that_cannot_start_says_why(
    container: Serve, body: bytes, environment: dict[str, str], says: str
) -> None:
    with pytest.raises(LoadFault, match=says):
        container(body, **environment)


def test_an_artifact_that_cannot_be_read_says_which() -> None:
    def denied(url: str, role: str) -> bytes:
        raise PermissionError(f"{role} may not read it")

    with pytest.raises(LoadFault, match="'m1': cannot read s3://a/b: serving may not read it"):
        Artifacts(denied).load(ContainerSpec("m1", "image", "s3://a/b", {}, "serving"))


def latencies(container: Container, count: int = 2000) -> np.ndarray:
    return np.array([answer.model_us for answer in container.serve([b"1,2"] * count)])


def test_latency_is_modelled_around_20_milliseconds(container: Serve) -> None:
    found = latencies(container())

    assert np.median(found) == pytest.approx(20_000, rel=0.05)
    assert 1.3 < np.percentile(found, 99) / np.median(found) < 2.5


def test_a_release_can_be_slow_by_its_environment(container: Serve) -> None:
    assert np.median(latencies(container(SANDBOX_LATENCY_MS="80"))) == pytest.approx(80_000, rel=0.05)


def test_latency_is_the_same_for_the_same_seed(container: Serve) -> None:
    whole = latencies(container(seed=7), 30).tolist()
    again = container(seed=7)

    assert latencies(again, 30).tolist() == whole
    assert latencies(container(seed=8), 30).tolist() != whole


@given(st.lists(st.integers(0, 20)))
def test_equal_requests_are_found_as_numpy_finds_them(chosen: list[int]) -> None:
    asked = np.array(chosen, dtype=np.int64)
    expected = np.unique(asked, return_inverse=True)

    assert [found.tolist() for found in _distinct(asked)] == [found.tolist() for found in expected]
