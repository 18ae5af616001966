"""How much room there is, and what takes it."""

import shutil
from functools import partial

from agentconsole.sdk import Budget, Span
from runs.doctor import rules
from runs.doctor.finding import Finding, judged
from runs.doctor.scene import Scene
from runs.doctor.tools.database import database_size, oldest_run, table_rows
from runs.doctor.tools.files import disk_usage, folder_sizes, used_inodes

QUERY = "How much room is there, and what takes it?"
QUICK = Budget(soft_ms=50, hard_ms=2_000)
WALK = Budget(soft_ms=250, hard_ms=3_000)
PROGRAMS = ("df", "du")
# Programs get no more of the doctor's environment than they need; a credential is none of their business.
PROGRAM_ENV = {"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}


def investigate(sub: Span, scene: Scene) -> list[Finding]:
    """Disk, inodes, the console's folder, the database and its tables."""
    disk = sub.call(partial(disk_usage, scene.folder), budget=QUICK)
    size = sub.call(database_size, budget=QUICK)
    rows = sub.call(table_rows, budget=QUICK)
    oldest = sub.call(oldest_run, scene.environments, budget=QUICK)
    found = [
        judged(disk, "Free disk space", rules.disk),
        judged(size, "The database's size", rules.database),
        judged(rows, "The tables' rows", rules.tables),
        judged(oldest, "The oldest run", rules.oldest),
    ]
    if shutil.which("df"):
        table = sub.run_process(["df", "-Pi", "."], cwd=scene.folder, env=PROGRAM_ENV, budget=QUICK)
        found.append(judged(table, "Used inodes", lambda answer: rules.inodes(used_inodes(answer))))
    if shutil.which("du"):
        listing = sub.run_process(
            ["du", "-k", "-d", "1", "."], cwd=scene.folder, env=PROGRAM_ENV, budget=WALK,
            ok_codes=(0, 1),  # 1: a file went while it looked
        )  # fmt: skip
        found.append(judged(listing, "The folder's size", lambda answer: rules.folder(folder_sizes(answer))))
    return found
