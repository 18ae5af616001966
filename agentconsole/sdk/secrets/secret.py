"""A value that shows itself only to who asks for it by `reveal`."""

import hmac
from typing import Any, NoReturn


class Secret:
    """A secret. `str`, `repr`, formatting, copies and JSON tell its name; it can't be pickled. Equal to another one of the same value."""

    __slots__ = ("_about", "_value")
    _about: str
    _value: str

    def __init__(self, value: str, about: str) -> None:
        object.__setattr__(self, "_value", value)
        object.__setattr__(self, "_about", about)

    def reveal(self) -> str:
        """The value: for the one call that needs it, not for a variable that lives on."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self._about})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]  # a key of a dictionary is soon printed

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{self!r} does not change")

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self!r} can't be pickled: look it up where it is needed")
