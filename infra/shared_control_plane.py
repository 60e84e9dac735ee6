"""The control plane of another stack, as the endpoints of this one see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.alarm_path import alarm_pattern
from infra.destruction import clean_up_at_the_end
from infra.resource_names import Names
from sluice.schema import StackSpec


@dataclass(frozen=True, slots=True)
class ControlLink:
    """What endpoints need of their control plane, be it this stack's or another's.

    `stands` is the whole way back: nothing is submitted before it does. `cleaned_up` is what endpoints are destroyed before.
    """

    capture_bucket: pulumi.Output[str]
    stands: pulumi.Resource
    cleaned_up: pulumi.Resource
    exported: pulumi.Input[Mapping[str, Any]]


class SharedControlPlane(pulumi.ComponentResource):
    """Refers to the other stack's exports and checks that its control plane reaches what is configured here. Makes a rule of its
    own for alarms that only this stack's policies listen to, and tells the control plane when this stack is destroyed.
    """

    def __init__(
        self,
        names: Names,
        spec: StackSpec,
        watched: tuple[str, ...],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sluice:infra:SharedControlPlane", "control-plane", None, opts)
        stack = spec.control_plane or ""
        reference = pulumi.StackReference(stack, opts=pulumi.ResourceOptions(parent=self))
        exported = reference.get_output("control_plane").apply(lambda found: checked(names, spec, found))
        if watched:
            self._listen(names, watched)
        self.link = ControlLink(
            capture_bucket=exported.apply(lambda control: str(control["capture_bucket"])),
            stands=self,
            cleaned_up=clean_up_at_the_end(
                names, exported.apply(lambda control: str(control["submit_function"])), [reference], self
            ),
            exported=exported,
        )
        self.register_outputs({"machine_arn": exported.apply(lambda control: control["machine_arn"])})

    def _listen(self, names: Names, watched: tuple[str, ...]) -> None:
        """Into the control plane's queue: its own rule hears the alarms of slots, and those that its own policies list."""
        opts = pulumi.ResourceOptions(parent=self)
        rule = aws.cloudwatch.EventRule(
            "alarm", name=names.listening_rule, event_pattern=alarm_pattern((), watched), state="ENABLED", opts=opts
        )
        aws.cloudwatch.EventTarget(
            "alarm",
            rule=rule.name,
            arn=names.alarm_queue_arn,
            dead_letter_config=aws.cloudwatch.EventTargetDeadLetterConfigArgs(arn=names.dead_letter_queue_arn),
            opts=opts,
        )


_NEEDED = {"machine_arn", "reach", "artifact_buckets", "model_package_groups"}


def checked(names: Names, spec: StackSpec, exported: Any) -> Mapping[str, Any]:
    """The exported control plane; fails the run with a sentence per fault, before anything that depends on it is made."""
    faults = tuple(_faults(names, spec, exported))
    if faults:
        raise pulumi.RunError("\n".join(f"Pulumi.{names.stack}.yaml: {names.project}:{fault}" for fault in faults))
    found: Mapping[str, Any] = exported
    return found


def _faults(names: Names, spec: StackSpec, exported: Any) -> Iterator[str]:
    stack = spec.control_plane
    if not isinstance(exported, Mapping) or not exported.keys() >= _NEEDED:
        yield f"control_plane: {stack} exports no control plane that others can use. Run `pulumi up` there with this version first"
        return
    if exported["machine_arn"] != names.machine_arn:
        there = f"{stack}'s is {exported['machine_arn']}, and this stack looks for {names.machine_arn}"
        yield f"control_plane: a control plane serves its own account and region: {there}"
    reach = ", ".join(exported["reach"]) or "no other stack's endpoints"
    for endpoint in spec.endpoints:
        name = endpoint.endpoint_name
        if not any(fnmatchcase(name.lower(), pattern.lower()) for pattern in exported["reach"]):
            yield (
                f"endpoints.{endpoint.name}: the control plane of {stack} may not act on {name!r} (it reaches {reach}). "
                f"Add it to `reach` there and run `pulumi up` for {stack} first"
            )
    for bucket in sorted(set(spec.artifact_buckets) - set(exported["artifact_buckets"])):
        yield (
            f"endpoints: the control plane of {stack} may not read releases from bucket {bucket!r}. "
            f"Add it to `artifact_buckets` there and run `pulumi up` for {stack} first"
        )
    for group in sorted(set(spec.model_package_groups) - set(exported["model_package_groups"])):
        yield (
            f"endpoints: the control plane of {stack} may not read the model registry's group {group!r}. "
            f"Add it to `model_package_groups` there and run `pulumi up` for {stack} first"
        )
