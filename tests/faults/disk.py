"""Disks that are small enough to be filled, and writes that are slow to reach them."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Above what the console wants to have free (200 MiB), with room to work in.
DISK_MIB = 300
FILLER = "filler"
STEP = 1024 * 1024
SLOW_S = 6


def why_no_disks() -> str:
    """What is missing to make small disks; nothing if it can be done."""
    return "" if os.geteuid() == 0 and shutil.which("mount") else "only root can mount a small disk (tmpfs)"


def why_no_slow_disks() -> str:
    """What is missing to slow down writes; nothing if it can be done."""
    return "" if shutil.which("strace") else "strace was not found (on Debian: apt-get install strace)"


@contextmanager
def small_disk(folder: Path, mib: int = DISK_MIB) -> Iterator[Path]:
    """A file system of its own at `folder`, where this machine lets us make one; the folder itself otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    if why_no_disks():
        yield folder
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0755", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        # Lazily: a process that was killed may not be gone to the last yet.
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> None:
    """Leave not a byte on the disk that `folder` is on."""
    with (folder / FILLER).open("wb", buffering=0) as file:
        at, step = 0, STEP
        while step:
            try:
                os.posix_fallocate(file.fileno(), at, step)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                step //= 2
            else:
                at += step


def make_room(folder: Path) -> None:
    """Undo `fill`."""
    (folder / FILLER).unlink(missing_ok=True)


@contextmanager
def slow_writes(pids: Iterable[int]) -> Iterator[None]:
    """Each fsync and fdatasync of these processes, and of those they start, takes SLOW_S longer, as on a disk that is overwhelmed."""
    attached = [argument for pid in pids for argument in ("-p", str(pid))]
    calls = "fsync,fdatasync"
    slow = ["-e", f"trace={calls}", "-e", f"inject={calls}:delay_exit={SLOW_S * 1_000_000}"]
    tracer = subprocess.Popen(["strace", "-f", "-qqq", "-o", "/dev/null", *slow, *attached], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        tracer.terminate()
        tracer.wait(30)


@contextmanager
def unwritable(files: Iterable[Path]) -> Iterator[None]:
    """Nobody may write these files, root included (an attribute of the file system; file modes don't bind root)."""
    names = [str(file) for file in files if file.exists()]
    subprocess.run(["chattr", "+i", *names], check=True)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            subprocess.run(["chattr", "-i", *names], check=True)
