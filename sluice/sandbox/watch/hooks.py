"""Every patch of moto's internals that metrics, alarms and endpoints need, pinned to moto 5.2.5.

Each function installs one patch and returns its undo. What happens there is decided by the part it is given; each patch
has a contract test in tests/sandbox/watch/test_hooks.py that fails when the internals change shape.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC
from functools import wraps
from typing import Any
from urllib.parse import urlparse

import botocore.utils
from moto.cloudwatch.exceptions import InvalidParameterValue, ValidationError
from moto.cloudwatch.models import Alarm, CloudWatchBackend, MetricDatum, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import AWSValidationException
from moto.sagemaker.models import FakeEndpoint, FakeEndpointConfig, SageMakerModelBackend, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from sluice.sandbox.hosting.endpoints import Endpoints
from sluice.sandbox.hosting.loading import Fetch
from sluice.sandbox.hosting.serving import Runtime, RuntimeFault
from sluice.sandbox.patches import Undo, all_of, replaced
from sluice.sandbox.watch.alarm_settings import check_alarm, keep_state, start_unchecked
from sluice.sandbox.watch.alarms import AlarmClockwork
from sluice.sandbox.watch.arithmetic import Reading
from sluice.sandbox.watch.composites import parse_rule
from sluice.sandbox.watch.metric_wire import metric_data, metric_statistics, put_datum
from sluice.sandbox.watch.series import MetricStore

MAX_ALARM_NAMES, ALARMS_PER_PAGE = 100, 50
"""DescribeAlarms: names a call, and alarms a page unless MaxRecords says otherwise."""


# CloudWatch metrics


def install_metric_store(store: MetricStore, reading: Reading = Reading.AS_ZERO) -> Undo:
    """PutMetricData, GetMetricData, GetMetricStatistics and ListMetrics speak to the store."""
    original = CloudWatchBackend._validate_parameters_put_metric_data

    def put(backend: CloudWatchBackend, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        for number, datum in enumerate(metric_data, 1):
            original(backend, datum, number)
        for datum in metric_data:
            put_datum(store, namespace, datum)

    def get_page(response: CloudWatchResponse) -> ActionResult:
        return ActionResult(metric_data(store, response._get_params(), reading))

    def get_statistics(response: CloudWatchResponse) -> ActionResult:
        return ActionResult(metric_statistics(store, response._get_params()))

    def listed(_: CloudWatchBackend, metric_name: str, namespace: str, dimensions: Any) -> list[MetricDatum]:
        shown = []
        for key in store:
            named = [{"Name": name, "Value": value} for name, value in sorted(key.dimensions)]
            shown.append(MetricDatum(key.namespace, key.name, 0.0, named, None))
        return [datum for datum in shown if datum.filter(namespace, metric_name, list(dimensions or ()))]

    return all_of(
        replaced(CloudWatchBackend, "put_metric_data", put),
        replaced(CloudWatchBackend, "get_filtered_metrics", listed),
        replaced(CloudWatchResponse, "get_metric_data", get_page),
        replaced(CloudWatchResponse, "get_metric_statistics", get_statistics),
    )


# CloudWatch alarms


def install_alarm_rules(clockwork: AlarmClockwork) -> Undo:
    """PutMetricAlarm refuses what CloudWatch refuses, starts in INSUFFICIENT_DATA, and keeps an existing state.
    PutCompositeAlarm, which moto lacks, exists."""
    original = CloudWatchBackend.put_metric_alarm

    @wraps(original)
    def put(backend: CloudWatchBackend, **settings: Any) -> Alarm:
        former = backend.alarms.get(settings["name"])
        extended = settings.pop("extended_statistic", None)  # moto takes percentiles only
        alarm = original(backend, **settings)
        alarm.extended_statistic = extended
        try:
            _check(alarm)
        except ValueError as fault:
            _put_back(backend, alarm, former)
            raise InvalidParameterValue(str(fault)) from fault
        if former is None:
            start_unchecked(alarm)
        else:
            keep_state(alarm, former)
        return alarm

    def put_composite(response: CloudWatchResponse) -> EmptyResult:
        response.cloudwatch_backend.put_metric_alarm(**_composite_settings(response))
        clockwork.look_above()
        return EmptyResult()

    return all_of(
        replaced(CloudWatchBackend, "put_metric_alarm", put),
        replaced(CloudWatchResponse, "put_composite_alarm", put_composite),
    )


def _check(alarm: Alarm) -> None:
    if alarm.rule is None:
        check_alarm(alarm)
    else:
        parse_rule(alarm.rule)


def _put_back(backend: CloudWatchBackend, alarm: Alarm, former: Alarm | None) -> None:
    if former is None:
        del backend.alarms[alarm.name]
    else:
        backend.alarms[alarm.name] = former


def _composite_settings(response: CloudWatchResponse) -> dict[str, Any]:
    get = response._get_param
    unused = (
        "namespace",
        "metric_name",
        "comparison_operator",
        "evaluation_periods",
        "period",
        "threshold",
        "statistic",
    )
    return {
        **dict.fromkeys(unused),
        "name": get("AlarmName"),
        "description": get("AlarmDescription"),
        "dimensions": [],
        "alarm_actions": get("AlarmActions", []),
        "ok_actions": get("OKActions", []),
        "insufficient_data_actions": get("InsufficientDataActions", []),
        "actions_enabled": get("ActionsEnabled"),
        "rule": get("AlarmRule"),
        "tags": get("Tags", []),
    }


def install_set_alarm_state(clockwork: AlarmClockwork) -> Undo:
    """SetAlarmState publishes the event of a change; the next evaluation takes the alarm back."""
    original = CloudWatchBackend.set_alarm_state

    @wraps(original)
    def set_state(backend: CloudWatchBackend, alarm_name: str, reason: str, reason_data: str, state_value: str) -> None:
        alarm = backend.alarms.get(alarm_name)
        if alarm is None or state_value not in ("OK", "ALARM", "INSUFFICIENT_DATA") or not _is_json(reason_data):
            original(backend, alarm_name, reason, reason_data, state_value)  # which refuses it
            return
        clockwork.set_state(alarm, state_value, reason, reason_data)
        clockwork.look_above()

    return replaced(CloudWatchBackend, "set_alarm_state", set_state)


def _is_json(text: str | None) -> bool:
    try:
        json.loads(text or "{}")
    except ValueError:
        return False
    return True


def install_describe_alarms() -> Undo:
    """DescribeAlarms leaves composites out unless AlarmTypes names them, takes 100 names and answers in pages."""
    original = CloudWatchResponse.describe_alarms

    @wraps(original)
    def describe(response: CloudWatchResponse) -> ActionResult:
        get = response._get_param
        names = get("AlarmNames", []) or []
        if len(names) > MAX_ALARM_NAMES:
            raise ValidationError(f"AlarmNames takes at most {MAX_ALARM_NAMES} names, got {len(names)}: ask in batches")
        result: Any = original(response).result
        types = get("AlarmTypes", []) or ["MetricAlarm"]
        kinds = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms"}
        alarms = [alarm for kind, member in kinds.items() if kind in types for alarm in result[member]]
        state = get("StateValue")
        alarms = sorted((a for a in alarms if state in (None, a.state_value)), key=lambda alarm: str(alarm.name))
        skip, limit = int(get("NextToken") or 0), int(get("MaxRecords") or ALARMS_PER_PAGE)
        page = alarms[skip : skip + limit]
        more = {"NextToken": str(skip + limit)} if len(alarms) > skip + limit else {}
        composites = [alarm for alarm in page if alarm.rule is not None]
        metrics = [alarm for alarm in page if alarm.rule is None]
        return ActionResult({"MetricAlarms": metrics, "CompositeAlarms": composites, **more})

    return replaced(CloudWatchResponse, "describe_alarms", describe)


# SageMaker


def install_endpoints(endpoints: Endpoints) -> Undo:
    """The life of endpoints, with UpdateEndpoint, which moto lacks."""
    create, delete = SageMakerModelBackend.create_endpoint, SageMakerModelBackend.delete_endpoint

    @wraps(create)
    def created(
        backend: SageMakerModelBackend, endpoint_name: str, endpoint_config_name: str, tags: Any
    ) -> FakeEndpoint:
        if endpoint_name in backend.endpoints:
            raise _existing("endpoint", backend.endpoints[endpoint_name].arn)
        endpoint = create(backend, endpoint_name, endpoint_config_name, tags)
        try:
            endpoints.create(endpoint)
        except AWSValidationException:
            del backend.endpoints[endpoint_name]
            raise
        return endpoint

    def described(_: SageMakerModelBackend, endpoint_name: str) -> dict[str, Any]:
        return endpoints.describe(endpoint_name)

    @wraps(delete)
    def deleted(backend: SageMakerModelBackend, endpoint_name: str) -> None:
        endpoints.delete(endpoint_name, lambda: delete(backend, endpoint_name))

    def weighed(
        _: SageMakerModelBackend, endpoint_name: str, desired_weights_and_capacities: list[dict[str, Any]]
    ) -> str:
        return endpoints.set_weights(endpoint_name, desired_weights_and_capacities)

    def updated(response: SageMakerResponse) -> ActionResult:
        get = response._get_param
        excluded = [item["VariantPropertyType"] for item in get("ExcludeRetainedVariantProperties") or ()]
        arn = endpoints.update(
            get("EndpointName"),
            get("EndpointConfigName"),
            retain=bool(get("RetainAllVariantProperties")),
            exclude=excluded,
            deployment=get("DeploymentConfig"),
        )
        return ActionResult({"EndpointArn": arn})

    return all_of(
        replaced(SageMakerModelBackend, "create_endpoint", created),
        replaced(SageMakerModelBackend, "describe_endpoint", described),
        replaced(SageMakerModelBackend, "delete_endpoint", deleted),
        replaced(SageMakerModelBackend, "update_endpoint_weights_and_capacities", weighed),
        replaced(SageMakerResponse, "update_endpoint", updated),
    )


def _existing(kind: str, arn: str) -> AWSValidationException:
    return AWSValidationException(f'Cannot create already existing {kind} "{arn}".')


def install_live_guards(endpoints: Endpoints) -> Undo:
    """Models and configurations are never overwritten, and none that is live is deleted. SageMaker allows the latter
    and lets the endpoint break later; the sandbox refuses, so that it is seen."""
    backend_class = SageMakerModelBackend
    create_model, create_config = backend_class.create_model, backend_class.create_endpoint_config
    delete_model, delete_config = backend_class.delete_model, backend_class.delete_endpoint_config

    @wraps(create_model)
    def model_created(backend: SageMakerModelBackend, model_name: str, *rest: Any, **named: Any) -> Any:
        if model_name in backend._models:
            raise _existing("model", backend._models[model_name].arn)
        return create_model(backend, model_name, *rest, **named)

    @wraps(create_config)
    def config_created(backend: SageMakerModelBackend, endpoint_config_name: str, *rest: Any, **named: Any) -> Any:
        former = backend.endpoint_configs.get(endpoint_config_name)
        if former is not None:
            raise _existing("endpoint configuration", former.endpoint_config_arn)
        return create_config(backend, endpoint_config_name, *rest, **named)

    @wraps(delete_model)
    def model_deleted(backend: SageMakerModelBackend, model_name: str) -> None:
        if model_name in endpoints.models_in_use():
            raise AWSValidationException(
                f"Model {model_name!r} is in the configuration of a live endpoint: deleting it would break the next "
                "scaling or update. Delete it after the endpoint has left it."
            )
        delete_model(backend, model_name)

    @wraps(delete_config)
    def config_deleted(backend: SageMakerModelBackend, endpoint_config_name: str) -> None:
        if endpoint_config_name in endpoints.configs_in_use():
            raise AWSValidationException(
                f"Endpoint configuration {endpoint_config_name!r} is live, or on its way to be: deleting it would "
                "break the endpoint. Delete it after the endpoint has left it."
            )
        delete_config(backend, endpoint_config_name)

    return all_of(
        replaced(backend_class, "create_model", model_created),
        replaced(backend_class, "create_endpoint_config", config_created),
        replaced(backend_class, "delete_model", model_deleted),
        replaced(backend_class, "delete_endpoint_config", config_deleted),
    )


def install_instance_types() -> Undo:
    """moto knows only instance types of some years ago: take any that is spelled like one."""

    def validate(_: FakeEndpointConfig, instance_type: str) -> None:
        parts = instance_type.split(".")
        if len(parts) != 3 or parts[0] != "ml" or not all(parts):
            raise AWSValidationException(f"Instance type {instance_type!r} is not of the form ml.<family>.<size>.")

    return replaced(FakeEndpointConfig, "validate_instance_type", validate)


def install_tags() -> Undo:
    """AddTags overwrites a key that is there; an ARN of nothing is refused instead of failing inside moto."""
    find = SageMakerModelBackend._get_resource_from_arn

    @wraps(find)
    def found(backend: SageMakerModelBackend, arn: str) -> Any:
        resource = find(backend, arn)
        if resource is None:
            raise AWSValidationException(f'Could not find resource "{arn}".')
        return resource

    def add(backend: SageMakerModelBackend, arn: str, tags: list[dict[str, str]]) -> list[dict[str, str]]:
        resource = found(backend, arn)
        merged = {tag["Key"]: tag["Value"] for tag in [*resource.tags, *tags]}
        resource.tags = [{"Key": key, "Value": value} for key, value in merged.items()]
        result: list[dict[str, str]] = resource.tags
        return result

    return all_of(
        replaced(SageMakerModelBackend, "_get_resource_from_arn", found),
        replaced(SageMakerModelBackend, "add_tags", add),
    )


def install_runtime(runtime: Runtime) -> Undo:
    """InvokeEndpoint is served by the release's own code."""

    def invoke(response: SageMakerRuntimeResponse) -> tuple[int, dict[str, str], str | bytes]:
        headers = {name.lower(): value for name, value in dict(response.headers).items()}
        body = response.body if isinstance(response.body, bytes) else str(response.body or "").encode()
        endpoint = response.path.split("/")[2]
        try:
            reply = runtime.invoke(
                endpoint,
                body,
                headers.get("content-type") or "application/json",
                headers.get("accept") or "application/json",
                headers.get("x-amzn-sagemaker-target-variant"),
            )
        except RuntimeFault as fault:
            return _error(400, "ValidationError", {"Message": str(fault), "message": str(fault)})
        served = reply.served
        if served.status >= 400:
            return _error(424, "ModelError", _model_error(endpoint, reply.slot, served.status, served.fault))
        shown = {"Content-Type": served.content_type, "x-Amzn-Invoked-Production-Variant": reply.slot}
        return 200, shown, served.body

    return replaced(SageMakerRuntimeResponse, "invoke_endpoint", invoke)


