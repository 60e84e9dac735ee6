"""The control plane of a stack: functions, clock, records, the alarm's way back, the sweep, and what wakes people."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from infra import machine
from infra.alarm_path import alarm_path, dead_letter_queue
from infra.archive_path import STREAM_READERS, archive_bucket, archive_path
from infra.bundle import archive
from infra.capture_bucket import capture_bucket
from infra.commands import Commands
from infra.control_functions import FunctionArgs, control_function, fixed_role
from infra.destruction import clean_up_at_the_end
from infra.iam_documents import text
from infra.notification_path import notification_path, read_outbox
from infra.page_alarms import page_alarm, page_alarms
from infra.permission_scope import scope_of
from infra.permissions import machine_document
from infra.records_table import records_table
from infra.resource_names import FUNCTIONS, Names
from infra.signed_links import SignedLinks, signed_links
from infra.signing_key import signing_key, signs
from sluice.schema import StackSpec


class ControlPlane(pulumi.ComponentResource):
    """Everything that acts at run time. Depend on the component for all of it."""

    def __init__(self, names: Names, spec: StackSpec, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sluice:infra:ControlPlane", "control-plane", None, opts)
        self._names = names
        self._protected = spec.protect
        self.table = records_table(names, protect=spec.protect, parent=self)
        self.capture = capture_bucket(names, protect=spec.protect, retained=spec.adopts, parent=self)
        self.archive = archive_bucket(names, spec.audit, protect=spec.protect, parent=self)
        where = {"SLUICE_ARCHIVE": self.archive.bucket.bucket}
        self.dead_letters = dead_letter_queue(names, self)
        self.notifications = notification_path(names, self.dead_letters, self)
        told: dict[str, dict[str, pulumi.Input[str]]] = {word: dict(where) for word in (*STREAM_READERS, "tick")}
        told["archive"]["SLUICE_OUTBOX"] = self.notifications.outbox.url
        told["notify"] = {"SLUICE_TOPIC_ARN": names.topic_arn, "SLUICE_BUS": names.bus}
        if spec.collector is not None:
            told["notify"]["SLUICE_COLLECTOR"] = spec.collector
        if spec.collector_headers is not None:
            told["notify"]["SLUICE_COLLECTOR_HEADERS"] = spec.collector_headers
        if spec.drills is not None:
            told["sweep"] = {"SLUICE_DRILLS": pulumi.Output.from_input(spec.drills.schedule)}
        shared = FunctionArgs(scope_of(names, spec), archive(), spec.log_retention_days, spec.protect, told)
        self.links = self._links(spec, shared)
        if self.links is not None:
            told["notify"].update(self.links.told)
        self.functions = {word: control_function(word, shared, self) for word in FUNCTIONS}
        self.commands = Commands(names, self.functions["command"], pulumi.ResourceOptions(parent=self))
        if signs(spec):
            signing_key(names, self)
        self.machine = self._clock()
        alarm_path(names, spec, self.functions["alarm"], self.dead_letters, self)
        read_outbox(self.notifications, self.functions["notify"], self)
        for word in STREAM_READERS:
            archive_path(word, self.table, self.functions[word], self.archive, self.dead_letters, self)
        self._sweep("sweep", names.sweep_rule, "rate(1 minute)")
        if spec.drills is not None:
            self._sweep("drill", names.drill_rule, spec.drills.schedule, {"drill": True})
        for alarm in page_alarms(names, spec.drills):
            page_alarm(names, alarm, self.notifications.topic.arn, self)
        self.cleaned_up = clean_up_at_the_end(names, self.functions["submit"].name, [self.table], self)
        self.register_outputs(
            {"table": self.table.name, "machine_arn": self.machine.arn, "topic_arn": self.notifications.topic.arn}
        )

    def _links(self, spec: StackSpec, shared: FunctionArgs) -> SignedLinks | None:
        seconds = spec.link_seconds
        return None if seconds is None else signed_links(shared, seconds, self)

    def _clock(self) -> aws.sfn.StateMachine:
        """Waits for the permission: an execution that is refused its first tick would have to be started again."""
        role = fixed_role(
            "clock",
            self._names.machine_role,
            "states.amazonaws.com",
            protect=self._protected,
            parent=self,
            account=self._names.place.account,
        )
        policy = aws.iam.RolePolicy(
            "clock",
            role=role.name,
            policy=text(machine_document(self._names)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return aws.sfn.StateMachine(
            "clock",
            name=self._names.machine,
            type="STANDARD",
            role_arn=role.arn,
            definition=self.functions["tick"].arn.apply(
                lambda arn: machine.definition(arn, self._names.place.partition)
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=self._protected, depends_on=[policy]),
        )

    def _sweep(self, word: str, name: str, schedule: str, asked: Mapping[str, bool] | None = None) -> None:
        """The sweep's function by the clock. `asked` is what it is to do instead of sweeping."""
        opts = pulumi.ResourceOptions(parent=self)
        function = self.functions["sweep"]
        rule = aws.cloudwatch.EventRule(word, name=name, schedule_expression=schedule, state="ENABLED", opts=opts)
        permission = aws.lambda_.Permission(
            word,
            action="lambda:InvokeFunction",
            function=function.name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=opts,
        )
        # No dead-letter queue: a sweep that is lost is made up for a minute later and silence pages; a drill that is lost gets old.
        aws.cloudwatch.EventTarget(
            word,
            rule=rule.name,
            arn=function.arn,
            input=json.dumps(asked) if asked else None,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )
