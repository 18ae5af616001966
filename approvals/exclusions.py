"""Nobody approves their own. Pure: names against names, strictly, since what a name claims is enough to exclude."""

from collections.abc import Iterable

AGENT_PREFIX = "agent:"


def names_in(claim: str) -> frozenset[str]:
    """Every name that a claim such as `slack:Dana`, `dana@example.org` or `web:dana` may mean, in lower case."""
    whole = claim.strip().lower()
    if not whole or whole.startswith(AGENT_PREFIX):
        return frozenset()
    bare = whole.rpartition(":")[2].strip()
    return frozenset({whole, bare, bare.partition("@")[0]} - {""})


def is_own(*, username: str, email: str, claims: Iterable[str]) -> bool:
    """Whether a person may be the one that any of the claims names."""
    own = names_in(username) | names_in(email)
    return any(own & names_in(claim) for claim in claims)