def _model_error(endpoint: str, slot: str, status: int, fault: str) -> dict[str, Any]:
    party = "server" if status >= 500 else "client"
    text = f'Received {party} error ({status}) from {slot} with message "{fault}".'
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    return {"Message": text, "OriginalStatusCode": status, "OriginalMessage": fault, "LogStreamArn": group}


def _error(status: int, code: str, content: Mapping[str, Any]) -> tuple[int, dict[str, str], str]:
    headers = {"status": str(status), "x-amzn-ErrorType": code, "Content-Type": "application/json"}
    return status, headers, json.dumps(content)


# botocore


def install_utc_timestamps() -> Undo:
    """boto3 answers in UTC, as it does inside Lambda, and not in this machine's zone; a third of GetMetricData's cost
    was working that zone out for every data point."""
    return replaced(botocore.utils, "get_tzinfo_options", lambda: (lambda: UTC,))


# Reading moto


def moto_artifacts(account: str) -> Fetch:
    """Reads model artifacts out of moto's S3, for whichever role."""

    def fetch(url: str, role_arn: str) -> bytes:  # noqa: ARG001 - moto's own store asks for no role
        from moto.s3.models import s3_backends

        place = urlparse(url)
        found = s3_backends[account]["aws"].get_object(place.netloc, place.path.lstrip("/"))
        if place.scheme != "s3" or found is None:
            raise FileNotFoundError(f"no such object: {url}")
        value: bytes = found.value
        return value

    return fetch


def moto_sagemaker(account: str, region: str) -> Callable[[], SageMakerModelBackend]:
    return lambda: sagemaker_backends[account][region]


def moto_alarms(account: str, region: str) -> Callable[[], Mapping[str, Alarm]]:
    return lambda: cloudwatch_backends[account][region].alarms
