"""Reading pages without minding how their templates break lines."""

from typing import Any


def html_of(response: Any) -> str:
    """The page's HTML with every run of white space as one space."""
    return " ".join(response.content.decode().split())
