"""boto3 sees the sandbox's answers of endpoints, and not moto's."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from sluice.sandbox.cloud.clock import Clock
from sluice.sandbox.hosting.serving_hooks import moto_artifacts
from tests.sandbox.releases import FAILING_ON_NEGATIVES, Account


@pytest.fixture
def served(account: Account, clock: Clock) -> Account:
    account.model("v1")
    account.model("v3", FAILING_ON_NEGATIVES)
    account.config("one", {"blue": ("v1", 1.0), "green": ("v3", 0.0)})
    account.sagemaker.create_endpoint(EndpointName="fraud", EndpointConfigName="one")
    clock.run_for(300)
    return account


def test_invoke_endpoint_is_answered_by_the_model(served: Account) -> None:
    answer = served.runtime.invoke_endpoint(
        EndpointName="fraud", Body=b"1,2", ContentType="text/csv", Accept="text/csv"
    )

    assert answer["Body"].read() == b"6.0"
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/csv", "blue")


def test_a_target_variant_is_invoked_whatever_its_weight(served: Account) -> None:
    answer = served.runtime.invoke_endpoint(
        EndpointName="fraud", Body=b"1,2", ContentType="text/csv", Accept="text/csv", TargetVariant="green"
    )

    assert (answer["Body"].read(), answer["InvokedProductionVariant"]) == (b"9.0", "green")


def test_a_failing_model_is_a_model_error_with_the_original_status(served: Account) -> None:
    with pytest.raises(served.runtime.exceptions.ModelError) as caught:
        served.runtime.invoke_endpoint(
            EndpointName="fraud", Body=b"-1,2", ContentType="text/csv", Accept="text/csv", TargetVariant="green"
        )

    error = caught.value.response
    assert error["Error"]["Code"] == "ModelError"
    assert error["OriginalStatusCode"] == 500
    assert error["OriginalMessage"] == "RuntimeError: negative amount"


@pytest.mark.parametrize(
    ("target", "says"),
    [({"EndpointName": "nowhere"}, "not in service"), ({"TargetVariant": "red"}, "found: blue, green")],
)
def test_an_endpoint_or_variant_that_is_not_there_is_a_validation_error(
    served: Account, target: dict[str, str], says: str
) -> None:
    with pytest.raises(ClientError, match=rf"ValidationError.*{says}"):
        served.runtime.invoke_endpoint(**{"EndpointName": "fraud", "Body": b"1", "ContentType": "text/csv", **target})


def test_invocations_are_metered(served: Account, clock: Clock) -> None:
    for body in (b"1,2", b"-1,2"):
        try:
            served.runtime.invoke_endpoint(
                EndpointName="fraud", Body=body, ContentType="text/csv", Accept="text/csv", TargetVariant="green"
            )
        except ClientError:
            assert body == b"-1,2"
    minute = clock.now()
    clock.run_for(70)
    metric = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [{"Name": "EndpointName", "Value": "fraud"}, {"Name": "VariantName", "Value": "green"}],
    }
    query = {"Id": "rate", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"}}

    found = served.cloudwatch.get_metric_data(
        MetricDataQueries=[query], StartTime=minute, EndTime=minute + timedelta(minutes=1)
    )

    assert found["MetricDataResults"][0]["Values"] == [0.5]


def test_an_artifact_is_read_from_motos_own_store(account: Account) -> None:
    account.s3.put_object(Bucket="models", Key="a/b.tar.gz", Body=b"packed")
    fetch = moto_artifacts("123456789012")

    assert fetch("s3://models/a/b.tar.gz", "role") == b"packed"
    with pytest.raises(FileNotFoundError, match="s3://models/none"):
        fetch("s3://models/none", "role")
