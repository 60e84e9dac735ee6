"""How people reach the command function: an alias and a signed URL per class of commands, and an alias for pipelines.

Who may use which is an IAM document of its own per class; the function checks that a command belongs to the alias it came by.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from infra.iam_documents import Document, allow, document, text
from infra.resource_names import Names
from sluice.core.classes import PIPELINE, CommandClass

LATEST = "$LATEST"
"""Aliases follow the deployed code: an operator's way back must not depend on a version that somebody forgot to publish."""


class Commands(pulumi.ComponentResource):
    """Aliases, URLs and managed policies of the command function. `urls` by class; `policy_arns` by class, and of the pipeline."""

    def __init__(
        self, names: Names, function: aws.lambda_.Function, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sluice:infra:Commands", "commands", None, opts)
        self.aliases = {word: self._alias(function, word) for word in (*CommandClass, PIPELINE)}
        self.urls: Mapping[str, pulumi.Output[str]] = {
            word.value: self._url(function, self.aliases[word]) for word in CommandClass
        }
        documents = {
            **{word.value: command_document_of(names, word) for word in CommandClass},
            PIPELINE: pipeline_document_of(names),
        }
        self.policy_arns: Mapping[str, pulumi.Output[str]] = {
            word: self._policy(names, word, content) for word, content in documents.items()
        }
        self.register_outputs({"urls": self.urls, "policy_arns": self.policy_arns})

    def _alias(self, function: aws.lambda_.Function, word: str) -> aws.lambda_.Alias:
        return aws.lambda_.Alias(
            f"command-{word}",
            name=str(word),
            function_name=function.name,
            function_version=LATEST,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _url(self, function: aws.lambda_.Function, alias: aws.lambda_.Alias) -> pulumi.Output[str]:
        """Signed with SigV4 by a caller whose IAM documents allow it; nobody else gets as far as the function."""
        url = aws.lambda_.FunctionUrl(
            alias._name,
            function_name=function.name,
            qualifier=alias.name,
            authorization_type="AWS_IAM",
            opts=pulumi.ResourceOptions(parent=self),
        )
        return url.function_url

    def _policy(self, names: Names, word: str, content: Document) -> pulumi.Output[str]:
        """For roles and groups of people, who are not this stack's to know."""
        policy = aws.iam.Policy(
            f"command-{word}",
            name=names.command_policy(word),
            policy=text(content),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return policy.arn


def command_document_of(names: Names, word: CommandClass) -> Document:
    """For people: the IAM document that lets them give the commands of one class, through its URL and in no other way.

    The condition matters: who may invoke the alias directly could write any caller into the request.
    """
    alias = names.function_arn("command") + f":{word}"
    return document(
        allow("FindUrl", ["lambda:GetFunctionUrlConfig"], [names.function_arn("command"), alias]),
        allow(
            "CallUrl",
            ["lambda:InvokeFunctionUrl"],
            [alias],
            {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
        ),
        allow("ThroughUrlOnly", ["lambda:InvokeFunction"], [alias], {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}),
    )


def pipeline_document_of(names: Names) -> Document:
    """For programs: plain invocations of the pipeline's alias, whose caller is not proven and which neither approve nor force."""
    return document(
        allow("InvokePipeline", ["lambda:InvokeFunction"], [names.function_arn("command") + f":{PIPELINE}"])
    )
