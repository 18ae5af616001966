"""What Claude Code tells in texts: how a sub-agent that ran on its own came back."""

import re
from typing import NamedTuple

_NOTIFICATION = "<task-notification>"
_TAG = "(?s)<{0}>(.*?)</{0}>"
_CALL_ID, _STATUS = re.compile(_TAG.format("tool-use-id")), re.compile(_TAG.format("status"))
_HEAD = 4_000


class Notification(NamedTuple):
    """The end of a sub-agent: the tool call that asked for it, its status, its answer (None: not told)."""

    call_id: str
    status: str
    result: str | None


def read_notification(prompt: str) -> Notification | None:
    """The notice in a prompt that no person wrote, None where it is a person's."""
    if not prompt.startswith(_NOTIFICATION):
        return None
    head = prompt[:_HEAD]
    call_id, status = _CALL_ID.search(head), _STATUS.search(head)
    if call_id is None:
        return None
    begin, end = prompt.find("<result>"), prompt.rfind("</result>")
    result = prompt[begin + len("<result>") : end] if 0 <= begin < end else None
    return Notification(call_id[1].strip()[:200], status[1].strip() if status else "", result)
