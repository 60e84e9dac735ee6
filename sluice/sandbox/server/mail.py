"""What people were told over SNS topics, as their mail would show it. The links in it lead to the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sluice.sandbox.cloud.cloud import Cloud
from sluice.sandbox.server.function_urls import told_here


def mail(cloud: Cloud, server: str) -> Iterator[dict[str, Any]]:
    """Every message, oldest first: `at` in seconds since the epoch, `topic`, `severity` where it has one, `subject`, `text`."""
    for call in cloud.gate.made("Publish", service="sns"):
        if call.outcome == "ok":
            attributes = call.params.get("MessageAttributes", {})
            yield {
                "at": int(call.at.timestamp()),
                "topic": str(call.params["TopicArn"]).rpartition(":")[2],
                "severity": attributes.get("severity", {}).get("StringValue"),
                "subject": call.params.get("Subject", ""),
                "text": told_here(call.params["Message"].encode(), server).decode(),
            }
