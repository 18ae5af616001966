"""What a form may send: texts that every database keeps, numbers that are some."""

from django.http import HttpRequest

from agentconsole.errors import BadRequestError

TEXT_MAX = 2000  # characters: a note, a reason
_DIGITS_MAX = 9


def text_in(request: HttpRequest, name: str, *, most: int = TEXT_MAX) -> str:
    """A field's text; empty if it was not sent. BadRequestError beyond `most` characters, a line's end counted as one, or with NUL."""
    text = request.POST.get(name, "")
    if "\0" in text:
        raise BadRequestError(f"The field {name} holds a NUL character, which can't be kept. Leave it out.")
    if len(text.replace("\r\n", "\n")) > most:
        raise BadRequestError(f"The field {name} takes {most} characters at most. Shorten it.")
    return text


def number_in(request: HttpRequest, name: str) -> int | None:
    """A field's whole number; None if it is none that a column holds."""
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= _DIGITS_MAX else None
