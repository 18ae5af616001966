"""What takes the password once more: a session alone doesn't say who sits at the keyboard."""

from typing import ClassVar

from agentconsole.errors import ConsoleError


class FreshLoginRequiredError(ConsoleError):
    """What is at stake needs the password once more."""

    code: ClassVar[str] = "fresh_login_required"
    http_status: ClassVar[int] = 403
    title: ClassVar[str] = "Your password, once more"


class WrongPasswordError(ConsoleError):
    """The password that came along is not the person's."""

    code: ClassVar[str] = "wrong_password"
    http_status: ClassVar[int] = 403
    title: ClassVar[str] = "That is not your password"
