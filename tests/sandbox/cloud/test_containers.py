"""What a handler finds around it, and what it leaves to the next invocation and to the host."""

from __future__ import annotations

import json
import os
import sys

import pytest

import sluice
from sluice.sandbox.cloud.cloud import Cloud
from tests.sandbox.deploying import ACCOUNT, ECHO, LOGS, allow, client, function, invoke, role, zip_of


def test_a_handler_from_the_deployed_zip_answers(cloud: Cloud) -> None:
    function("echo", ECHO)

    assert invoke("echo", {"a": [1, None]}) == ({"a": [1, None]}, None)


def test_the_environment_holds_lambdas_variables_and_the_functions_own_and_nothing_of_the_hosts(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_HOST", "secret")
    function(
        "env",
        """
        import os
        def handler(event, context):
            os.environ["LEFT_BEHIND"] = "x"
            return dict(os.environ)
        """,
        environment={"TABLE": "sluice"},
    )

    found, _ = invoke("env")

    assert found["TABLE"] == "sluice"
    assert found["AWS_LAMBDA_FUNCTION_NAME"] == "env"
    assert found["AWS_REGION"] == found["AWS_DEFAULT_REGION"] == "us-east-1"
    assert found["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert found["_HANDLER"] == "app.handler"
    assert found["TZ"] == ":UTC"
    assert "OF_THE_HOST" not in found
    assert os.environ["OF_THE_HOST"] == "secret"
    assert "LEFT_BEHIND" not in os.environ


def test_the_context_describes_the_invocation(cloud: Cloud) -> None:
    arn = function(
        "ctx",
        """
        import time
        def handler(event, context):
            time.sleep(3)
            return {
                "name": context.function_name, "version": context.function_version, "arn": context.invoked_function_arn,
                "memory": context.memory_limit_in_mb, "group": context.log_group_name, "stream": context.log_stream_name,
                "id": context.aws_request_id, "left": context.get_remaining_time_in_millis(),
            }
        """,
        timeout=10,
        MemorySize=256,
    )

    found, _ = invoke("ctx")

    stream = found.pop("stream")
    assert stream.startswith("2026/03/02/[$LATEST]")
    assert len(found.pop("id")) == 36
    assert found == {
        "name": "ctx",
        "version": "$LATEST",
        "arn": arn,
        "memory": "256",
        "group": "/aws/lambda/ctx",
        "left": 7000,
    }


def test_an_alias_is_seen_in_the_invoked_arn(cloud: Cloud) -> None:
    arn = function(
        "ctx", "def handler(event, context): return [context.invoked_function_arn, context.function_version]"
    )
    client("lambda").publish_version(FunctionName="ctx")
    client("lambda").create_alias(FunctionName="ctx", Name="live", FunctionVersion="1")

    assert invoke("ctx", Qualifier="live")[0] == [f"{arn}:live", "1"]
    assert invoke(f"{arn}:live")[0] == [f"{arn}:live", "1"]


def test_packages_of_the_zip_hide_the_hosts_packages_of_the_same_name(cloud: Cloud) -> None:
    code = zip_of(
        {
            "sluice/core/where.py": "PLACE = 'the zip'",
            "lambdas/tick.py": """
                from sluice.core import where
                def handler(event, context):
                    try:
                        import sluice.sandbox
                    except ImportError as error:
                        return [where.PLACE, where.__file__, str(error)]
            """,
        }
    )
    made = role("tick", LOGS)
    client("lambda").create_function(
        FunctionName="tick", Runtime="python3.13", Role=made, Handler="lambdas.tick.handler", Code={"ZipFile": code}
    )

    (place, file, missing), _ = invoke("tick")

    assert place == "the zip"
    assert "sluice-functions-" in file
    assert missing == "No module named 'sluice.sandbox'"
    assert sys.modules["sluice"] is sluice, "the host has its own back"
    assert "sluice.core.where" not in sys.modules


def test_a_library_that_is_not_in_the_zip_cannot_be_imported(cloud: Cloud) -> None:
    function("heavy", "import pydantic\ndef handler(event, context): pass")

    answer, error = invoke("heavy")

    assert error == "Unhandled"
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert "No module named 'pydantic'" in answer["errorMessage"]


def test_a_warm_container_keeps_its_modules_and_a_changed_function_gets_a_new_one(cloud: Cloud) -> None:
    counting = """
        import os
        calls = []
        def handler(event, context):
            calls.append(1)
            return [len(calls), os.environ.get("STEP")]
    """
    function("count", counting)
    warm = [invoke("count")[0] for _ in range(3)]

    client("lambda").update_function_configuration(FunctionName="count", Environment={"Variables": {"STEP": "two"}})
    configured = invoke("count")[0]
    client("lambda").update_function_code(FunctionName="count", ZipFile=zip_of({"app.py": counting + "    # changed"}))
    recoded = invoke("count")[0]

    assert warm == [[1, None], [2, None], [3, None]]
    assert configured == [1, "two"]
    assert recoded == [1, "two"]


def test_modules_a_handler_imports_late_or_throws_away_are_so_in_its_next_invocation(cloud: Cloud) -> None:
    source = """
        import sys
        def handler(event, context):
            if event == "import":
                import app_more
            elif event == "drop":
                del sys.modules["app_more"]
            elif event == "again":
                del sys.modules["app_more"]
                import app_more
            return sorted(name for name in sys.modules if name.startswith("app"))
    """
    function("lazy", source)
    client("lambda").update_function_code(
        FunctionName="lazy", ZipFile=zip_of({"app.py": source, "app_more.py": "WORD = 1"})
    )
    steps = ["nothing", "import", "nothing", "again", "nothing", "drop", "nothing", "import"]

    found = [invoke("lazy", step)[0] for step in steps]

    assert found[0] == found[5] == found[6] == ["app"]
    assert all(each == ["app", "app_more"] for each in [*found[1:5], found[7]])
    assert not [name for name in sys.modules if name.startswith("app_more")], "nothing of it is left in the host"


def test_functions_do_not_share_modules_or_loggers(cloud: Cloud) -> None:
    source = """
        import logging
        logger = logging.getLogger("sluice")
        logger.setLevel("INFO")
        def handler(event, context):
            logger.info("%s with %d handlers", context.function_name, len(logger.handlers))
            logger.addHandler(logging.NullHandler())
    """
    function("one", source)
    function("two", source)
    for name in ("one", "two", "one"):
        invoke(name)

    assert [line.text.split("\t")[-1] for line in cloud.functions.logs["one"]] == [
        "one with 0 handlers",
        "one with 1 handlers",
    ]
    assert cloud.functions.text("two").endswith("two with 0 handlers")


def test_an_invocation_inside_an_invocation_has_a_world_of_its_own(cloud: Cloud) -> None:
    inner = function(
        "inner", "import os\ndef handler(event, context): return os.environ['WHO']", environment={"WHO": "inner"}
    )
    function(
        "outer",
        """
        import boto3, json, os
        def handler(event, context):
            answer = boto3.client("lambda").invoke(FunctionName="inner", Payload=b"{}")
            return [json.loads(answer["Payload"].read()), os.environ["WHO"]]
        """,
        allow("Invoke", "lambda:InvokeFunction", inner),
        environment={"WHO": "outer"},
    )

    assert invoke("outer") == (["inner", "outer"], None)


def test_a_function_that_invokes_itself_gets_a_second_container(cloud: Cloud) -> None:
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:self"
    function(
        "self",
        """
        import boto3, json
        depth = 0
        def handler(event, context):
            global depth
            depth += 1
            if event["left"]:
                answer = boto3.client("lambda").invoke(
                    FunctionName="self", Payload=json.dumps({"left": event["left"] - 1}))
                return [depth] + json.loads(answer["Payload"].read())
            return [depth]
        """,
        allow("Invoke", "lambda:InvokeFunction", arn),
    )

    assert invoke("self", {"left": 2}) == ([1, 1, 1], None)


def test_handlers_that_sleep_side_by_side_keep_their_worlds_apart(cloud: Cloud) -> None:
    source = """
        import os, time
        def handler(event, context):
            seen = [os.environ["WHO"]]
            for _ in range(3):
                time.sleep(event["pause"])
                seen.append(os.environ["WHO"])
            print(seen)
    """
    for name in ("one", "two"):
        function(name, source, environment={"WHO": name})
    for name, pause in (("one", 3), ("two", 2)):
        client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"pause": pause}))
    environ = dict(os.environ)

    cloud.clock.run_for(30)

    assert cloud.functions.text("one") == str(["one"] * 4)
    assert cloud.functions.text("two") == str(["two"] * 4)
    assert dict(os.environ) == environ


def test_the_host_gets_everything_back(cloud: Cloud) -> None:
    before = (sys.path[:], sys.meta_path[:], dict(os.environ), sys.stdout, set(sys.modules))
    function("echo", ECHO)
    invoke("echo")

    path, finders, environ, stdout, modules = before
    assert (sys.path, sys.meta_path, dict(os.environ), sys.stdout) == (path, finders, environ, stdout)
    assert "app" not in sys.modules
    assert modules <= set(sys.modules)
