"""What the doctor remembers from one run to the next: the question that it asked and that nobody had answered."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings

_NAME = "doctor_ticket.json"


def _path() -> Path:
    return Path(settings.VAR_DIR) / _NAME


def kept_ticket() -> dict[str, Any] | None:
    """The SDK's ticket, the approved arguments among it, or None."""
    try:
        kept = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept if isinstance(kept, dict) and isinstance(kept.get("arguments"), dict) else None


def keep_ticket(ticket: dict[str, Any]) -> None:
    """Remember it; whole or not at all."""
    draft = _path().with_suffix(".draft")
    draft.write_text(json.dumps(ticket), encoding="utf-8")
    draft.replace(_path())


def forget_ticket() -> None:
    """The question was answered, or will never be."""
    _path().unlink(missing_ok=True)
