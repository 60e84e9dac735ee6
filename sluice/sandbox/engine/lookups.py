"""Pulumi's functions (`aws.get_region()`, `aws.lambda_.get_invocation()`): what a program asks instead of makes.

Decides which the sandbox answers; an unknown one is an error that says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sluice.sandbox.cloud.urls import OPERATOR
from sluice.sandbox.engine.kinds import Aws, Refused
from sluice.sandbox.engine.provider import Settings
from sluice.sandbox.engine.resources.invocation import invoke
from sluice.sandbox.engine.wire import Properties


@dataclass(frozen=True, slots=True)
class Question:
    aws: Aws
    settings: Settings
    arguments: Properties


Lookup = Callable[[Question], Properties]


def look_up(aws: Aws, settings: Settings, token: str, arguments: Properties) -> Properties:
    lookup = _LOOKUPS.get(token)
    if lookup is None:
        known = ", ".join(sorted(_LOOKUPS))
        raise Refused(
            f"the sandbox has no function {token} (it has {known}). Add it to sluice/sandbox/engine/lookups.py"
        )
    return lookup(Question(aws, settings, arguments))


def _caller(question: Question) -> Properties:
    """Whoever deploys is who else calls without a role: otherwise they could approve what they submitted."""
    account = question.aws.call("sts", "GetCallerIdentity")["Account"]
    arn = f"arn:aws:iam::{account}:user/{OPERATOR}"
    return {"accountId": account, "arn": arn, "userId": OPERATOR, "id": account}


def _region(question: Question) -> Properties:
    name = question.arguments.get("region") or question.arguments.get("name") or question.settings.region
    endpoint = f"ec2.{name}.amazonaws.com"
    return {"id": name, "name": name, "region": name, "description": name, "endpoint": endpoint}


def _partition(_question: Question) -> Properties:
    return {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


def _default_tags(question: Question) -> Properties:
    return {"id": "aws", "tags": dict(question.settings.default_tags)}


def _invocation(question: Question) -> Properties:
    function, qualifier = question.arguments["functionName"], question.arguments.get("qualifier", "$LATEST")
    result = invoke(question.aws, function, qualifier, question.arguments["input"], question.arguments.get("tenantId"))
    return {**question.arguments, "id": f"{function}_{qualifier}", "qualifier": qualifier, "result": result}


def _parameter(question: Question) -> Properties:
    decrypt = question.arguments.get("withDecryption", True)
    found = question.aws.call("ssm", "GetParameter", Name=question.arguments["name"], WithDecryption=decrypt)[
        "Parameter"
    ]
    value = {"value": found["Value"], "insecureValue": found["Value"] if found["Type"] != "SecureString" else ""}
    rest = {"arn": found["ARN"], "type": found["Type"], "version": found["Version"], "withDecryption": decrypt}
    return {"id": found["Name"], "name": found["Name"], "region": question.settings.region, **value, **rest}


def _policy_document(question: Question) -> Properties:
    statements = [_statement(statement) for statement in question.arguments.get("statements", [])]
    document = {"Version": question.arguments.get("version", "2012-10-17"), "Statement": statements}
    if "policyId" in question.arguments:
        document["Id"] = question.arguments["policyId"]
    return {"id": "document", "json": json.dumps(document, indent=2), "minifiedJson": json.dumps(document)}


def _statement(given: Properties) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": given.get("effect", "Allow")}
    if "sid" in given:
        made["Sid"] = given["sid"]
    for name in ("actions", "notActions", "resources", "notResources"):
        if name in given:
            made[name[0].upper() + name[1:-1]] = _one_or_many(given[name])
    for name in ("principals", "notPrincipals"):
        if name in given:
            made[name[0].upper() + name[1:-1]] = {p["type"]: _one_or_many(p["identifiers"]) for p in given[name]}
    for condition in given.get("conditions", []):
        tests = made.setdefault("Condition", {}).setdefault(condition["test"], {})
        tests[condition["variable"]] = _one_or_many(condition["values"])
    return made


def _one_or_many(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


_LOOKUPS: Mapping[str, Lookup] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getDefaultTags:getDefaultTags": _default_tags,
    "aws:lambda/getInvocation:getInvocation": _invocation,
    "aws:ssm/getParameter:getParameter": _parameter,
    "aws:iam/getPolicyDocument:getPolicyDocument": _policy_document,
}
