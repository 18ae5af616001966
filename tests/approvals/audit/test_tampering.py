"""Whatever is done to the chain by hand, `verify_audit` finds it and names the first link that does not hold."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from approvals.audit_hash import entry_hash
from approvals.models import AuditEntry, AuditHead
from approvals.models.audit import GENESIS
from approvals.queries.audit import Pin, verify_chain
from approvals.services import audit

pytestmark = pytest.mark.django_db
LENGTH = 9


@pytest.fixture(autouse=True)
def _chain() -> None:
    for number in range(LENGTH):
        with transaction.atomic():
            audit.append("POLICY_SAVED", actor="person:ada", object_id=f"policy:{number}", data={"n": number})


def entry(seq: int) -> AuditEntry:
    return AuditEntry.objects.get(seq=seq)


def rewrite_from(seq: int, **changes: object) -> None:
    """What somebody does who may write the whole database: change an entry, and every hash after it."""
    last = entry(seq).prev_hash
    for one in AuditEntry.objects.filter(seq__gte=seq).order_by("seq"):
        for name, value in (changes if one.seq == seq else {}).items():
            setattr(one, name, value)
        one.prev_hash = last
        last = one.hash = entry_hash(one)
        one.save()
    AuditHead.objects.update(hash=last)


def edited(name: str) -> Callable[[], None]:
    def edit() -> None:
        AuditEntry.objects.filter(seq=5).update(**{name: "2026-01-01T00:00:00.000000Z" if name == "at" else '{"n":99}'})

    edit.__name__ = f"edit_{name}"
    return edit


def delete_the_first() -> None:
    AuditEntry.objects.filter(seq=1).delete()


def delete_the_middle() -> None:
    AuditEntry.objects.filter(seq__in=(5, 6)).delete()


def delete_the_tail() -> None:
    AuditEntry.objects.filter(seq__gte=8).delete()


def delete_everything() -> None:
    AuditEntry.objects.all().delete()


def swap_two() -> None:
    five, six = entry(5), entry(6)
    told = [(one.at, one.actor, one.token, one.object, one.data) for one in (six, five)]
    for one, (at, actor, token, object_id, data) in zip((five, six), told, strict=True):
        one.at, one.actor, one.token, one.object, one.data = at, actor, token, object_id, data
        one.save()


def renumber_two() -> None:
    AuditEntry.objects.filter(seq=5).update(seq=500)
    AuditEntry.objects.filter(seq=6).update(seq=5)
    AuditEntry.objects.filter(seq=500).update(seq=6)


def put_back_with_a_hash_of_its_own() -> None:
    five = entry(5)
    AuditEntry.objects.filter(seq=5).delete()
    five.actor = "person:eve"
    five.hash = entry_hash(five)
    five.save(force_insert=True)


def delete_one_and_close_the_gap() -> None:
    AuditEntry.objects.filter(seq=5).delete()
    for one in AuditEntry.objects.filter(seq__gt=5).order_by("seq"):
        AuditEntry.objects.filter(seq=one.seq).update(seq=one.seq - 1)


def move_the_head_back() -> None:
    AuditHead.objects.update(seq=7, hash=entry(7).hash)


def move_the_head_on() -> None:
    AuditHead.objects.update(seq=10)


def give_the_head_another_hash() -> None:
    AuditHead.objects.update(hash="f" * 64)


def delete_the_head() -> None:
    AuditHead.objects.all().delete()


def add_one_behind_the_heads_back() -> None:
    extra = AuditEntry(
        seq=10, prev_hash=entry(9).hash, at="t", actor="person:eve", token="POLICY_SAVED", object="o", data="{}"
    )
    extra.hash = entry_hash(extra)
    extra.save(force_insert=True)


ATTACKS: list[tuple[Callable[[], None], str]] = [
    *((edited(name), "entry 5 (") for name in ("at", "actor", "token", "object", "data")),
    (edited("hash"), "entry 5 (POLICY_SAVED) was changed"),
    (edited("prev_hash"), "entry 5 does not follow entry 4"),
    (delete_the_first, "entry 1 is missing: after 0 comes 2"),
    (delete_the_middle, "entry 5 is missing: after 4 comes 7"),
    (delete_the_tail, "entry 8 is missing: the chain ends at 7, its head says 9"),
    (delete_everything, "entry 1 is missing: the chain ends at 0"),
    (swap_two, "entry 5 (POLICY_SAVED) was changed"),
    (renumber_two, "entry 5 does not follow entry 4"),
    (put_back_with_a_hash_of_its_own, "entry 6 does not follow entry 5"),
    (delete_one_and_close_the_gap, "entry 5 does not follow entry 4"),
    (move_the_head_back, "entry 8 was added behind the head's back"),
    (move_the_head_on, "entry 10 is missing"),
    (give_the_head_another_hash, "entry 9 is not the one that the head names"),
    (delete_the_head, "entry 1 was added behind the head's back"),
    (add_one_behind_the_heads_back, "entry 10 was added behind the head's back"),
]


@pytest.mark.parametrize(("attack", "named"), ATTACKS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_first_link_that_does_not_hold_is_named(attack: Callable[[], None], named: str):
    assert verify_chain().broken == ""
    attack()
    assert verify_chain().broken.startswith(named)
    with pytest.raises(CommandError, match="The audit chain is broken: entry") as stopped:
        call_command("verify_audit")
    assert stopped.value.returncode == 1


@pytest.fixture
def pin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The head, exported as an operator does."""
    call_command("verify_audit", "--export-head")
    file = tmp_path / "head.json"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    return file


