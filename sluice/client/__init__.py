"""For application teams: ask an endpoint, and record what came of its answers, per variant. boto3 and the standard library only.

Programs that deploy an application use `sluice.client.reference`, which needs pulumi.
"""

from sluice.client.asking import Answer, Endpoint
from sluice.client.champion import Champion, read_champion, serving_from_parameter
from sluice.client.contract import (
    CONTRACT_VERSION,
    Contract,
    EndpointContract,
    Serving,
    contract_from,
    serving_from_json,
)
from sluice.client.outcomes import Exposure, Outcomes
from sluice.client.session import session_as
from sluice.client.sinks import CloudWatch, EmfLines
from sluice.client.sticky import Pin, Sticky

__all__ = [
    "CONTRACT_VERSION",
    "Answer",
    "Champion",
    "CloudWatch",
    "Contract",
    "EmfLines",
    "Endpoint",
    "EndpointContract",
    "Exposure",
    "Outcomes",
    "Pin",
    "Serving",
    "Sticky",
    "contract_from",
    "read_champion",
    "serving_from_json",
    "serving_from_parameter",
    "session_as",
]
