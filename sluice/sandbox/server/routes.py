"""From a request to this machine to moto's service of the same name: the signature's scope says which service is meant."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders

from sluice.sandbox.server.signatures import HttpRequest, Signer

_HOSTS = {
    "iam": "iam.amazonaws.com",
    "s3": "s3.amazonaws.com",
    "sts": "sts.amazonaws.com",
    "sagemaker": "api.sagemaker.{region}.amazonaws.com",
}
"""Where the service's word in a signature is not the beginning of its host name."""
_RUNTIME = "runtime.sagemaker.{region}.amazonaws.com"
_STREAMS = "streams.dynamodb.{region}.amazonaws.com"

Answered = tuple[int, Mapping[str, str], bytes]


def forward(request: HttpRequest, signer: Signer) -> Answered:
    """moto's answer, through the door botocore itself uses in this process."""
    from moto.core.models import botocore_stubber

    parts = urlsplit(request.url)
    host = _host(request, signer, parts.path)
    headers = HTTPHeaders()
    for name, value in {**request.headers, "Host": host}.items():
        headers[name] = value
    url = f"https://{host}{parts.path}" + (f"?{parts.query}" if parts.query else "")
    answer = botocore_stubber.process_request(AWSPreparedRequest(request.method, url, headers, request.body, False))
    if answer is None:
        return 404, {}, f"the sandbox has no service {signer.service!r}".encode()
    status, given, body = answer
    return (
        int(status),
        {str(k): str(v) for k, v in given.items()},
        body.encode() if isinstance(body, str) else bytes(body),
    )


def _host(request: HttpRequest, signer: Signer, path: str) -> str:
    target = next((v for k, v in request.headers.items() if k.lower() == "x-amz-target"), "")
    if signer.service == "sagemaker" and path.endswith("/invocations"):
        form = _RUNTIME
    elif target.startswith("DynamoDBStreams_"):
        form = _STREAMS
    else:
        form = _HOSTS.get(signer.service, f"{signer.service}.{{region}}.amazonaws.com")
    return form.format(region=signer.region)