def test_a_whole_chain_says_how_long_it_is_and_where_it_ends(pin: Path, capsys: pytest.CaptureFixture[str]):
    call_command("verify_audit", "--pinned", str(pin))
    assert capsys.readouterr().out == f"The audit chain is whole: 9 entries, head {entry(9).hash}.\n"


def test_a_chain_that_grew_still_holds_its_pinned_head(pin: Path):
    with transaction.atomic():
        audit.append("POLICY_SAVED", actor="person:ada", object_id="policy:10", data={})
    call_command("verify_audit", "--pinned", str(pin))


def test_an_entry_changed_with_every_hash_after_it(pin: Path):
    rewrite_from(5, actor="person:eve")
    call_command("verify_audit")
    with pytest.raises(CommandError, match="entry 9 is not the one that was pinned"):
        call_command("verify_audit", "--pinned", str(pin))


def test_a_tail_cut_off_with_its_head_moved_along(pin: Path):
    kept = json.loads(pin.read_text())
    delete_the_tail()
    move_the_head_back()
    call_command("verify_audit")
    with pytest.raises(CommandError, match="entry 8 is missing: a head was pinned at 9, the chain ends at 7"):
        call_command("verify_audit", "--expect-seq", str(kept["seq"]), "--expect-hash", kept["hash"])


def test_a_chain_that_was_emptied_with_its_head(pin: Path):
    delete_everything()
    delete_the_head()
    call_command("verify_audit")
    with pytest.raises(CommandError, match="entry 1 is missing: a head was pinned at 9"):
        call_command("verify_audit", "--pinned", str(pin))


def test_the_head_of_an_empty_chain_lies_on_every_chain():
    assert verify_chain(pinned=Pin(0, GENESIS)).broken == ""
    assert verify_chain(pinned=Pin(0, "f" * 64)).broken.startswith("entry 0 is not the one")


@pytest.mark.parametrize("options", [["--expect-seq", "9"], ["--expect-hash", "ab"]], ids=str)
def test_half_a_pin_is_no_pin(options: list[str]):
    with pytest.raises(CommandError, match="together"):
        call_command("verify_audit", *options)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seq": "x", "hash": "y"}'])
def test_a_file_that_holds_no_head(tmp_path: Path, text: str):
    file = tmp_path / "head.json"
    file.write_text(text)
    with pytest.raises(CommandError, match="holds no head"):
        call_command("verify_audit", "--pinned", str(file))
