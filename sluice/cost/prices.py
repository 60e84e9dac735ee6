"""List prices in US dollars, us-east-1, without free tiers and discounts.

No live price list can be read where this was written. Each says where to look it up; `price_sources` says what it was compared with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars for one of what the name says. A month is 730 hours."""

    lambda_request: float = 0.20e-6
    """aws.amazon.com/lambda/pricing: $0.20 a million requests."""
    lambda_gb_second: float = 0.0000133334
    """aws.amazon.com/lambda/pricing: arm64, first tier."""
    transition: float = 0.025e-3
    """aws.amazon.com/step-functions/pricing: Standard, $0.025 a thousand."""
    alarm_metric_month: float = 0.10
    """aws.amazon.com/cloudwatch/pricing: each metric in a standard-resolution alarm."""
    custom_metric_month: float = 0.30
    """aws.amazon.com/cloudwatch/pricing: first 10,000 metrics."""
    dashboard_month: float = 3.00
    """aws.amazon.com/cloudwatch/pricing: each dashboard; three an account are free, which is not taken off here."""
    metric_requested: float = 0.01e-3
    """aws.amazon.com/cloudwatch/pricing: GetMetricData, $0.01 a thousand metrics asked for."""
    cloudwatch_request: float = 0.01e-3
    """aws.amazon.com/cloudwatch/pricing: other requests, $0.01 a thousand."""
    log_gb: float = 0.50
    """aws.amazon.com/cloudwatch/pricing: ingested logs."""
    write_unit: float = 0.625e-6
    """aws.amazon.com/dynamodb/pricing: on demand, $0.625 a million; a transaction takes two a KB."""
    read_unit: float = 0.125e-6
    """aws.amazon.com/dynamodb/pricing: on demand, $0.125 a million; 4 KB, strongly consistent."""
    s3_put: float = 5e-6
    """aws.amazon.com/s3/pricing: PUT requests, $0.005 a thousand; storage of a few KB each is left out."""
    sqs_request: float = 0.40e-6
    """aws.amazon.com/sqs/pricing: standard queues, $0.40 a million requests."""
    bus_event: float = 1.00e-6
    """aws.amazon.com/eventbridge/pricing: custom events, $1.00 a million."""
    notice: float = 0.50e-6
    """aws.amazon.com/sns/pricing: $0.50 a million requests; what delivers them (mail, HTTP, texts) is yours to look up."""
    instance_hour: Mapping[str, float] = field(
        default_factory=lambda: {
            "ml.t2.medium": 0.056,
            "ml.m5.large": 0.115,
            "ml.m5.xlarge": 0.23,
            "ml.g5.xlarge": 1.408,
        }
    )
    """aws.amazon.com/sagemaker/pricing: real-time inference."""


PRICES = Prices()
