"""Puts Overread's hooks on ministack; refuses to start when a hook point of the pinned version is gone."""

from functools import partial
from pathlib import Path

from ministack import app as ministack_app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime, router
from ministack.services import apigateway_v1, cloudformation, cognito, eventbridge, iam, lambda_svc
from ministack.services.cloudformation import custom_resource, provisioners, stacks

from overread_local.addresses import localised
from overread_local.emulator import (
    condition_keys,
    corrections,
    event_conditions,
    lambda_workers,
    resource_types,
    sign_in_pages,
)
from overread_local.emulator.access_log import AccessLog
from overread_local.emulator.autoscaling import ApplicationAutoScaling
from overread_local.emulator.gateway import Gateway
from overread_local.emulator.prompt_stacks import settling

_POINTS = (
    (ministack_app, ("AUTH", "SERVICE_HANDLERS", "SERVICE_REGISTRY", "_enforce_data_plane")),
    (ministack_app, ("_build_persistence_save_dict", "app")),
    (router, ("SERVICE_PATTERNS",)),
    (lambda_runtime, ("Worker", "_detect_runtime_binary", "_workers", "_lock", "kill_workers", "subprocess")),
    (eventbridge, ("_put_events", "_dispatch_to_lambda")),
    (lambda_svc, ("_get_func_record_for_ref", "_execution_record_for_config", "invoke_async_with_retry")),
    (lambda_svc, ("_execute_function_with_config_scope",)),
    (lambda_svc, ("_restore_esm_positions", "_dynamodb_stream_positions")),
    (iam_actions, ("request_tag_context",)),
    (iam_evaluator, ("_resolve_condition_key", "enforce", "resolve_principal", "AuthError")),
    (iam_evaluator, ("_gather_role_policies",)),
    (apigateway_v1, ("_rest_apis",)),
    (iam, ("_roles",)),
    (cognito, ("_create_user_pool_client", "_update_user_pool_client", "_generate_temp_password")),
    (custom_resource, ("_lock", "_pending", "deliver_response")),
    (cloudformation, ("_stacks",)),
    (provisioners, ("_RESOURCE_HANDLERS", "_sm_secret_create", "_sm_secret_update", "_sm_secret_delete")),
    (stacks, ("_runs_on_worker_thread",)),
)


def install(
    gateway: Gateway,
    *,
    scaling: ApplicationAutoScaling,
    access: AccessLog,
    lambda_python: Path,
    emulator_url: str,
) -> None:
    """Installs every hook.

    Raises:
        RuntimeError: the installed ministack is not the one these hooks were written for.
    """
    missing = [
        f"{module.__name__}.{name}"
        for module, names in _POINTS
        for name in names
        if not hasattr(module, name)
    ]
    if missing:
        raise RuntimeError(f"this ministack has no {', '.join(missing)}: install the pinned version")
    for name, target, handler in (
        ("sagemaker", "SageMaker.", gateway.handle),
        ("application-autoscaling", "AnyScaleFrontendService.", scaling.handle),
    ):
        ministack_app.SERVICE_REGISTRY[name] = {"module": name}
        ministack_app.SERVICE_HANDLERS[name] = handler
        # Unknown to the router, each would make it read every service model of botocore: 2.5 s and 400 MB.
        router.SERVICE_PATTERNS[name] = {"target_prefixes": [target]}
    ministack_app.SERVICE_HANDLERS["cloudformation"] = settling(
        ministack_app.SERVICE_HANDLERS["cloudformation"]
    )
    here = partial(localised, emulator_url=emulator_url)
    lambda_workers.install(lambda_python, localised=here)
    sign_in_pages.install(localised=here)
    condition_keys.install()
    access.install()
    event_conditions.install()
    resource_types.install(emulator_url)
    corrections.install()
