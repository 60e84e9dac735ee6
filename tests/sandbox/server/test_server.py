"""The sandbox as a server: clients of another process reach it by an address and a key, and by nothing less."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from textwrap import dedent

import boto3
import pytest

from sluice.sandbox.sandbox import Sandbox
from sluice.sandbox.server.server import Key, Server

KEY = Key("AKIAOPERATOR", "secret-of-the-test")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Sandbox() as sandbox, Server(sandbox, KEY, speed=0) as running:
        yield running


def client_of(server: Server, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Python in a process of its own, where only boto3's environment leads here."""
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **server.environment, **environment}
    return subprocess.run(
        [sys.executable, "-c", dedent(code)], env=given, capture_output=True, text=True, check=False, timeout=120
    )


def test_ordinary_clients_of_every_protocol_reach_it(server: Server) -> None:
    done = client_of(
        server,
        """
        import boto3, json
        s3 = boto3.client("s3"); s3.create_bucket(Bucket="models"); s3.put_object(Bucket="models", Key="a b/c+d", Body=b"x" * 100_000)
        print(len(s3.get_object(Bucket="models", Key="a b/c+d")["Body"].read()))
        print(boto3.client("sts").get_caller_identity()["Account"])
        print(boto3.client("sagemaker").list_endpoints()["Endpoints"])
        print(boto3.client("dynamodb").list_tables()["TableNames"])
        boto3.client("ssm").put_parameter(Name="/a/b", Value="1", Type="String")
        print(boto3.client("ssm").get_parameter(Name="/a/b")["Parameter"]["Value"])
        print(boto3.client("cloudwatch").describe_alarms()["MetricAlarms"])
        queue = boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"]
        print(boto3.client("iam").list_roles()["Roles"], boto3.client("events").list_rules()["Rules"])
        """,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["100000", "123456789012", "[]", "[]", "1", "[]", "[] []"]


def test_what_a_client_writes_into_a_table_is_read_in_the_sandbox(server: Server) -> None:
    table = boto3.client("dynamodb")
    table.create_table(
        TableName="seen",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"pk": {"S": "a"}}
    table.put_item(TableName="seen", Item={**key, "by": {"S": "the sandbox"}})
    before = table.get_item(TableName="seen", Key=key)["Item"]["by"], server.sandbox.cloud.table_writes

    done = client_of(
        server,
        """
        import boto3
        boto3.client("dynamodb").put_item(TableName="seen", Item={"pk": {"S": "a"}, "by": {"S": "a client"}})
        """,
    )

    assert done.returncode == 0, done.stderr
    after = table.get_item(TableName="seen", Key=key)["Item"]["by"], server.sandbox.cloud.table_writes
    assert (before[0], after[0]) == ({"S": "the sandbox"}, {"S": "a client"})
    assert after[1] == before[1] + 1


@pytest.mark.parametrize(
    "environment", [{"AWS_SECRET_ACCESS_KEY": "guessed"}, {"AWS_ACCESS_KEY_ID": "AKIASTRANGER"}], ids=["secret", "key"]
)
def test_a_wrong_key_is_refused_and_noted_and_changes_nothing(server: Server, environment: dict[str, str]) -> None:
    before = len(server.refusals)

    done = client_of(server, "import boto3; boto3.client('sqs').create_queue(QueueName='theirs')", **environment)
    queues = client_of(
        server, "import boto3; print(boto3.client('sqs').list_queues(QueueNamePrefix='theirs').get('QueueUrls'))"
    )

    assert "InvalidSignature" in done.stderr
    assert len(server.refusals) > before
    assert queues.stdout.strip() == "None"


def test_time_passes_at_its_speed_or_when_it_is_told_to(server: Server) -> None:
    code = """
        import boto3, json, urllib.request
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        session = boto3.Session()
        request = AWSRequest("POST", session.client("sts").meta.endpoint_url + "/advance", data=json.dumps({"seconds": 90}).encode())
        SigV4Auth(session.get_credentials(), "sandbox", "us-east-1").add_auth(request)
        sent = urllib.request.Request(request.url, request.data, dict(request.headers.items()))
        print(json.load(urllib.request.urlopen(sent))["now"])
    """
    before = server.sandbox.cloud.clock.now().timestamp()

    done = client_of(server, code)

    assert float(done.stdout) == before + 90, done.stderr


def test_a_function_url_is_reached_under_the_servers_own_address(server: Server) -> None:
    """As the command line does it: ask for the URL, sign a request to it, and be named by the key."""
    signed = """
        import boto3, io, json, zipfile
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.httpsession import URLLib3Session
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as file:
            file.writestr("a.py", "def h(e, c): return {'statusCode': 200, 'body': e['requestContext']['authorizer']['iam']['userArn']}")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = boto3.client("iam").create_role(RoleName="url", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
        functions = boto3.client("lambda")
        functions.create_function(FunctionName="url", Runtime="python3.13", Role=role["Role"]["Arn"], Handler="a.h",
                                  Code={"ZipFile": code.getvalue()})
        functions.create_alias(FunctionName="url", Name="observe", FunctionVersion="$LATEST")
        url = functions.create_function_url_config(FunctionName="url", Qualifier="observe", AuthType="AWS_IAM")["FunctionUrl"]
        for service in ("lambda", "s3"):
            asked = AWSRequest("POST", url, data=b"{}")
            SigV4Auth(boto3.Session().get_credentials(), service, "us-east-1").add_auth(asked)
            print(URLLib3Session().send(asked.prepare()).content.decode())
        print(URLLib3Session().send(AWSRequest("POST", url, data=b"{}").prepare()).status_code)
        """
    done = client_of(server, signed)

    assert done.returncode == 0, done.stderr
    refused = '{"Message":"Forbidden"}'
    assert done.stdout.splitlines() == ["arn:aws:iam::123456789012:user/operator", refused, "403"]
