"""Patches of moto, botocore and dataclasses that save time and change no answer, pinned to moto 5.2.5.

A day of virtual time is ten thousand calls; what is here is what they spent most of their time on.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

from sluice.sandbox.patches import Undo, all_of, replaced


def install_quick_calls() -> Undo:
    """Save what costs a call most and means nothing here: signatures, user agents, reflection, random request ids, locks.

    S3 keeps its signatures, because moto reads how a body is encoded from the headers they add.
    """
    from botocore.signers import RequestSigner
    from botocore.useragent import UserAgentString
    from moto.core import responses
    from moto.core.base_backend import BackendDict
    from moto.core.utils import method_names_from_class

    sign, find_backend = RequestSigner.handler, BackendDict.__getitem__

    def backend_of(backends: Any, account: str) -> Any:
        found = dict.get(backends, account)
        return find_backend(backends, account) if found is None else found

    def signed(signer: Any, operation_name: str | None = None, request: Any = None, **named: Any) -> Any:
        if signer.signing_name == "s3":
            return sign(signer, operation_name, request, **named)
        scope = f"20260101/{signer.region_name}/{signer.signing_name}/aws4_request"
        credential = f"AWS4-HMAC-SHA256 Credential=sandbox/{scope}, SignedHeaders=host, Signature=0"
        request.headers["Authorization"] = credential
        return None

    return all_of(
        replaced(RequestSigner, "handler", signed),
        replaced(UserAgentString, "to_string", lambda _agent: "sluice-sandbox"),
        replaced(responses, "method_names_from_class", lru_cache(method_names_from_class)),
        replaced(responses, "gen_amzn_requestid_long", _request_id),
        replaced(BackendDict, "__getitem__", backend_of),
    )


def _request_id(headers: Any = None) -> str:
    """In place of 52 random letters, which nobody reads."""
    if isinstance(headers, dict):
        headers["x-amzn-requestid"] = "sandbox"
    return "sandbox"


def install_quick_answers() -> Undo:
    """Which attribute of moto's objects answers for a member of a shape is found out once for each shape and class.

    moto tries up to twelve names anew for every member of every answer, by rules that look at nothing else.
    """
    from moto.core import serialize, utils
    from moto.core.constants import MISSING

    original = serialize.ResponseSerializer.get_value
    names: dict[tuple[Any, str, type], tuple[str, ...]] = {}

    def value_of(serializer: Any, value: Any, key: str, shape: Any) -> Any:
        picker = serializer._value_picker
        if type(picker) is not serialize.XFormedAttributePicker or picker.response_transformers:
            return original(serializer, value, key, shape)
        place = (shape, key, type(value))
        known = names.get(place)
        if known is None:
            context = serialize.AttributePickerContext(value, key, shape)
            known = names[place] = tuple(dict.fromkeys(picker.get_possible_keys(context)))
        if type(value) is dict:
            return next((value[name] for name in known if name in value), None)
        for name in known:
            found = utils.get_value(value, name, MISSING)
            if found is not MISSING:
                return found
        return None

    return replaced(serialize.ResponseSerializer, "get_value", value_of)


def install_parsed_paths() -> Undo:
    """A JSONPath of a state machine is parsed once; moto builds the parser and parses it anew in every state."""
    from moto.stepfunctions.parser.asl.component.common.path import result_path
    from moto.stepfunctions.parser.asl.utils import json_path

    return all_of(*(replaced(module, "parse", lru_cache(module.parse)) for module in (json_path, result_path)))


def install_compiled_dataclasses() -> Undo:
    """The methods that `dataclass` writes as text are compiled once: every cold start imports the same classes anew."""
    compiled = lru_cache(maxsize=None)(partial(compile, filename="<string>", mode="exec"))

    def execute(text: str, *namespaces: Any) -> None:
        exec(compiled(text), *namespaces)  # noqa: S102  what dataclasses itself does with it

    return replaced(dataclasses, "exec", execute)


def install_direct_requests() -> Undo:
    """A request in JSON goes to moto's service as it is: no HTTP request is made of it, signed, routed and taken apart.

    Other protocols go the long way. Nothing is sent twice: moto never answers what botocore would try again.
    """
    from botocore.awsrequest import AWSResponse
    from botocore.client import BaseClient
    from botocore.endpoint import convert_to_response_dict
    from moto.core.botocore_stubber import MockRawResponse

    original = BaseClient._make_request  # type: ignore[attr-defined]

    def direct(client: Any, operation: Any, request: dict[str, Any], context: dict[str, Any]) -> Any:
        protocol = operation.service_model.resolved_protocol
        if protocol != "json":
            return original(client, operation, request, context)
        status, headers, body = _answered(request)
        response = AWSResponse(request["url"], status, headers, MockRawResponse(body))
        answer = convert_to_response_dict(response, operation)
        parser = client._endpoint._response_parser_factory.create_parser(protocol)
        parsed = parser.parse(answer, operation.output_shape)
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            client._endpoint._add_modeled_error_fields(answer, parsed, operation, parser)
        parsed["ResponseMetadata"]["RetryAttempts"] = 0
        return response, parsed

    return replaced(BaseClient, "_make_request", direct)


def _answered(request: Mapping[str, Any]) -> tuple[int, Any, Any]:
    """Status, headers and body, as moto's own entrance gives them."""
    from werkzeug.exceptions import HTTPException

    given = _Given(request)
    try:
        status, headers, body = _service(given.raw_url.partition("?")[0])(given)
    except HTTPException as error:
        return error.code or HTTPStatus.INTERNAL_SERVER_ERROR, error.get_headers(), error.get_body()
    return status, headers, body


@lru_cache
def _service(url: str) -> Callable[[Any], tuple[int, Any, Any]]:
    """The request handler of the service at an address, found as moto finds it."""
    from moto import backend_index, backends
    from moto.core.models import DEFAULT_ACCOUNT_ID

    for name, pattern in backend_index.backend_url_patterns:
        if pattern.match(url):
            regions = backends.get_backend(name)[DEFAULT_ACCOUNT_ID]  # type: ignore[call-overload]
            handlers = regions["us-east-1" if "us-east-1" in regions else "aws"].urls
            for address, handler in handlers.items():
                if re.match(address, url):
                    found: Callable[[Any], tuple[int, Any, Any]] = handler
                    return found
    raise LookupError(f"moto has no service at {url}")


class _Given:
    """A JSON request as moto's services read it: what werkzeug would make of the HTTP request, without making one."""

    from_wsgi_server = False
    content_encoding = None

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.method: str = request["method"]
        self.raw_url: str = request["url"]
        parts = urlsplit(self.raw_url)
        self.host = parts.netloc
        self.query_string = parts.query.encode()
        self.path = self.raw_path = request["url_path"]
        self.data: bytes = request["body"]
        self.headers = Headers({"Host": self.host, **request["headers"]})
        self.content_type: str = self.headers.get("Content-Type", "")
        self.environ: dict[str, str] = {}
        self.form: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self.values: dict[str, str] = {}
