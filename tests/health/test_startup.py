"""`/health/startup` is 503 until everything was in order once, and 200 ever after."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.checks import Error
from django.db.migrations.recorder import MigrationRecorder

from agentconsole.health import probes
from agentconsole.health import startup as starting
from agentconsole.health.board import Board
from agentconsole.health.proof import Proof
from agentconsole.health.startup import Startup, failing_checks, missing_migrations
from tests.health.conftest import NOW
from tests.health.test_probes import ask


@pytest.mark.parametrize("step", ["settings", "tables"])
async def test_it_waits_for_each_step_and_says_for_what(step: str, board: Board, noon: object):
    found = {"settings": "", "tables": ""} | {step: "something is missing"}
    begun = Startup(board, {name: lambda name=name: found[name] for name in found})  # type: ignore[misc]  # bound now
    board.prove("engine", Proof(NOW))
    await begun.look()
    assert begun.report()["status"] == "starting"
    assert begun.report()["steps"][step] == {"status": "waiting", "detail": "something is missing"}
    found[step] = ""
    await begun.look()
    assert begun.report()["status"] == "started"


async def test_it_waits_for_the_first_proof_of_what_is_critical(board: Board, noon: object):
    begun = Startup(board, {})
    await begun.look()
    assert begun.report()["steps"]["first_proofs"] == {"status": "waiting", "detail": "engine"}
    board.prove("engine", Proof(NOW))
    await begun.look()
    assert begun.is_done


async def test_it_stays_started_when_the_console_is_not_ready_any_more(
    board: Board, noon: Any, monkeypatch: pytest.MonkeyPatch
):
    begun = Startup(board, {})
    monkeypatch.setattr(probes, "startup", begun)
    assert (await ask("/health/startup"))[0] == 503
    board.prove("engine", Proof(NOW))
    await begun.look()
    board.fail("engine", "out of fuel")
    await begun.look()
    status, headers, _body = await ask("/health/startup")
    assert (board.report()["status"], status, headers[b"cache-control"]) == ("not_ready", 200, b"no-store")


async def test_a_step_that_breaks_is_told_by_its_kind(board: Board):
    def breaks() -> str:
        raise ConnectionRefusedError("postgres://dana:hunter2@db")

    begun = Startup(board, {"tables": breaks})
    await begun.look()
    assert begun.report()["steps"]["tables"]["detail"] == "ConnectionRefusedError: postgres://db"


async def test_it_says_once_that_it_has_started(board: Board, noon: object, logged: Callable[[str], list[Any]]):
    board.prove("engine", Proof(NOW))
    begun = Startup(board, {})
    begun.start()
    await begun._task
    assert len(logged("HEALTH_STARTED")) == 1


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_is_not_applied_is_named():
    assert missing_migrations() == ""
    MigrationRecorder.Migration.objects.filter(app="agentconsole", name="0002_health_minutes").delete()
    try:
        assert missing_migrations() == "1 not applied: agentconsole.0002_health_minutes"
    finally:
        MigrationRecorder.Migration.objects.create(app="agentconsole", name="0002_health_minutes")


def test_a_check_that_stops_a_process_is_named_by_its_id(monkeypatch: pytest.MonkeyPatch):
    assert failing_checks() == ""
    monkeypatch.setattr(starting, "run_checks", lambda: [Error("SECRET_KEY is hunter2", id="console.E001")])
    assert failing_checks() == "console.E001"
