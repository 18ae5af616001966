"""Wall clocks of single processes, to be moved while they run."""

import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


def why_no_clocks() -> str:
    """What is missing to move clocks; nothing if it can be done."""
    return "" if shutil.which("cc") else "no C compiler was found (`cc`; on Debian: apt-get install gcc libc6-dev)"


def clock_library(folder: Path) -> Path | None:
    """The library that moves clocks, built into `folder`; None where there is no compiler."""
    if why_no_clocks():
        return None
    made = folder / "clock.so"
    if not made.exists():
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", made, SOURCE], check=True)
    return made


class Clock:
    """The clock of one process, or of all that share it."""

    def __init__(self, folder: Path, name: str) -> None:
        self._library = clock_library(folder)
        self._file = folder / f"{name}.clock".replace(" ", "-")
        self._file.write_bytes(struct.pack("q", 0))

    @property
    def env(self) -> dict[str, str]:
        """What a process needs to follow this clock."""
        if self._library is None:
            return {}
        return {"LD_PRELOAD": str(self._library), "CLOCK_OFFSET_FILE": str(self._file)}

    def move(self, offset_s: int) -> None:
        """Set it that far off the machine's clock; 0 sets it right."""
        with self._file.open("r+b") as file:
            file.write(struct.pack("q", offset_s))
