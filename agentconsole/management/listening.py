"""The socket that the console answers on."""

import errno
import socket

from django.core.management.base import CommandError

BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket, inheritable by children. CommandError says what to do if the port can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host.strip("[]"), port))
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} on {host} is in use. Stop what listens there, or choose another: make run PORT={port + 1}"
            ) from error
        raise CommandError(f"Can't listen on {host}, port {port}: {error.strerror}.") from error
    listening.setblocking(False)
    listening.listen(BACKLOG)
    listening.set_inheritable(True)
    return listening


def url_of(listening: socket.socket) -> str:
    """How a browser on this machine reaches it: an address of "everywhere" becomes the loopback."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  read, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_taken(host: str, port: int) -> bool:
    """Whether somebody else has a port, now. Of 0 nobody has any."""
    if not port:
        return False
    try:
        listen(host, port).close()
    except CommandError:
        return True
    return False
