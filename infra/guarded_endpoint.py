"""A SageMaker endpoint whose later models, configurations and weights belong to the control plane, not to `pulumi up`."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.control_functions import fixed_role
from infra.endpoint_names import (
    bootstrap_name,
    endpoint_arn,
    endpoint_log_group,
    execution_path,
    execution_role,
    invoke_policy,
    owner_tags,
)
from infra.iam_documents import text
from infra.resource_names import Names
from infra.serving_permissions import caller_document, execution_document
from infra.shared_control_plane import ControlLink
from sluice.core.release import release_tags
from sluice.schema import EndpointSpec, StackSpec

_BOOTSTRAP_WEIGHT = 1
"""A whole number: fractions once gave a difference on every run."""


class GuardedEndpoint(pulumi.ComponentResource):
    """The endpoint, its role, and the bootstrap pair: the model and configuration it is born with.

    An adopted endpoint has none of these but the role, for the models made from now on: it stays with whoever made it, and
    outlives the stack, so the role does too.

    The pair ignores every change and is left behind when Pulumi would delete it. The endpoint is probably on another
    configuration by then, or this one is what a rollback returns to; either way a change here must not reach it.
    """

    def __init__(
        self,
        names: Names,
        spec: EndpointSpec,
        stack: StackSpec,
        control: ControlLink,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sluice:infra:GuardedEndpoint", spec.name, None, opts)
        self._names, self._spec, self._protected = names, spec, stack.protect
        self._artifact_buckets = stack.artifact_buckets
        self._tags = owner_tags(names, spec.name)
        self.capture_url = control.capture_bucket.apply(
            lambda bucket: spec.capture.destination or f"s3://{bucket}/{spec.endpoint_name}"
        )
        access = self._execution_role()
        self.endpoint_arn: pulumi.Input[str] = (
            endpoint_arn(names, spec.endpoint_name)
            if spec.adopt
            else self._born(access, [self._logs(stack.log_retention_days), control.cleaned_up]).arn
        )
        self.invoke_policy = aws.iam.Policy(
            f"invoke-{spec.name}",
            name=invoke_policy(names, spec.name),
            policy=text(caller_document(names, spec.endpoint_name)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"endpoint_arn": self.endpoint_arn, "invoke_policy_arn": self.invoke_policy.arn})

    def _born(
        self, access: tuple[aws.iam.Role, aws.iam.RolePolicy], depends_on: list[pulumi.Resource]
    ) -> aws.sagemaker.Endpoint:
        return aws.sagemaker.Endpoint(
            self._spec.name,
            name=self._spec.endpoint_name,
            endpoint_config_name=self._bootstrap(access).name,
            tags=self._tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=self._protected,
                ignore_changes=["endpoint_config_name"],
                depends_on=depends_on,
            ),
        )

    def _execution_role(self) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        name = self._spec.name
        role = fixed_role(
            f"serve-{name}",
            execution_role(self._names, name),
            "sagemaker.amazonaws.com",
            protect=self._protected,
            parent=self,
            account=self._names.place.account,
            retained=self._spec.adopt,
            path=execution_path(self._names),
        )
        policy = aws.iam.RolePolicy(
            f"serve-{name}",
            role=role.name,
            policy=self.capture_url.apply(
                lambda url: text(execution_document(self._names, self._spec, self._artifact_buckets, url))
            ),
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=self._spec.adopt),
        )
        return role, policy

    def _logs(self, retention_days: int) -> aws.cloudwatch.LogGroup:
        """Made here, because SageMaker would make it without a retention."""
        return aws.cloudwatch.LogGroup(
            f"serve-{self._spec.name}",
            name=endpoint_log_group(self._spec.endpoint_name),
            retention_in_days=retention_days,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _bootstrap(self, access: tuple[aws.iam.Role, aws.iam.RolePolicy]) -> aws.sagemaker.EndpointConfiguration:
        """The first release, alone in the first slot. Named by Pulumi: a fixed name would be deleted before it is replaced."""
        role, policy = access
        release, name = self._spec.release, bootstrap_name(self._spec.endpoint_name)
        model = aws.sagemaker.Model(
            name,
            execution_role_arn=role.arn,
            primary_container=aws.sagemaker.ModelPrimaryContainerArgs(
                image=release.image, model_data_url=release.artifact.url, environment=dict(release.environment)
            ),
            tags=self._tags,
            opts=self._left_alone([policy]),
        )
        return aws.sagemaker.EndpointConfiguration(
            name,
            production_variants=[
                aws.sagemaker.EndpointConfigurationProductionVariantArgs(
                    variant_name=self._spec.slots[0],
                    model_name=model.name,
                    instance_type=release.instance_type,
                    initial_instance_count=self._spec.instances,
                    initial_variant_weight=_BOOTSTRAP_WEIGHT,
                )
            ],
            data_capture_config=self._capture(),
            kms_key_arn=self._spec.kms_key_arn,
            # The release document travels with the configuration: what serves can be told without any table.
            tags={**release_tags(release), **self._tags},
            opts=self._left_alone([]),
        )

    def _capture(self) -> aws.sagemaker.EndpointConfigurationDataCaptureConfigArgs | None:
        if not self._spec.capture.percent:
            return None
        option = aws.sagemaker.EndpointConfigurationDataCaptureConfigCaptureOptionArgs
        return aws.sagemaker.EndpointConfigurationDataCaptureConfigArgs(
            enable_capture=True,
            initial_sampling_percentage=self._spec.capture.percent,
            destination_s3_uri=self.capture_url,
            capture_options=[option(capture_mode="Input"), option(capture_mode="Output")],
        )

    def _left_alone(self, depends_on: list[pulumi.Resource]) -> pulumi.ResourceOptions:
        """One ignored property would not do: when another one forces replacement, ignored ones follow along."""
        return pulumi.ResourceOptions(parent=self, ignore_changes=["*"], retain_on_delete=True, depends_on=depends_on)
