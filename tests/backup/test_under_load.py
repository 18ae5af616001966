"""A backup taken while agents report is one moment of the console, and takes one pass whatever they write."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.db import connection, transaction

from agentconsole.backup import snapshot
from agentconsole.backup.writing import Backup
from approvals.services import audit
from tests.backup.conftest import restore
from tests.cast import AgentCaller
from tests.ingest.items import event, new_run, run_started, tick

pytestmark = pytest.mark.sqlite
# Every run's counter is the highest number that any of its rows has.
OUT_OF_STEP = """
SELECT run.id FROM runs_run run WHERE run.seq IS NOT max(run.summary_seq,
  (SELECT coalesce(max(seq), 0) FROM runs_phasetick WHERE run_id = run.id),
  (SELECT coalesce(max(seq), 0) FROM runs_traceevent WHERE run_id = run.id),
  (SELECT coalesce(max(seq), 0) FROM runs_span WHERE run_id = run.id))
"""


class Writers:
    """Threads that report to the console and append to its audit chain until they are stopped."""

    def __init__(self, caller: AgentCaller) -> None:
        self.caller = caller
        self.commits = 0
        self.changed = threading.Condition()
        self.is_over = threading.Event()

    def work(self) -> None:
        run = new_run()
        self.caller.send(run_started(run))
        while not self.is_over.is_set():
            assert self.caller.send(tick(run), event(run, fields={"pad": "x" * 5000})).status_code == 200
            with transaction.atomic():
                audit.append("POLICY_SAVED", actor="person:ada", object_id="policy:x", data={})
            self._committed()
        connection.close()

    def _committed(self) -> None:
        with self.changed:
            self.commits += 1
            self.changed.notify_all()

    def wait_for_another(self) -> None:
        """Until something was committed from here on."""
        with self.changed:
            seen = self.commits
            assert self.changed.wait_for(lambda: self.commits > seen, timeout=20)


@contextmanager
def writing(caller: AgentCaller) -> Iterator[Writers]:
    writers = Writers(caller)
    threads = [threading.Thread(target=writers.work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        writers.is_over.set()
        for thread in threads:
            thread.join(20)


def test_it_is_one_moment_although_there_are_commits_between_all_its_steps(
    caller: AgentCaller, database: Path, folder: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(snapshot, "PAGES_PER_STEP", 20)
    steps: list[int] = []
    with writing(caller) as writers:

        def on_step() -> None:
            writers.wait_for_another()
            steps.append(writers.commits)
            assert len(steps) < 100, "it begins anew again and again"

        writers.wait_for_another()
        written = Backup(database, folder, on_step=on_step).to_file(elsewhere / "console.tar")
    pages = written.manifest.members["console.sqlite3"].size // 4096
    assert len(steps) == -(-pages // 20) > 5, "it began anew"
    assert steps == sorted(set(steps))
    restored = restore(elsewhere / "console.tar", elsewhere)
    assert restored.audit_entries == written.manifest.facts.audit_seq > 3
    with closing(sqlite3.connect(elsewhere / "console.sqlite3")) as copy:
        assert copy.execute(OUT_OF_STEP).fetchall() == []
        (count,) = copy.execute("SELECT count(*) FROM runs_phasetick").fetchone()
    assert count == written.manifest.facts.rows["runs_phasetick"] > 2
