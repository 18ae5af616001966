"""The chain as it grows: one hash over all of a row, no gap whoever appends, and verified while it is written."""

import hashlib
import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import rfc8785
from django.db import connection, transaction

from approvals.audit_hash import FIELDS, entry_hash
from approvals.models import AuditEntry, AuditHead
from approvals.models.audit import GENESIS
from approvals.queries.audit import Pin, verify_chain
from approvals.services import audit


def append(number: int = 0, **data: Any) -> AuditEntry:
    with transaction.atomic():
        return audit.append(
            "POLICY_SAVED", actor="person:ada", object_id=f"policy:{number}", data={"n": number, **data}
        )


@pytest.mark.django_db
def test_an_entry_hashes_as_the_documentation_says():
    first, second = append(1, name="Zoë", big=2**60), append(2)
    assert first.prev_hash == GENESIS
    assert second.prev_hash == first.hash
    fields = ("seq", "prev_hash", "at", "actor", "token", "object", "data")
    stored = AuditEntry.objects.values(*fields).get(seq=1)
    assert hashlib.sha256(rfc8785.dumps(stored)).hexdigest() == first.hash
    assert stored["data"] == '{"big":"$acf:number:1152921504606846976e0","n":1,"name":"Zoë"}'
    assert verify_chain() == verify_chain(pinned=Pin(2, second.hash))


@pytest.mark.django_db
def test_no_column_of_an_entry_is_left_out_of_its_hash():
    entry = append(1)
    assert {field.name for field in AuditEntry._meta.fields} == {*FIELDS, "hash"}
    for name in FIELDS:
        changed = AuditEntry.objects.get(seq=1)
        setattr(changed, name, 7 if name == "seq" else "changed")
        assert entry_hash(changed) != entry.hash


@pytest.mark.django_db
def test_a_step_that_fails_leaves_no_entry_and_no_gap():
    append(1)
    with transaction.atomic():
        audit.append("POLICY_SAVED", actor="person:ada", object_id="policy:2", data={})
        transaction.set_rollback(True)
    assert append(3).seq == 2
    assert verify_chain().broken == ""


@pytest.mark.django_db(transaction=True)
def test_fifty_entries_at_once_on_an_empty_chain_have_no_gap():
    def one(number: int) -> None:
        try:
            append(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(one, range(50)))
    assert sorted(AuditEntry.objects.values_list("seq", flat=True)) == list(range(1, 51))
    assert {json.loads(data)["n"] for data in AuditEntry.objects.values_list("data", flat=True)} == set(range(50))
    assert AuditHead.objects.get().seq == 50
    assert verify_chain().broken == ""


def append_beside() -> None:
    """As another process does, while this one is at work."""

    def one() -> None:
        append(99)
        connection.close()

    with ThreadPoolExecutor(1) as beside:
        beside.submit(one).result()


@pytest.mark.django_db(transaction=True)
def test_what_is_appended_at_the_end_of_the_walk_is_no_fault(monkeypatch: pytest.MonkeyPatch):
    for number in range(3):
        append(number)

    def hash_while_it_grows(entry: AuditEntry) -> str:
        if entry.seq == 3:
            append_beside()
        return entry_hash(entry)

    monkeypatch.setattr("approvals.queries.audit.entry_hash", hash_while_it_grows)
    assert verify_chain().broken == ""
    assert AuditHead.objects.get().seq == 4


@pytest.mark.django_db
def test_what_is_appended_at_the_start_of_the_walk_is_no_fault(monkeypatch: pytest.MonkeyPatch):
    first, second = append(1), append(2)
    heads = iter([Pin(1, first.hash), Pin(2, second.hash)])
    monkeypatch.setattr("approvals.queries.audit._head", lambda: next(heads))
    report = verify_chain()
    assert (report.entries, report.broken) == (2, "")


@pytest.mark.django_db
def test_a_long_chain_is_walked_in_little_memory():
    entries, last = [], GENESIS
    for seq in range(1, 20_001):
        entry = AuditEntry(seq=seq, prev_hash=last, at="t", actor="a", token="T", object="o", data="x" * 500)
        last = entry.hash = entry_hash(entry)
        entries.append(entry)
    AuditEntry.objects.bulk_create(entries, batch_size=500)
    AuditHead.objects.create(seq=20_000, hash=last)
    entries.clear()
    tracemalloc.start()
    report = verify_chain()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (report.entries, report.broken) == (20_000, "")
    assert peak < 10_000_000, "the data alone would be 10 MB"
