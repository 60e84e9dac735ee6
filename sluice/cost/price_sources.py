"""What each price was compared with. Nothing here is AWS's price list of today: see `Seen.date`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """A stored copy of a public page that gives the same figure for us-east-1, read in November 2026.

    `date` is the one the page carries, empty where it carries none.
    """

    where: str
    date: str = ""

    def __str__(self) -> str:
        return f"{self.where}, {self.date or 'undated'}"


_CLOUDWATCH_GUIDE = Seen("factualminds.com, a guide to CloudWatch's prices", "June 2026")
_SAGEMAKER_TABLE = Seen("aws-samples/foundation-model-benchmarking-tool, pricing.yml")
_PUBLIC_CODE = Seen("price tables in public code, none of them AWS's")
_LAMBDA_NOTES = Seen("mcrn.ar, notes on Lambda's cost")

SEEN: Mapping[str, Seen] = {
    "lambda_request": _LAMBDA_NOTES,
    "lambda_gb_second": Seen("cloudchipr.com, a guide to Lambda's prices", "2024"),
    "transition": Seen("AWS's own page, a stored copy"),
    "alarm_metric_month": Seen("c3x.dev, cost of CloudWatch alarms"),
    "custom_metric_month": Seen("signoz.io, a guide to CloudWatch's prices", "February 2026"),
    "dashboard_month": _CLOUDWATCH_GUIDE,
    "metric_requested": Seen("site24x7.com, CloudWatch metrics cost calculation"),
    "cloudwatch_request": Seen("an issue of nishinoshake/aws-rough", "April 2022"),
    "log_gb": _CLOUDWATCH_GUIDE,
    "write_unit": Seen("airbyte.com, DynamoDB pricing, after the cut of November 2024", "July 2025"),
    "read_unit": Seen("airbyte.com, DynamoDB pricing, after the cut of November 2024", "July 2025"),
    "s3_put": Seen("c3x.dev, S3 request fees"),
    "sqs_request": Seen("factualminds.com, a guide to SQS's prices", "June 2026"),
    "bus_event": Seen("factualminds.com, a guide to EventBridge's prices", "June 2026"),
    "notice": Seen("factualminds.com, a guide to SNS's prices", "June 2026"),
    "ml.t2.medium": _PUBLIC_CODE,
    "ml.m5.large": _PUBLIC_CODE,
    "ml.m5.xlarge": _SAGEMAKER_TABLE,
    "ml.g5.xlarge": _SAGEMAKER_TABLE,
}
"""By the name of a price or an instance type. A guide that contradicts: zircon.tech (October 2025) has $0.269 for ml.m5.xlarge."""
