"""Whether the audit chain is whole."""

from dataclasses import dataclass

from approvals.audit_hash import entry_hash
from approvals.models import AuditEntry, AuditHead
from approvals.models.audit import GENESIS


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a walk along the chain found. `broken` says in words which link is the first that does not hold, empty if all do."""

    entries: int
    head_seq: int
    head_hash: str
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Pin:
    """A place that the chain must go through: an entry's number and hash."""

    seq: int = 0
    hash: str = GENESIS


def verify_chain(*, pinned: Pin | None = None) -> ChainReport:
    """Walk the whole chain, in constant memory, while it may grow. `pinned` is a head that was exported before."""
    pin = pinned or Pin()
    # The head first: what is appended during the walk lies beyond it.
    head = _head()
    seq, last = 0, GENESIS
    passed = {0: GENESIS}
    for entry in AuditEntry.objects.order_by("seq").iterator(chunk_size=2000):
        broken = _broken_link(entry, seq, last)
        if broken:
            return ChainReport(seq, seq, last, broken)
        seq, last = entry.seq, entry.hash
        if seq in (head.seq, pin.seq):
            passed[seq] = last
    return ChainReport(seq, seq, last, _broken_end(head, seq, passed) or _off_pin(pin, seq, passed))


def _head() -> Pin:
    head = AuditHead.objects.filter(id=1).first()
    return Pin(head.seq, head.hash) if head else Pin()


def _broken_link(entry: AuditEntry, seq: int, last: str) -> str:
    if entry.seq != seq + 1:
        return f"entry {seq + 1} is missing: after {seq} comes {entry.seq}"
    if entry.prev_hash != last:
        return f"entry {entry.seq} does not follow entry {seq}: it names another hash before it"
    if entry.hash != entry_hash(entry):
        return f"entry {entry.seq} ({entry.token}) was changed: its content does not have its hash"
    return ""


def _broken_end(head: Pin, seq: int, passed: dict[int, str]) -> str:
    if head.seq > seq:
        return f"entry {seq + 1} is missing: the chain ends at {seq}, its head says {head.seq}"
    if passed.get(head.seq) != head.hash:
        return f"entry {head.seq} is not the one that the head names: its hash is another"
    # Appended during the walk, if the head has moved along with them.
    if seq > head.seq and _head().seq < seq:
        return f"entry {head.seq + 1} was added behind the head's back: the head says {head.seq}"
    return ""


def _off_pin(pin: Pin, seq: int, passed: dict[int, str]) -> str:
    if pin.seq > seq:
        return f"entry {seq + 1} is missing: a head was pinned at {pin.seq}, the chain ends at {seq}"
    if passed.get(pin.seq) != pin.hash:
        return f"entry {pin.seq} is not the one that was pinned: the chain was rewritten"
    return ""
