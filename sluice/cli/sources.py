"""Where recorded minutes come from: a file, or CloudWatch for an endpoint and a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sluice.core.errors import BadInput
from sluice.core.observation import Row
from sluice.core.past import Past
from sluice.core.policy import Policy
from sluice.schema.recorded_line import moment
from sluice.schema.recording import read_recording
from sluice.schema.stack import OUTCOMES, with_outcomes

KEPT_SECONDS = 15 * 86400
"""How long CloudWatch keeps minutes; after that five of them are one."""
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Source:
    """What was given: a file, or the options about CloudWatch. None: not given."""

    file: Path | None
    endpoint: str | None = None
    canary: str | None = None
    stable: str | None = None
    begin: str | None = None
    end: str | None = None
    region: str | None = None
    outcomes: str | None = None

    @property
    def name(self) -> str:
        return str(self.file) if self.file is not None else f"CloudWatch's minutes of {self.endpoint}"


def recorded(policy: Policy, source: Source, now: float) -> Mapping[str, tuple[Row, ...]]:
    """The rows of each release. Raises BadInput with every fault of the options."""
    if source.file is not None:
        if source.endpoint is not None:
            raise BadInput(("--endpoint: given together with FILE. Leave one of them out",))
        return read_recording(source.file, policy)
    past = _past(policy, source, now)
    if source.region is not None:
        import boto3

        boto3.setup_default_session(region_name=source.region)
    from sluice.aws.past import past_rows

    rows = past_rows(_meant(policy, source), past)
    return {f"{past.canary} from {datetime.fromtimestamp(rows[0].at, UTC):%Y-%m-%d %H:%M}": rows}


def _meant(policy: Policy, source: Source) -> Policy:
    """The policy with the stack's own namespace of outcomes, where it reads any."""
    if source.outcomes is not None:
        return with_outcomes(policy, source.outcomes)
    named = [name for name, metric in policy.metrics.items() if metric.namespace == OUTCOMES]
    if named:
        raise BadInput(
            (
                f"--outcomes: the policy reads {', '.join(named)} from the stack's own namespace. Give it: the export "
                "`outcome_namespace` of the endpoint, such as Sluice/shop/dev/outcomes",
            )
        )
    return policy


def _past(policy: Policy, source: Source, now: float) -> Past:
    options = {"--canary": source.canary, "--stable": source.stable, "--from": source.begin, "--until": source.end}
    missing = [option for option, value in options.items() if value is None]
    if source.endpoint is None:
        raise BadInput(("FILE: give a recording, or --endpoint with --canary, --stable, --from and --until",))
    if missing:
        raise BadInput((f"--endpoint: needs {', '.join(missing)}, too: which variant was what, and when",))
    faults: list[str] = []
    begin, end = (_at(option, str(options[option]), faults) for option in ("--from", "--until"))
    end = min(end, int(now - policy.judge.data_lag_seconds) // _MINUTE * _MINUTE)
    faults = faults or list(_faults(source, begin, end, now))
    if faults:
        raise BadInput(tuple(faults))
    return Past(source.endpoint, str(source.canary), str(source.stable), begin, end)


def _at(option: str, given: str, faults: list[str]) -> int:
    try:
        return moment(given)
    except ValueError:
        faults.append(f"{option}: must be a moment such as 2026-03-02T09:00 (UTC) or seconds since 1970, got {given!r}")
        return 0


def _faults(source: Source, begin: int, end: int, now: float) -> Iterator[str]:
    if source.canary == source.stable:
        yield f"--canary: must be another variant than --stable, got {source.canary!r} for both"
    if begin >= end:
        yield f"--until: must be after --from and in the past, got {source.begin} to {source.end}"
    elif now - begin > KEPT_SECONDS:
        oldest = datetime.fromtimestamp(now - KEPT_SECONDS, UTC)
        yield (
            f"--from: CloudWatch keeps minutes for 15 days, so it must be after {oldest:%Y-%m-%dT%H:%M}, got {source.begin}. "
            "Older releases: what Sluice archived (docs/recordings.md), or a table of your own"
        )
