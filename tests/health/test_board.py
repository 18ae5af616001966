"""The board says ready only on fresh proof of every critical part."""

from datetime import timedelta

import time_machine

from agentconsole.health.board import Board
from agentconsole.health.components import Proof
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
