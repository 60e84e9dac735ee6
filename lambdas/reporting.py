"""One log line and its metrics per invocation, through Powertools, tagged with endpoint, release and rollout."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

_UNITS = {"Seconds": MetricUnit.Seconds, "Count": MetricUnit.Count, "Percent": MetricUnit.Percent}


def report(
    sentence: str,
    metrics: Mapping[str, tuple[str, float]],
    *,
    endpoint: str | None = None,
    release: str | None = None,
    rollout: str | None = None,
    faults: tuple[str, ...] = (),
    more: Mapping[str, str | int] | None = None,
) -> None:
    """Log the sentence with its tags, and publish the metrics ({name: (unit, value)}) as EMF. `more` goes into the log line alone.

    The endpoint is a dimension; release and rollout are metadata, because each value of a dimension is a paid series.
    """
    tags = {"endpoint": endpoint, "release": release, "rollout": rollout}
    known = {key: value for key, value in tags.items() if value is not None}
    logger = _logger()
    logger.info(sentence, extra={**known, **(more or {})})
    for fault in faults:
        logger.warning(fault, extra=known)
    emitter = _emitter()
    if endpoint is not None:
        emitter.add_dimension(name="endpoint", value=endpoint)
    for key in ("release", "rollout"):
        if key in known:
            emitter.add_metadata(key=key, value=known[key])
    for name, (unit, value) in {**metrics, "Faults": ("Count", len(faults))}.items():
        emitter.add_metric(name=name, unit=_UNITS[unit], value=value)
    emitter.flush_metrics()


@cache
def _logger() -> Logger:
    """Made with the first line, once for the life of the process: what it reads of the environment stays as it is."""
    return Logger()


@cache
def _emitter() -> Metrics:
    """As the logger. Publishing empties it, dimensions and metadata included."""
    return Metrics()
