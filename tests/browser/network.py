"""A network between the browser and the console that can fail: a TCP relay that cuts every connection when told to."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class Network:
    """Listens on a port of its own and relays to the console's, until `cut`; `mend` lets connections through again."""

    def __init__(self, console_port: int) -> None:
        self._console_port = console_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Reset what is open and refuse what comes."""
        with self._lock:
            self._is_cut = True
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let connections through."""
        with self._lock:
            self._is_cut = False

    def close(self) -> None:
        """End it."""
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(browser,), daemon=True).start()

    def _relay(self, browser: socket.socket) -> None:
        with (
            browser,
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self._console_port)) as console,
        ):
            with self._lock:
                if self._is_cut:
                    return
                self._open |= {browser, console}
            back = threading.Thread(target=_pump, args=(console, browser), daemon=True)
            back.start()
            _pump(browser, console)
            back.join()
            with self._lock:
                self._open -= {browser, console}


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def network_to(console_port: int) -> Iterator[Network]:
    """A network for the length of a with-block."""
    network = Network(console_port)
    try:
        yield network
    finally:
        network.close()
