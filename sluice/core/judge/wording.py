"""Numbers as people read them in a finding's sentence. Nothing is decided here."""

from __future__ import annotations

from sluice.core.judge.interval import Interval
from sluice.core.judge.pair import Pair


def percent(part: float) -> str:
    """`13.4 %`, `0.21 %`, `0 %`: enough digits to tell small rates apart."""
    value = 100 * part
    return f"{value:.1f} %" if value >= 1 else f"{value:.2g} %"


def whole(number: float) -> str:
    """`12,345`."""
    return f"{number:,.0f}"


def evidence(value: float, need: float) -> str:
    """`evidence 37 of 20 needed`; one digit more below ten."""
    shown = f"{value:.1f}" if value < 10 else whole(min(value, 1e9))
    return f"evidence {shown} of {need:,g} needed"


def rate(trials: float, events: float) -> str:
    """`0.8 % (84 of 10,500)`."""
    if trials <= 0:
        return "nothing"
    return f"{percent(events / trials)} ({whole(events)} of {whole(trials)})"


def against(pair: Pair) -> str:
    """`0.8 % (84 of 10,500) against 0.4 % (420 of 105,000)`."""
    return f"{rate(pair.canary_trials, pair.canary_events)} against {rate(pair.stable_trials, pair.stable_events)}"


def times(interval: Interval) -> str:
    """`, 2.0x (1.5x to 2.7x)`; nothing where the data do not bound a ratio at all."""
    if interval.ratio is None or (interval.low <= 0 and interval.high is None):
        return ""
    low = "0" if interval.low <= 0 else f"{interval.low:.2f}x"
    high = "any" if interval.high is None else f"{interval.high:.2f}x"
    return f", {interval.ratio:.2f}x ({low} to {high})"
