"""One place for each kind of effect: services and ingest write, live talks to the channel layer, jobs enqueues."""

import ast

from tests.architecture.source import Module, modules

WRITES = {
    "save", "asave", "create", "acreate", "bulk_create", "abulk_create", "bulk_update", "abulk_update", "delete", "adelete",
    "get_or_create", "aget_or_create", "update_or_create", "aupdate_or_create", "create_user", "create_superuser",
}  # fmt: skip
QUERYSET = {"objects", "filter", "exclude", "all", "select_for_update"}
# What looks like a write and is not one of ours.
NO_WRITES = {
    ("runs/views/settings.py", "save"): "Django's own form changes the password",
    ("agentconsole/telemetry/tracing.py", "create"): "OpenTelemetry's resource is no row",
}


def may_write(module: Module) -> bool:
    """Whether its name says so."""
    return any(part.removesuffix(".py") in ("services", "ingest") for part in module.path.split("/"))


def chain(node: ast.expr) -> set[str]:
    """The attribute names in `a.b(…).c`."""
    names: set[str] = set()
    while isinstance(node, ast.Attribute | ast.Call):
        if isinstance(node, ast.Attribute):
            names.add(node.attr)
            node = node.value
        else:
            node = node.func
    return names


def test_only_services_and_ingest_write():
    found = [
        module.place(call)
        for module in modules()
        if not may_write(module)
        for call, function in module.calls()
        if (function.attr in WRITES or (function.attr in ("update", "aupdate") and chain(function.value) & QUERYSET))
        and (module.path, function.attr) not in NO_WRITES
    ]
    assert found == []


def test_the_services_do_write():
    written = {function.attr for module in modules() if may_write(module) for _call, function in module.calls()}
    assert {"save", "bulk_create", "update"} <= written


def test_only_live_talks_to_the_channel_layer():
    found = {module.path for module in modules() if {"channels.layers", "channels_redis"} & module.imported()}
    assert found == {"agentconsole/live/layer.py"}


def test_only_jobs_hands_tasks_to_celery():
    verbs = {"delay", "apply_async", "send_task"}
    found = {module.path for module in modules() for _call, function in module.calls() if function.attr in verbs}
    # Beat's scheduler is Celery's own, with a context around it.
    assert found == {"agentconsole/jobs.py", "agentconsole/schedule/scheduler.py"}


def test_only_telemetry_knows_who_it_sends_to_and_its_front_imports_neither():
    wanted = ("opentelemetry", "sentry_sdk")
    # Messages that the OTLP doors take in: nothing in them sends.
    found = {
        module.path
        for module in modules()
        if any(name.startswith(wanted) and not name.startswith("opentelemetry.proto.") for name in module.imported())
    }
    assert found == {"agentconsole/telemetry/tracing.py", "agentconsole/telemetry/reporting.py"}
