"""A program as a tool: at its hard budget the whole process group is killed."""

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

OUTPUT_BYTES = 8 * 1024 * 1024
STDERR_BYTES = 2 * 1024


class ProcessFailedError(Exception):
    """A program ended with an exit code that is not one of its good ones."""


class Process:
    """A tool that runs a program and answers with its standard output, the first 8 MiB of it, as text.

    Output goes through files, not pipes: a grandchild that keeps a pipe open can't keep the caller waiting.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        input_text: str = "",
        cwd: str | Path | None = None,
        env: Mapping[str, str] | None = None,
        ok_codes: Sequence[int] = (0,),
    ) -> None:
        self._argv = list(argv)
        self._input = input_text.encode()
        self._cwd = cwd
        self._env = env
        self._ok_codes = tuple(ok_codes)
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self.__name__ = Path(self._argv[0]).name

    def __call__(self) -> str:
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            stdin.write(self._input)
            stdin.seek(0)
            process = self._start(stdin, out, err)
            try:
                code = process.wait()
            finally:
                with self._lock:
                    self._running = None
            if code not in self._ok_codes:
                raise ProcessFailedError(f"{self.__name__} ended with {_ending(code)}: {_tail(err, STDERR_BYTES)}")
            out.seek(0)
            return out.read(OUTPUT_BYTES).decode(errors="replace")

    def stop(self) -> None:
        """Kill the program and everything in its process group."""
        with self._lock, suppress(ProcessLookupError):
            if self._running is not None and self._running.poll() is None:
                os.killpg(self._running.pid, signal.SIGKILL)

    def _start(self, stdin: IO[bytes], out: IO[bytes], err: IO[bytes]) -> subprocess.Popen[bytes]:
        with self._lock:
            self._running = subprocess.Popen(  # noqa: S603 -- the agent's own argument list, no shell
                self._argv, stdin=stdin, stdout=out, stderr=err, cwd=self._cwd, env=self._env, start_new_session=True
            )
            return self._running


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _tail(file: IO[bytes], size: int) -> str:
    file.seek(0, os.SEEK_END)
    file.seek(max(file.tell() - size, 0))
    return file.read().decode(errors="replace").strip()
