"""The console's folder and its file system."""

import shutil
from pathlib import Path


def disk_usage(folder: Path) -> dict[str, int]:
    """Bytes of the file system that the console's folder is on."""
    total, used, free = shutil.disk_usage(folder)
    return {"total": total, "used": used, "free": free}


def used_inodes(table: str) -> int | None:
    """The percentage of inodes in use, of `df -Pi .`; None where the file system doesn't count them."""
    lines = table.splitlines()
    columns = lines[-1].split() if len(lines) > 1 else []
    shares = [column[:-1] for column in columns if column.endswith("%")]
    return int(shares[0]) if shares and shares[0].isdigit() else None


def folder_sizes(listing: str) -> dict[str, int]:
    """Bytes a folder, largest first, of `du -k -d 1 .`; `.` is the whole."""
    rows = [line.split(maxsplit=1) for line in listing.splitlines()]
    sizes = {name.removeprefix("./"): int(kib) * 1024 for kib, name in rows}
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))
