"""The words of the policy."""

from enum import StrEnum


class Answer(StrEnum):
    """What a rule says: run it, don't, or ask people."""

    ALLOW = "allow"
    DENY = "deny"
    ASK = "ask"


class Mode(StrEnum):
    """What may differ at the claim, and who may say yes (docs/policy.md)."""

    STRICT = "strict"
    COMPAT = "compat"
    PENDING = "pending"


class Risk(StrEnum):
    """What the agent declares. Not declared counts as medium."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


STRICTNESS_OF_ANSWER = (Answer.ALLOW, Answer.ASK, Answer.DENY)
STRICTNESS_OF_MODE = (Mode.COMPAT, Mode.STRICT, Mode.PENDING)
