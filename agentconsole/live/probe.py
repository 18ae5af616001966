"""A cheap answer to: has anything been committed since I last asked?"""

import sqlite3
from pathlib import Path

from django.db import connections


class ChangeProbe:
    """On SQLite `PRAGMA data_version` of a connection that is kept for this: it changes when any other connection commits.

    It takes 3 µs (measured), so it is asked on the event loop itself. Elsewhere there is no such number: the answer is
    yes, and the poll's one query finds out.
    """

    def __init__(self) -> None:
        self._connection = self._open()
        self._version: int | None = None

    @staticmethod
    def _open() -> sqlite3.Connection | None:
        settings = connections["default"].settings_dict
        if settings["ENGINE"] != "django.db.backends.sqlite3":
            return None
        address = f"{Path(settings['NAME']).absolute().as_uri()}?mode=ro"
        try:
            return sqlite3.connect(address, uri=True, timeout=0, check_same_thread=False)
        except sqlite3.OperationalError:  # no such file yet: as good as not knowing
            return None

    def has_changed(self) -> bool:
        """Whether there may have been a commit since the last call. The first call says yes."""
        if self._connection is None:
            return True
        try:
            version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            return True
        changed, self._version = version != self._version, version
        return changed

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None:
            self._connection.close()
