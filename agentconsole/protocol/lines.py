"""Senders' words on one line."""


def one_line(text: str) -> str:
    """A text for one line of a page or a log: what would break the line, or turn its direction, is shown as U+FFFD."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
