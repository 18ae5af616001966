"""The console's own log files."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agentconsole.protocol.tokens import is_token

TAIL_BYTES = 1024 * 1024
_LOUD = ("warning", "error", "critical")
# Says again, without the request's id, what REQUEST_FINISHED has said.
_REPEATS = "django.request"
# What a line may show: whoever sees the doctor's run reads it, and messages may tell of environments closed to them.
_SHOWN = ("environment", "task", "component", "status", "state", "reason", "code", "child", "request_id")


def log_search(folder: Path, environments: list[str], *, minutes: int, now: datetime | None = None) -> str:
    """Warnings and worse of the last minutes from the log files in `folder`, a line each, in order of time.

    Reads at most the last MiB of each. Lines of environments other than these are left out.
    """
    since = ((now or datetime.now(UTC)) - timedelta(minutes=minutes)).isoformat()
    found = [
        (str(line["at"]), _shown(path.stem, line))
        for path in sorted(folder.glob("*.log"))
        for line in _lines(path)
        if line.get("level") in _LOUD
        and line.get("logger") != _REPEATS
        and str(line.get("at", "")) >= since
        and line.get("environment", "") in ("", *environments)
    ]
    return "\n".join(text for _, text in sorted(found))


def tokens_of(lines: str) -> Counter[str]:
    """How often each token stands in the lines of `log_search`."""
    return Counter(line.split(" ", 4)[3] for line in lines.splitlines())


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(file.tell() - TAIL_BYTES, 0))
        texts = file.read().decode(errors="replace").splitlines()
    return [line for line in map(_parsed, texts) if line]


def _parsed(text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def _shown(process: str, line: dict[str, Any]) -> str:
    """`at process level TOKEN name=value …`. Another library's line has prose for a token: its logger tells instead."""
    event, logger = str(line.get("event", "")), str(line.get("logger") or "unknown")
    token = event if is_token(event) else logger.replace(" ", "_")
    values = (f"{name}={line[name]}" for name in _SHOWN if line.get(name) not in (None, ""))
    return " ".join([str(line["at"]), process, str(line["level"]), token, *values]).replace("\n", " ")
