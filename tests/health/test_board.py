"""The board says ready only on fresh proof of every critical part."""

from datetime import timedelta

import pytest
import time_machine

from agentconsole.health.board import Board
from agentconsole.health.components import COMPONENTS
from agentconsole.health.proof import Component, Proof
from tests.health.conftest import NOW


def test_a_part_that_nobody_checked_is_not_ready(board: Board):
    report = board.report()
    assert report["status"] == "not_ready"
    assert report["components"]["engine"] == {
        "status": "failing",
        "critical": True,
        "checked_at": None,
        "age_s": None,
        "lease_s": 20,
        "since": None,
        "detail": "not checked yet",
    }


def test_fresh_proof_of_the_critical_parts_is_ready(board: Board, noon: time_machine.Traveller):
    board.prove("engine", Proof(NOW - timedelta(seconds=3), "purrs"))
    report = board.report()
    assert report["status"] == "ready"
    assert report["components"]["engine"]["checked_at"] == "2026-03-01T11:59:57Z"
    assert report["components"]["engine"]["age_s"] == 3
    assert report["components"]["engine"]["detail"] == "purrs"
    assert report["components"]["radio"]["status"] == "failing"


def test_proof_counts_until_its_lease_ends_and_not_a_moment_longer(board: Board, noon: time_machine.Traveller):
    board.prove("engine", Proof(NOW))
    assert board.report(NOW + timedelta(seconds=20))["status"] == "ready"
    late = board.report(NOW + timedelta(seconds=20.1))
    assert (late["status"], late["components"]["engine"]["status"]) == ("not_ready", "stale")


def test_a_failed_check_counts_at_once_and_says_why(board: Board, noon: time_machine.Traveller):
    board.prove("engine", Proof(NOW))
    board.fail("engine", "out of fuel")
    part = board.report()["components"]["engine"]
    assert (part["status"], part["detail"], part["age_s"]) == ("failing", "out of fuel", 0)


def test_proof_after_a_failure_is_enough(board: Board, noon: time_machine.Traveller):
    board.fail("engine", "out of fuel")
    board.prove("engine", Proof(NOW))
    assert board.report()["status"] == "ready"


def test_a_process_that_drains_is_not_ready(board: Board, noon: time_machine.Traveller, draining: None):
    board.prove("engine", Proof(NOW))
    assert board.report()["status"] == "draining"


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_old_proof_is_none_while_the_check_hangs(component: Component, noon: time_machine.Traveller):
    board, later = Board(), NOW + timedelta(seconds=component.lease_s + 1)
    for part in COMPONENTS:
        board.prove(part.name, Proof(NOW if part is component else later))
    report = board.report(later)
    assert report["components"][component.name]["status"] == "stale"
    assert (report["status"] == "not_ready") is component.is_critical


def test_it_knows_since_when_a_part_is_not_proven(board: Board, noon: time_machine.Traveller):
    board.prove("engine", Proof(NOW - timedelta(seconds=15)))
    noon.shift(3)
    board.fail("engine", "out of fuel")
    noon.shift(60)
    board.fail("engine", "out of oil")
    assert board.report()["components"]["engine"]["since"] == "2026-03-01T12:00:03Z"
    board.prove("radio", Proof(NOW))
    assert board.report()["components"]["radio"]["since"] == "2026-03-01T12:00:20Z"


def test_what_was_missing_before_the_first_proof_is_no_fault(board: Board, noon: time_machine.Traveller):
    board.fail("engine", "no worker has run a task yet")
    board.prove("engine", Proof(NOW))
    assert board.last_fault("engine") is None


def test_the_last_fault_outlives_its_repair(board: Board, noon: time_machine.Traveller):
    board.prove("engine", Proof(NOW))
    board.fail("engine", "out of fuel")
    noon.shift(60)
    board.prove("engine", Proof(NOW))
    fault = board.last_fault("engine")
    assert fault is not None
    assert (fault.at, fault.words) == (NOW, "out of fuel")
