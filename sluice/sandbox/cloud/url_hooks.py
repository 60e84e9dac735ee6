"""moto keeps one URL per function and drops the qualifier; Lambda gives every alias its own, and answers what is sent there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from sluice.sandbox.cloud.lambda_hooks import lambda_error
from sluice.sandbox.patches import Undo, all_of, replaced

_ROOM = "url_configs"


def install_urls_per_alias() -> Undo:
    """The four operations on URL configurations, by function and qualifier."""
    from moto.awslambda.models import FunctionUrlConfig
    from moto.awslambda.responses import LambdaResponse

    def create(response: Any) -> Any:
        function, qualifier, kept = _kept(response)
        if qualifier in kept:
            raise lambda_error(
                "ResourceConflictException", f"FunctionUrlConfig exists for {_named(function, qualifier)}"
            )
        kept[qualifier] = FunctionUrlConfig(function, response.json_body)
        return 201, {"status": 201}, _document(kept[qualifier], qualifier)

    def get(response: Any) -> Any:
        function, qualifier, kept = _kept(response)
        return 200, {"status": 200}, _document(_found(function, qualifier, kept), qualifier)

    def update(response: Any) -> Any:
        function, qualifier, kept = _kept(response)
        found = _found(function, qualifier, kept)
        found.update(response.json_body)
        return _document(found, qualifier)

    def delete(response: Any) -> Any:
        function, qualifier, kept = _kept(response)
        _found(function, qualifier, kept)
        del kept[qualifier]
        return 204, {"status": 204}, "{}"

    return all_of(
        replaced(LambdaResponse, "create_function_url_config", create),
        replaced(LambdaResponse, "get_function_url_config", get),
        replaced(LambdaResponse, "update_function_url_config", update),
        replaced(LambdaResponse, "delete_function_url_config", delete),
    )


def alias_of_url(functions: Any, host: str) -> tuple[Any, str | None] | None:
    """moto's function and the alias that a URL's host belongs to; None for a host that is nobody's."""
    for function in functions.list_functions():
        for qualifier, config in vars(function).get(_ROOM, {}).items():
            if config.url.removeprefix("https://").rstrip("/") == host:
                return function, qualifier
    return None


def auth_type(function: Any, qualifier: str | None) -> str:
    """`AWS_IAM` or `NONE`."""
    return str(vars(function)[_ROOM][qualifier].config.get("AuthType"))


def _kept(response: Any) -> tuple[Any, str | None, dict[str | None, Any]]:
    name = unquote(response.path.split("/")[-2])
    function = response.backend.get_function(name.split(":")[6] if name.count(":") > 5 else name)
    qualifier = response.querystring.get("Qualifier", [None])[0]
    return function, qualifier, vars(function).setdefault(_ROOM, {})


def _found(function: Any, qualifier: str | None, kept: dict[str | None, Any]) -> Any:
    if qualifier not in kept:
        raise lambda_error(
            "ResourceNotFoundException", f"The resource you requested does not exist: {_named(function, qualifier)}"
        )
    return kept[qualifier]


def _document(config: Any, qualifier: str | None) -> str:
    document = config.to_dict()
    document["FunctionUrl"] = document["FunctionUrl"].rstrip("/") + "/"
    document["FunctionArn"] = _named(config.function, qualifier)
    return json.dumps(document)


def _named(function: Any, qualifier: str | None) -> str:
    return f"{function.function_arn}:{qualifier}" if qualifier else str(function.function_arn)


def install_url_requests(
    serve: Callable[[str, str, Mapping[str, str], bytes], tuple[int, Mapping[str, str], bytes]],
) -> Undo:
    """What botocore's HTTP session sends to a function URL becomes serve(method, url, headers, body); all else goes its way."""
    from botocore.awsrequest import AWSResponse
    from botocore.httpsession import URLLib3Session

    original = URLLib3Session.send

    def send(session: Any, request: Any) -> Any:
        if ".lambda-url." not in (urlsplit(request.url).hostname or ""):
            return original(session, request)
        body = request.body.encode() if isinstance(request.body, str) else bytes(request.body or b"")
        headers = {name: _word(value) for name, value in request.headers.items()}
        status, answered, content = serve(request.method, request.url, headers, body)
        return AWSResponse(request.url, status, cast(Any, dict(answered)), _Raw(content))

    return replaced(URLLib3Session, "send", send)


def _word(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class _Raw:
    """The part of urllib3's response that botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._content
