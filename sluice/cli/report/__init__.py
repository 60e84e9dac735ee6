"""`sluice report`: one rollout as one self-contained HTML page. Reads the records and CloudWatch; asks no control plane."""

from __future__ import annotations

from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from sluice.aws.trail import table_time
from sluice.aws.watch import CloudWatchMetrics
from sluice.cli.records import known_head, records_of
from sluice.cli.report.page import page
from sluice.cli.report.story import Story, told
from sluice.cli.target import Target
from sluice.core.rows import Reading, limits, placed

_MINUTE = 60
_LONGEST_SECONDS = 15 * 24 * 3600
"""CloudWatch keeps minutes for 15 days."""


def report(target: Target, rollout_id: str | None) -> tuple[str, Story]:
    """The page and the story it tells. Raises BadInput when there is no such rollout."""
    with records_of(target) as store:
        known_head(store, target)
        events = tuple(store.events(target.endpoint))
        now = table_time(target.table, target.endpoint)
        story = _measured(told(events, rollout_id, now), now)
    return page(story, target.line("verify"), now), story


def _measured(story: Story, now: int) -> Story:
    """With the minutes since the first exposure. Without CloudWatch there is still a report."""
    rollout, since = story.rollout, story.rollout.first_exposure_at
    if since is None:
        return story
    if since < now - _LONGEST_SECONDS:
        return replace(story, rows_missing="CloudWatch keeps minutes for 15 days; this rollout is older.")
    since, until = since // _MINUTE * _MINUTE, min(story.until + _MINUTE, now) // _MINUTE * _MINUTE
    try:
        rows = CloudWatchMetrics().rows(
            Reading(
                rollout.endpoint,
                rollout.to_slot,
                rollout.from_slot,
                rollout.policy.metrics,
                limits(rollout),
                since,
                max(until, since + _MINUTE),
            )
        )
    except (ClientError, BotoCoreError) as fault:
        return replace(story, rows_missing=f"CloudWatch could not be read: {fault}")
    return replace(story, rows=placed(rows, rollout.shifts))
