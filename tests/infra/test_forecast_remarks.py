"""What `pulumi up` says about the traffic that is expected: one line, and a warning for each step that can prove nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from infra.release_status import Weight, forecast_remarks
from tests.forecast.policies import with_kpi


def spec(rps: float | None) -> Any:
    return SimpleNamespace(endpoint_name="dev-shop", policy=with_kpi(), rps=rps)


def test_enough_traffic_gets_one_line() -> None:
    (said,) = forecast_remarks(spec(2000.0))

    assert said.weight is Weight.INFO
    assert said.sentence.startswith("dev-shop: at 2000 requests/s a good release takes about ")


def test_a_step_that_can_prove_nothing_is_a_warning() -> None:
    said, *warned = forecast_remarks(spec(5.0))

    assert said.weight is Weight.INFO
    assert [remark.weight for remark in warned][:1] == [Weight.WARNING]
    assert "step 1 (1 %) can prove nothing at 5 requests/s" in warned[0].sentence


def test_nothing_is_said_where_no_traffic_is_expected() -> None:
    assert forecast_remarks(spec(None)) == ()
