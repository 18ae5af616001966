"""The console's folder, held by a command for as long as its process lives."""

from django.core.management.base import CommandError

from agentconsole.folder import FolderInUseError, hold_own_folder


def hold_folder() -> int | None:
    """No restore goes on while this process runs; the descriptor that sees to it, if one has to. CommandError while one is under way."""
    try:
        return hold_own_folder()
    except FolderInUseError as error:
        raise CommandError(error.message) from error
