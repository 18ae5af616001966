"""An agent with one guarded tool that kills itself at a step: `python -m tests.approvals.sdk.killed_agent <url> <file> <step>`.

The steps are counted over its exchanges with the console: `before 2` is just before the second is sent, `after 2` when its
answer is there, `in tool` when the tool has done its deed. `never` lives on.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx

from agentconsole.sdk import ApprovalRefused, Console, guarded, resuming

TICKET = {
    "key": "one attempt",
    "context": {"agentconsole": {"operation": "file.append"}, "call_id": "1"},
    "arguments": {"line": "done"},
}


def die_at(step: str, here: str) -> None:
    """SIGKILL if this is the step."""
    if step == here:
        os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, file: str, step: str) -> None:
    """One guarded call."""
    count = 0
    send = httpx.Client.send

    def counted(self: httpx.Client, request: httpx.Request, **more: Any) -> httpx.Response:
        nonlocal count
        count += 1
        die_at(step, f"before {count}")
        response = send(self, request, **more)
        die_at(step, f"after {count}")
        return response

    httpx.Client.send = counted  # type: ignore[method-assign]
    console = Console(url, os.environ["AGENT_TOKEN"])

    @guarded("file.append", console=console, timeout="1h", wait_s=20)
    def append(line: str) -> None:
        with Path(file).open("a", encoding="utf-8") as out:
            out.write(line + "\n")
        die_at(step, "in tool")

    try:
        with resuming(TICKET):
            append("done")
    except ApprovalRefused as refusal:
        print(type(refusal).__name__)
    else:
        print("ran")


if __name__ == "__main__":
    main(*sys.argv[1:])
