"""The audit chain: gap-free, and broken in no way that `verify_audit` does not find and name."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from approvals.audit_hash import entry_hash
from approvals.models import AuditEntry, AuditHead
from approvals.queries.audit import verify_chain
from approvals.services import audit


def append(count: int) -> None:
    for number in range(count):
        with transaction.atomic():
            audit.append("POLICY_SAVED", actor="person:ada", object_id=f"policy:{number}", data={"n": number, "é": "ü"})


@pytest.mark.django_db(transaction=True)
def test_an_entry_belongs_into_its_steps_transaction():
    with pytest.raises(transaction.TransactionManagementError):
        audit.append("POLICY_SAVED", actor="a", object_id="o", data={})


@pytest.mark.django_db
def test_a_token_that_nobody_listed():
    with pytest.raises(ValueError, match="not in"):
        audit.append("SURPRISE", actor="a", object_id="o", data={})


def edit_data() -> None:
    AuditEntry.objects.filter(seq=5).update(data='{"n":99}')


def edit_actor() -> None:
    AuditEntry.objects.filter(seq=5).update(actor="person:eve")


def delete_middle() -> None:
    AuditEntry.objects.filter(seq=5).delete()


def delete_tail() -> None:
    AuditEntry.objects.filter(seq__gt=4).delete()


def rewrite_with_a_new_hash() -> None:
    entry = AuditEntry.objects.get(seq=5)
    entry.actor = "person:eve"
    AuditEntry.objects.filter(seq=5).update(actor=entry.actor, hash=entry_hash(entry))


def move_the_head_back() -> None:
    AuditHead.objects.update(seq=4, hash=AuditEntry.objects.get(seq=4).hash)


ATTACKS: list[tuple[Callable[[], None], str]] = [
    (edit_data, "entry 5 (POLICY_SAVED) was changed"),
    (edit_actor, "entry 5 (POLICY_SAVED) was changed"),
    (delete_middle, "entry 5 is missing"),
    (delete_tail, "entry 5 is missing"),
    (rewrite_with_a_new_hash, "entry 6 does not follow entry 5"),
    (move_the_head_back, "entry 5 was added behind the head's back"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("attack", "named"), ATTACKS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_first_broken_link_is_named(attack: Callable[[], None], named: str):
    append(9)
    assert verify_chain().broken == ""
    attack()
    assert verify_chain().broken.startswith(named)
    with pytest.raises(CommandError, match="is broken: entry"):
        call_command("verify_audit")


@pytest.mark.django_db
def test_a_chain_rewritten_whole_does_not_hold_a_pinned_head(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    append(3)
    call_command("verify_audit", "--export-head")
    pin = tmp_path / "head.json"
    pin.write_text(capsys.readouterr().out, encoding="utf-8")
    call_command("verify_audit", "--pinned", str(pin))
    AuditEntry.objects.all().delete()
    AuditHead.objects.all().delete()
    append(4)
    with pytest.raises(CommandError, match="entry 3 is not the one that was pinned"):
        call_command("verify_audit", "--pinned", str(pin))
    AuditEntry.objects.all().delete()
    AuditHead.objects.all().delete()
    append(2)
    with pytest.raises(CommandError, match="entry 3 is missing"):
        call_command("verify_audit", "--pinned", str(pin))
    assert json.loads(pin.read_text())["seq"] == 3


@pytest.mark.django_db(transaction=True)
def test_entries_from_all_sides_have_no_gap():
    def one(_number: int) -> None:
        try:
            append(5)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one, range(20)))
    report = verify_chain()
    assert (report.entries, report.broken) == (100, "")
