"""Patches of moto's Lambda, pinned to 5.2.5: who answers an invocation, dead-letter targets, refused mappings.

What happens there is decided by whoever installs one; URLs are patched in `url_hooks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from functools import wraps
from typing import Any

from sluice.sandbox.patches import Undo, all_of, replaced


def install_lambda_invoke(
    invoke: Callable[[Any, str, str | None, Any, Mapping[str, str], MutableMapping[str, str]], bytes],
) -> Undo:
    """Invocations become invoke(backend, function_name, qualifier, body, headers, response_headers).

    Also mends moto's loss of the Qualifier, which it reads in lower case.
    """
    from moto.awslambda.responses import LambdaResponse
    from moto.awslambda_simple.models import LambdaSimpleBackend

    read = LambdaResponse._get_param

    def answer(
        backend: Any, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any
    ) -> bytes:
        return invoke(backend, function_name, qualifier, body, headers, response_headers)

    def parameter(response: Any, param_name: str, if_none: Any = None) -> Any:
        return read(response, "Qualifier" if param_name == "qualifier" else param_name, if_none)

    return all_of(
        replaced(LambdaSimpleBackend, "invoke", answer),
        replaced(LambdaResponse, "_get_param", parameter),
    )


def install_dead_letter_targets() -> Undo:
    """moto drops a function's DeadLetterConfig: keep its target as `dead_letter_target` on the function."""
    from moto.awslambda.models import LambdaFunction

    create, update = LambdaFunction.__init__, LambdaFunction.update_configuration

    @wraps(create)
    def created(function: Any, account_id: str, spec: dict[str, Any], *rest: Any, **named: Any) -> None:
        create(function, account_id, spec, *rest, **named)
        function.dead_letter_target = (spec.get("DeadLetterConfig") or {}).get("TargetArn")

    @wraps(update)
    def updated(function: Any, config_updates: dict[str, Any]) -> Any:
        if "DeadLetterConfig" in config_updates:
            function.dead_letter_target = config_updates["DeadLetterConfig"].get("TargetArn")
        return update(function, config_updates)

    return all_of(
        replaced(LambdaFunction, "__init__", created),
        replaced(LambdaFunction, "update_configuration", updated),
    )


def install_mapping_check(check: Callable[[Mapping[str, Any]], None]) -> Undo:
    """check(spec) before an event source mapping is made; it raises `lambda_error(...)` to refuse."""
    from moto.awslambda.models import LambdaBackend

    original = LambdaBackend.create_event_source_mapping

    @wraps(original)
    def checked(backend: Any, spec: dict[str, Any]) -> Any:
        check(spec)
        return original(backend, spec)

    return replaced(LambdaBackend, "create_event_source_mapping", checked)


def lambda_error(code: str, message: str) -> Exception:
    """What moto turns into an error answer of Lambda, when raised inside its request handling."""
    from moto.awslambda.exceptions import LambdaClientError

    return LambdaClientError(code, message)
