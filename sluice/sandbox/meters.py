"""Metrics, alarms, endpoints and their traffic, put together over moto and taken away again as one.

Decides only the order of things; each part's behaviour is its own module's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from sluice.sandbox.cloud.clock import Clock
from sluice.sandbox.cloud.light_hooks import Light, Remembered
from sluice.sandbox.hosting import endpoint_hooks, serving_hooks
from sluice.sandbox.hosting.endpoints import Endpoints, EndpointTiming
from sluice.sandbox.hosting.loading import Artifacts, Fetch
from sluice.sandbox.hosting.serving import Runtime
from sluice.sandbox.hosting.traffic import Load, Traffic
from sluice.sandbox.watch import alarm_hooks, metric_hooks
from sluice.sandbox.watch.alarms import AlarmClockwork, AlarmTiming, Publish
from sluice.sandbox.watch.light_answers import light_answers
from sluice.sandbox.watch.meter import Meter
from sluice.sandbox.watch.series import MetricStore


@dataclass(frozen=True, slots=True)
class MeterSettings:
    """The place, the seed, and how long things take."""

    account: str = "123456789012"
    region: str = "us-east-1"
    seed: int = 0
    metric_delay_seconds: float = 10.0
    endpoints: EndpointTiming = field(default_factory=EndpointTiming)
    alarms: AlarmTiming = field(default_factory=AlarmTiming)


class Meters:
    """The parts, installed. Inside a running clock and moto's mock; `close` undoes every patch."""

    def __init__(
        self,
        clock: Clock,
        publish: Publish,
        settings: MeterSettings = MeterSettings(),
        *,
        fetch: Fetch | None = None,
    ) -> None:
        """`publish` takes alarm events; `fetch` reads artifacts as a role, by default straight from moto's S3."""
        self._place = place = (settings.account, settings.region)
        self._clock = clock
        self._seed = settings.seed
        self._reading = settings.alarms.reading
        self.store = MetricStore()
        self.meter = Meter(clock, self.store, delay_seconds=settings.metric_delay_seconds)
        self.artifacts = Artifacts(fetch or serving_hooks.moto_artifacts(settings.account))
        self.endpoints = Endpoints(
            clock, endpoint_hooks.moto_sagemaker(*place), self.artifacts, timing=settings.endpoints, seed=settings.seed
        )
        self.runtime = Runtime(self.endpoints, self.meter, clock, settings.seed)
        self.alarms = AlarmClockwork(
            clock,
            self.store,
            alarm_hooks.moto_alarms(*place),
            publish,
            account=settings.account,
            region=settings.region,
            timing=settings.alarms,
        )
        self._undos = self._install()

    def _install(self) -> list[Callable[[], None]]:
        undos = [
            metric_hooks.install_metric_store(self.store, self._reading),
            alarm_hooks.install_alarm_rules(self.alarms),
            alarm_hooks.install_set_alarm_state(self.alarms),
            alarm_hooks.install_describe_alarms(),
            endpoint_hooks.install_endpoints(self.endpoints),
            endpoint_hooks.install_live_guards(self.endpoints),
            endpoint_hooks.install_instance_types(),
            endpoint_hooks.install_tags(),
            serving_hooks.install_runtime(self.runtime),
            metric_hooks.install_utc_timestamps(),
        ]
        self.alarms.start()
        return undos

    def lights(self) -> dict[tuple[str, str], Light]:
        """Light answers about what is here, by service and operation."""
        described = Remembered(lambda params: self.endpoints.look(str(params.get("EndpointName"))))
        of_watch = light_answers(self.store, self._reading, alarm_hooks.moto_alarms(*self._place))
        return {**of_watch, ("sagemaker", "DescribeEndpoint"): described}

    def traffic(self, endpoint: str, load: Load) -> Traffic:
        """Clients of an endpoint; they send once started."""
        return Traffic(self._clock, self.endpoints, self.meter, endpoint, load, seed=self._seed)

    def close(self) -> None:
        self.alarms.stop()
        for undo in reversed(self._undos):
            undo()
        self._undos.clear()
        self.artifacts.close()
