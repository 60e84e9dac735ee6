"""Every fixed name of a stack and the ARN it has. An endpoint's are in `endpoint_names`, those of models and configurations in
`sluice.core.names`.

Names are fixed because alarms, permissions and running executions refer to them. ARNs are computed, not read from resources:
the tick's role names the machine and the machine's role names the tick, so neither could wait for the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from infra.place import Place
from sluice.core.names import alarm_prefix, metrics_namespace, outcome_namespace

FUNCTIONS = ("submit", "tick", "alarm", "sweep", "command", "archive", "incident", "notify")
LINK_FUNCTION = "link"
"""Made only where signed links are turned on."""
LIVE_INDEX = "live"
_BUCKET_ROOT = 46
_CUT_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Names:
    """What the things of one stack are called. `served_by` is the (project, stack) whose control plane serves its endpoints, None
    for its own; whatever belongs to a control plane is named after that stack.
    """

    project: str
    stack: str
    place: Place
    served_by: tuple[str, str] | None = None

    @property
    def prefix(self) -> str:
        return f"{self.project}-{self.stack}"

    @property
    def control(self) -> Names:
        """The names of the stack that has the control plane."""
        return self if self.served_by is None else Names(*self.served_by, self.place)

    @property
    def table(self) -> str:
        return self.control.prefix

    @property
    def table_arn(self) -> str:
        return self.place.arn("dynamodb", f"table/{self.table}")

    @property
    def live_index_arn(self) -> str:
        return f"{self.table_arn}/index/{LIVE_INDEX}"

    @property
    def machine(self) -> str:
        return f"{self.control.prefix}-clock"

    @property
    def machine_arn(self) -> str:
        return self.place.arn("states", f"stateMachine:{self.machine}")

    @property
    def executions_arn(self) -> str:
        return self.place.arn("states", f"execution:{self.machine}:*")

    @property
    def machine_role(self) -> str:
        return f"{self.control.prefix}-clock"

    @property
    def topic(self) -> str:
        return f"{self.control.prefix}-pages"

    @property
    def topic_arn(self) -> str:
        return self.place.arn("sns", self.topic)

    @property
    def bus(self) -> str:
        """For rollout events; alarms arrive on the default one."""
        return f"{self.control.prefix}-events"

    @property
    def bus_arn(self) -> str:
        return self.place.arn("events", f"event-bus/{self.bus}")

    @property
    def outbox(self) -> str:
        return f"{self.control.prefix}-outbox"

    @property
    def outbox_arn(self) -> str:
        return self.place.arn("sqs", self.outbox)

    @property
    def alarm_queue(self) -> str:
        return f"{self.control.prefix}-alarm"

    @property
    def alarm_queue_arn(self) -> str:
        return self.place.arn("sqs", self.alarm_queue)

    @property
    def dead_letter_queue(self) -> str:
        return f"{self.control.prefix}-dead-letter"

    @property
    def dead_letter_queue_arn(self) -> str:
        return self.place.arn("sqs", self.dead_letter_queue)

    @property
    def alarm_rule(self) -> str:
        return f"{self.control.prefix}-alarm"

    @property
    def listening_rule(self) -> str:
        """Of a stack that is served by another's control plane, for alarms that only its own policies list."""
        return f"{self.alarm_rule}-{self.prefix}"

    @property
    def listening_rules(self) -> str:
        return f"{self.alarm_rule}-*"

    @property
    def sweep_rule(self) -> str:
        return f"{self.control.prefix}-sweep"

    @property
    def drill_rule(self) -> str:
        return f"{self.control.prefix}-drill"

    def rule_arn(self, rule: str) -> str:
        return self.place.arn("events", f"rule/{rule}")

    @property
    def event_bus_arn(self) -> str:
        """The default bus: CloudWatch publishes alarm changes there and nowhere else."""
        return self.place.arn("events", "event-bus/default")

    @property
    def capture_bucket(self) -> str:
        """Only the beginning: bucket names are global, so Pulumi adds a dash and seven random digits (63 characters in all)."""
        return f"{self._bucket_root}-capture"

    @property
    def _bucket_root(self) -> str:
        return shortened(self.control.prefix.lower().replace("_", "-").strip("-"), _BUCKET_ROOT)

    @property
    def archive_bucket(self) -> str:
        """Only the beginning, as with captures: a locked bucket outlives its stack, and a later stack gets one of its own."""
        return f"{self._bucket_root}-audit"

    @property
    def archive_bucket_arn(self) -> str:
        return self.place.bucket_arn(f"{self.archive_bucket}-*")

    @property
    def streams_arn(self) -> str:
        """A stream's name is the moment it was made."""
        return f"{self.table_arn}/stream/*"

    @property
    def alarm_prefix(self) -> str:
        return alarm_prefix(self.control.project, self.control.stack)

    @property
    def rollback_alarms_arn(self) -> str:
        return self.place.arn("cloudwatch", f"alarm:{self.alarm_prefix}*")

    @property
    def all_alarms_arn(self) -> str:
        return self.place.arn("cloudwatch", "alarm:*")

    @property
    def parameter_root(self) -> str:
        return f"/sluice/{self.control.project}/{self.control.stack}/"

    @property
    def parameters_arn(self) -> str:
        return self.place.arn("ssm", f"parameter{self.parameter_root}*")

    @property
    def key_parameter(self) -> str:
        """Not under the parameter root: who may read who serves must not read what signs."""
        return f"/sluice-keys/{self.project}/{self.stack}"

    @property
    def key_parameter_arn(self) -> str:
        return self.place.arn("ssm", f"parameter{self.key_parameter}")

    @property
    def link_key(self) -> str:
        """What links are signed with: another key than that of hooks, for other functions to read."""
        return f"{self.key_parameter}/links"

    @property
    def link_key_arn(self) -> str:
        return self.place.arn("ssm", f"parameter{self.link_key}")

    @property
    def approvals(self) -> str:
        return f"{self.control.prefix}-approvals"

    @property
    def approvals_arn(self) -> str:
        return self.place.arn("sns", self.approvals)

    @property
    def metrics_namespace(self) -> str:
        return metrics_namespace(self.control.project, self.control.stack)

    @property
    def outcome_namespace(self) -> str:
        return outcome_namespace(self.project, self.stack)

    def function(self, word: str) -> str:
        return f"{self.control.prefix}-{word}"

    def function_arn(self, word: str) -> str:
        return self.place.arn("lambda", f"function:{self.function(word)}")

    def role(self, word: str) -> str:
        return f"{self.control.prefix}-{word}"

    def role_policy(self, word: str, number: int) -> str:
        """A managed policy of a role whose inline policy is full."""
        return f"{self.role(word)}-{number}"

    def log_group(self, word: str) -> str:
        return f"/aws/lambda/{self.function(word)}"

    def log_streams_arn(self, word: str) -> str:
        return self.place.arn("logs", f"log-group:{self.log_group(word)}:*")

    def page_alarm(self, word: str) -> str:
        """Outside the rollback rule's prefix: these alarms wake people, they take no traffic back."""
        return f"sluice-control/{self.control.project}/{self.control.stack}/{word}"

    def dashboard(self, word: str) -> str:
        return f"{self.prefix}-{word}"

    def command_policy(self, word: str) -> str:
        return f"{self.function('command')}-{word}"


def shortened(name: str, most: int) -> str:
    """The name, or so much of it as fits and a hash of all of it: what differs only in what is cut must not become one thing."""
    if len(name) <= most:
        return name
    return f"{name[: most - _CUT_DIGITS - 1].rstrip('-')}-{sha256(name.encode()).hexdigest()[:_CUT_DIGITS]}"
