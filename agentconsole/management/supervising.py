"""The supervisor as a program of its own: `manage.py console` prepares everything, then goes on as this.

What prepares needs all of Django and its migrations, 150 MB. What supervises needs next to nothing, and runs for months.
"""

import json
import logging.config
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn, TypedDict

from agentconsole.env import BASE_DIR
from agentconsole.lifecycle import STOP_SIGNALS
from agentconsole.logconf import logging_config
from agentconsole.management.supervisor import Child, Supervisor
from agentconsole.protocol.context import RequestContext, Transport, bound_context, current_context


class ChildOrder(TypedDict):
    """A child; of its environment what differs from the supervisor's."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    drain_s: float
    fds: Sequence[int]


class Orders(TypedDict):
    """What the program is told: its children, `logging_config`'s arguments, whose context it is, and the process to be waited for."""

    children: list[ChildOrder]
    logging: dict[str, str]
    context: dict[str, str]
    greeter: int


def go_on_supervising(children: Sequence[Child], *, log: Mapping[str, str], greeter: int, lock: int | None) -> NoReturn:
    """Replace this process by the supervisor of `children`. It keeps its id, its signals, the children's descriptors and `lock`.

    `greeter` is a process that was forked before: its end is waited for.
    """
    context = current_context() or RequestContext.mint(Transport.CLI)
    orders: Orders = {
        "children": [_order_of(child) for child in children],
        "logging": dict(log),
        "context": context.to_message(),
        "greeter": greeter,
    }
    if lock is not None:
        os.set_inheritable(lock, True)
    # A signal that comes while the program changes waits for the supervisor's handlers.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    reading, writing = os.pipe()
    os.write(writing, json.dumps(orders).encode())
    os.close(writing)
    os.set_inheritable(reading, True)
    os.execve(  # noqa: S606  our own command line
        sys.executable,
        [sys.executable, "-m", "agentconsole.management.supervising", str(reading)],
        os.environ | {"PYTHONPATH": str(BASE_DIR)},
    )


def _order_of(child: Child) -> ChildOrder:
    own = dict(child.env.items() - os.environ.items())
    fds = [held.fileno() for held in child.sockets]
    return {"name": child.name, "argv": child.argv, "env": own, "drain_s": child.drain_s, "fds": fds}


def _child_of(order: ChildOrder) -> Child:
    sockets = [socket.socket(fileno=fd) for fd in order["fds"]]
    return Child(order["name"], order["argv"], os.environ | order["env"], order["drain_s"], sockets)


def main(reading: int) -> int:
    """Supervise as ordered by what is written to the descriptor; the supervisor's exit code."""
    with os.fdopen(reading, encoding="utf-8") as written:
        orders: Orders = json.load(written)
    logging.config.dictConfig(logging_config(**orders["logging"]))
    with bound_context(RequestContext.from_message(orders["context"])):
        return Supervisor([_child_of(order) for order in orders["children"]], on_poll=Reaping(orders["greeter"])).run()


class Reaping:
    """Waits for a child that is no process of the set, without being held up by it."""

    def __init__(self, pid: int) -> None:
        self.pid: int | None = pid

    def __call__(self) -> None:
        """Look once."""
        if self.pid is None:
            return
        with suppress(ChildProcessError):
            if os.waitpid(self.pid, os.WNOHANG)[0] == 0:
                return
        self.pid = None


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
