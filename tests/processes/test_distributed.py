"""The processes of a deployment, each on its own: web twice, worker, beat, on PostgreSQL and Redis."""

from pathlib import Path

import pytest

from tests.processes.deployment import deployment

pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.redis]


def test_every_web_process_is_ready_and_each_process_ends_in_order(tmp_path: Path):
    with deployment(tmp_path) as deployed:
        processes = [part.process for part in deployed.parts if part.process is not None]
        assert len(processes) == 4
        for process in processes:
            process.terminate()
        assert [process.wait(30) for process in processes] == [0, 0, 0, 0]
