"""Names of fields that tell that their value is a secret."""

import re
from functools import lru_cache

_TELLING = re.compile(
    r"(?:^|[_\-. ])(?:[a-z0-9]{0,16}(?:password|passwd)|passphrase|pwd|secret|api[_\-. ]?key|apikey|access[_\-. ]?key|private[_\-. ]?key"
    r"|secret[_\-. ]?key|account[_\-. ]?key|shared[_\-. ]?key|signing[_\-. ]?key|encryption[_\-. ]?key|master[_\-. ]?key"
    r"|secret[_\-. ]?access[_\-. ]?key|(?:auth|access|refresh|id|session|bearer|csrf|bot|deploy|push)[_\-. ]?token"
    r"|client[_\-. ]?secret|authorization|proxy[_\-. ]authorization|cookie|set[_\-. ]cookie|credential|credentials|token"
    r"|webhook[_\-. ]?secret)$",
    re.IGNORECASE,
)
# Cursors of lists, and a model's words.
_HARMLESS = re.compile(
    r"(?:^|[_\-. ])(?:next|page|continuation|pagination|sync|resume|start|end|stop|bos|eos|pad|unk|mask|sep|cls|special|first"
    r"|last|max|min|per|each)[_\-. ]?token$",
    re.IGNORECASE,
)
_HEADERS = (("authorization", "authorization_header"), ("cookie", "cookie_header"))
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LONGEST = 64  # characters: far more than the longest telling name


def is_telling_name(name: str) -> bool:
    """Whether a field of this name holds a secret by its name alone (`db_password`, `apiKey`, `Authorization`)."""
    return _ends_tellingly(name[-_LONGEST:].strip(":= "))


def detector_of(name: str) -> str:
    """What a hit by a telling name is called: of a header that carries a session or a credential by the header, of all others `field_name`."""
    end = name[-_LONGEST:].strip(":= ").lower()
    return next((detector for header, detector in _HEADERS if end.endswith(header)), "field_name")


@lru_cache(maxsize=4096)
def _ends_tellingly(end: str) -> bool:
    plain = _CAMEL.sub("_", end)
    return any(_TELLING.search(form) for form in (end, plain)) and not _HARMLESS.search(plain)
