"""What every page's frame shows."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from runs.access import Role, role_of, visible_environments
from runs.wording import BADGES

THEMES = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the rail."""

    title: str
    path: str
    icon: str
    key: str


SECTIONS = (
    Section("Runs", "/runs/", "activity", "r"),
    Section("Approvals", "/approvals/", "hand", "p"),
    Section("Traces", "/traces/", "text-search", "t"),
    Section("Agents", "/agents/", "bot", "a"),
    Section("Health", "/health/", "heart-pulse", "h"),
    Section("Settings", "/settings/", "settings", "s"),
)
_BADGE_TABLE = {word: asdict(badge) for word, badge in BADGES.items()}


class Shell:
    """The frame of one request. Asks the database only for what a template touches, so that an error page can be drawn without one."""

    sections = SECTIONS
    badges = _BADGE_TABLE

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def theme(self) -> str:
        """`light`, `dark`, or `auto` for the system's own."""
        chosen = self._request.COOKIES.get("theme", "auto")
        return chosen if chosen in THEMES else "auto"

    @property
    def section(self) -> str:
        """The path of the rail's entry that this page belongs to, or nothing."""
        path = self._request.path
        if path.startswith("/r/"):
            return "/runs/"
        return next((section.path for section in SECTIONS if path.startswith(section.path)), "")

    @cached_property
    def environments(self) -> list[str]:
        """What the person may look into. Two queries."""
        return visible_environments(self._request.user)

    @cached_property
    def role(self) -> Role:
        """What the person may do. One query."""
        return role_of(self._request.user)

    @property
    def is_operator(self) -> bool:
        """Whether the person may act on runs."""
        return self.role >= Role.OPERATOR

    @property
    def has_doctor(self) -> bool:
        """Whether the bundled agent is switched on."""
        return bool(settings.DOCTOR_ENABLED)

    @property
    def is_admin(self) -> bool:
        """Whether the person may manage people and credentials."""
        return self.role >= Role.ADMIN


def shell_of(request: HttpRequest) -> Shell:
    """The one frame of a request: what several parts of a page ask for is read once."""
    known: Shell | None = getattr(request, "console_shell", None)
    if known is None:
        known = request.console_shell = Shell(request)  # type: ignore[attr-defined]  # kept where it ends with the request
    return known


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `shell`."""
    return {"shell": shell_of(request)}
