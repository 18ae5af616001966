"""What the doctor reads from programs' output and from log files."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runs.doctor.tools.files import disk_usage, folder_sizes, used_inodes
from runs.doctor.tools.logs import TAIL_BYTES, log_search, tokens_of

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def line(event: str = "RATE_LIMITED", *, minutes_ago: float = 1, level: str = "warning", **fields: Any) -> str:
    at = (NOW - timedelta(minutes=minutes_ago)).isoformat().replace("+00:00", "Z")
    return json.dumps({"at": at, "level": level, "event": event, "logger": "runs.api", **fields}) + "\n"


def search(folder: Path, *environments: str) -> list[str]:
    return log_search(folder, list(environments), minutes=60, now=NOW).splitlines()


def test_the_disk_of_a_folder_is_measured(tmp_path: Path):
    answer = disk_usage(tmp_path)
    assert 0 < answer["free"] < answer["total"]


@pytest.mark.parametrize(
    ("table", "percent"),
    [
        ("Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/vda 1677 445 1231 27% /\n", 27),
        ("Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/vda 0 0 0 - /\n", None),
        ("", None),
    ],
)
def test_inodes_are_read_from_df(table: str, percent: int | None):
    assert used_inodes(table) == percent


def test_folders_are_read_from_du_largest_first():
    assert folder_sizes("20\t./queue\n1024\t./my logs\n1060\t.\n") == {
        ".": 1060 * 1024,
        "my logs": 1024 * 1024,
        "queue": 20 * 1024,
    }


def test_warnings_of_all_files_come_in_order_of_time(tmp_path: Path):
    (tmp_path / "web.log").write_text(line("B", minutes_ago=2) + line("D", level="error", minutes_ago=0))
    (tmp_path / "worker.log").write_text(line("A", minutes_ago=3) + line("C", minutes_ago=1))
    found = search(tmp_path)
    assert [text.split()[1:4] for text in found] == [
        ["worker", "warning", "A"], ["web", "warning", "B"], ["worker", "warning", "C"], ["web", "error", "D"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "quiet",
    [
        line(level="info"),
        line(minutes_ago=61),
        line("Unauthorized: /x", logger="django.request"),
        line(environment="prod"),
        "no json\n",
        '"a text"\n',
        "",
    ],
)
def test_the_rest_is_left_out(tmp_path: Path, quiet: str):
    (tmp_path / "web.log").write_text(quiet)
    assert search(tmp_path, "dev") == []


def test_a_line_shows_what_is_known_to_be_harmless_and_nothing_else(tmp_path: Path):
    (tmp_path / "web.log").write_text(line(environment="dev", request_id="req-1", error="password=hunter2", path="/x"))
    [text] = search(tmp_path, "dev")
    assert text.endswith("web warning RATE_LIMITED environment=dev request_id=req-1")


def test_prose_of_a_library_is_told_by_its_logger(tmp_path: Path):
    (tmp_path / "worker.log").write_text(line("the disk\nis on fire", logger="py.warnings"))
    [text] = search(tmp_path)
    assert text.endswith("worker warning py.warnings")


def test_only_the_end_of_a_huge_file_is_read(tmp_path: Path):
    filler = line(level="info", filler="x" * 1000)
    (tmp_path / "web.log").write_text(line("EARLY") + filler * (TAIL_BYTES // len(filler) + 1) + line("LATE"))
    assert [text.split()[3] for text in search(tmp_path)] == ["LATE"]


def test_tokens_are_counted(tmp_path: Path):
    (tmp_path / "web.log").write_text(line("A") + line("B") + line("A"))
    assert tokens_of("\n".join(search(tmp_path))) == {"A": 2, "B": 1}
