"""What stops a backup or a restore. Each message says what to do."""

from agentconsole.errors import ConsoleError


class BackupError(ConsoleError):
    """No backup was written."""

    code = "backup_failed"
    http_status = 409
    title = "No backup was written"


class ArchiveError(ConsoleError):
    """A file is no backup, or not the one that was written, or of a newer console."""

    code = "backup_unreadable"
    http_status = 422
    title = "That is no backup"


class RestoreError(ConsoleError):
    """A backup was not restored; nothing was changed."""

    code = "restore_failed"
    http_status = 409
    title = "Nothing was restored"
