"""The demo: v1 serves, v2 is better and goes out, v3 fails on part of its inputs and comes back. Progress on stderr."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sluice.cli.timeline import print_timeline, progress, ticking
from sluice.core.rollout import Latch, Phase, Rollout
from sluice.sandbox.cloud.gate import Call
from sluice.sandbox.engine.program import RunResult
from sluice.sandbox.facts import setting as measured
from sluice.sandbox.hosting.traffic import Tally, Traffic
from sluice.sandbox.meters import MeterSettings
from sluice.sandbox.sandbox import Sandbox, Setting
from sluice.sandbox.timeline import Timeline
from sluice.sandbox.triage import ENDPOINT, NAME, Example, train
from sluice.schema.facts import read_facts

_LIMIT_SECONDS = 12 * 3600


def run(seed: int, facts: Path | None = None) -> int:
    """Run the demo; returns the exit code: 0 when v2 settled and v3 was taken back, as it must be.

    `facts` is a facts.json whose times the sandbox takes; raises BadInput for one that cannot be read.
    """
    setting = Setting(seed=seed, meters=MeterSettings(seed=seed))
    if facts is not None:
        setting = measured(read_facts(facts).facts, setting)
    with tempfile.TemporaryDirectory(prefix="sluice-demo-") as folder:
        progress("training five versions of the example model")
        example = train(Path(folder))
        progress("starting the sandbox")
        with Sandbox(setting) as sandbox:
            return _Demo(sandbox, example).show()


@dataclass(frozen=True, slots=True)
class _Demo:
    sandbox: Sandbox
    example: Example

    def show(self) -> int:
        print("Sluice demo: a better model goes out step by step, a bad one comes back by its alarm.")
        print("The real Pulumi program, Lambda code and models, on an AWS in this process, in virtual time.\n")
        self.example.upload(self.sandbox, "v1", "v2", "v3")
        first = self._up("v1")
        print(f"pulumi up: {first.count('create')} resources created; {ENDPOINT} serves v1 ({self._accuracy('v1')})\n")
        timeline = Timeline(self.sandbox, ENDPOINT)
        traffic = self.sandbox.traffic(ENDPOINT, self.example.load())
        timeline.look()
        better = self._roll_out(timeline, "v2", "a better model")
        bad = self._roll_out(timeline, "v3", "fails on part of its inputs")
        self._account(traffic)
        self._way_back(traffic, bad)
        self._exports()
        return 0 if (better.phase, bad.phase) == (Phase.SETTLED, Phase.ROLLED_BACK) else 1

    def _up(self, release: str) -> RunResult:
        progress(f"pulumi up: {release}")
        self.sandbox.config["endpoints"] = self.example.endpoints(release)
        return self.sandbox.up()

    def _roll_out(self, timeline: Timeline, release: str, what: str) -> Rollout:
        """`up` with the release, then time until the rollout has ended."""
        result = self._up(release)
        rollout = self.sandbox.head(ENDPOINT).live
        if rollout is None:
            raise RuntimeError(f"`up` with {release} started no rollout: {result.messages}")
        before = len(timeline.lines)
        with ticking(f"rolling out {release}") as tell:

            def ended() -> bool:
                timeline.look()
                tell(timeline.lines[-1])
                return self.sandbox.head(ENDPOINT).live is None

            self.sandbox.run_until(ended, _LIMIT_SECONDS)
        changes = ", ".join(f"{step.op} {step.name}" for step in result.changes)
        print(f"pulumi up with {release}, {what} ({self._accuracy(release)}): {changes}")
        print_timeline(timeline.lines[before:], {event.because for event in self.sandbox.events(ENDPOINT)})
        ended_rollout = self.sandbox.store.ended(ENDPOINT, rollout.id)
        if ended_rollout is None:
            raise RuntimeError(f"rollout {rollout.id} did not end within {_LIMIT_SECONDS // 3600} virtual hours")
        return ended_rollout

    def _accuracy(self, release: str) -> str:
        return f"accuracy {self.example.document(release)['metadata']['evaluation']['accuracy']:.4f} on held-out rows"

    def _account(self, traffic: Traffic) -> None:
        """What clients got, by release."""
        traffic.catch_up()
        print("What clients got")
        print(f"  {'release':<9}{'requests':>10}{'errors':>9}")
        for release in ("v1", "v2", "v3"):
            tally = self._tally(traffic, release)
            print(f"  {release:<9}{tally.requests:>10,}{tally.errors:>9,}")
        print(f"  {'all':<9}{traffic.account.requests:>10,}{traffic.account.harmed:>9,}")
        print(f"  requests failed: {traffic.account.harmed:,} of {traffic.account.requests:,}\n")

    def _tally(self, traffic: Traffic, release: str) -> Tally:
        """Model names are content-addressed: find them by the archive they serve."""
        url = self.example.document(release)["artifact"]["url"]
        total = Tally()
        for name, tally in traffic.account.models.items():
            if self.sandbox.model_url(name) == url:
                total.requests += tally.requests
                total.errors += tally.errors
                total.first_error = total.first_error or tally.first_error
        return total

    def _way_back(self, traffic: Traffic, rollout: Rollout) -> None:
        """From the first bad request to the weights read back."""
        latch = rollout.latch
        first = self._tally(traffic, "v3").first_error
        if latch is None or first is None or latch.weights_back_at is None:
            raise RuntimeError(f"{rollout.id} has no complete way back to show: {rollout.because}")
        moments = [
            ("first bad request", first),
            ("alarm in ALARM", self._alarmed_at(rollout, latch)),
            ("weight call accepted", self._accepted(latch).at),
            ("weights read back", datetime.fromtimestamp(latch.weights_back_at, UTC)),
        ]
        print("The way back of v3")
        for what, at in moments:
            print(f"  {what:<22}{at:%H:%M:%S}  +{(at - first).total_seconds():.0f} s")
        print()

    def _alarmed_at(self, rollout: Rollout, latch: Latch) -> datetime:
        events = [e for e in self.sandbox.events(ENDPOINT) if e.rollout == rollout.id and e.at == latch.at]
        since = next((event.facts["since"] for event in events if "since" in event.facts), latch.at)
        return datetime.fromtimestamp(since, UTC)

    def _accepted(self, latch: Latch) -> Call:
        calls = self.sandbox.cloud.gate.made("UpdateEndpointWeightsAndCapacities", service="sagemaker")
        return next(call for call in calls if call.effective and call.at.timestamp() >= latch.at)

    def _exports(self) -> None:
        """An unchanged `up` afterwards: it moves nothing and says where things stand."""
        result = self.sandbox.up()
        print(f"pulumi up again, unchanged: {len(result.changes)} changes")
        for severity, text, _ in result.messages:
            print(f"  {severity}: {text}")
        print("exports")
        print(json.dumps({"endpoints": {NAME: result.outputs["endpoints"][NAME]}}, indent=2, sort_keys=True))
