"""A migration may be applied while the release before it serves: it adds, and takes nothing away that old code uses."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED

from agentconsole.migrating.operations import AddIndexOnline

# Where the rule begins: no release was rolled out before these.
BASELINE = {"agentconsole": 2, "runs": 5, "traces": 0, "approvals": 3}
# Tables that may have millions of rows: an index of theirs takes minutes, in which nobody could write.
BIG = {("runs", name) for name in ("run", "phasetick", "span", "traceevent")} | {
    ("approvals", name) for name in ("action", "auditentry", "webhookdelivery")
}
HARMLESS = (
    migrations.CreateModel, migrations.RemoveIndex, migrations.RenameIndex, migrations.AlterModelOptions,
    migrations.AlterModelManagers, AddIndexOnline, AddConstraintNotValid, ValidateConstraint,
)  # fmt: skip


def danger_of(operation: Any, app: str, made: set[tuple[str, str]]) -> str:
    """Why the release before can't work on with it, or waits for it; nothing if it can. `made`: tables made by the same migration."""
    table = (app, getattr(operation, "model_name", getattr(operation, "name", "")).lower())
    if isinstance(operation, HARMLESS) or table in made:
        return ""
    if isinstance(operation, migrations.AddField):
        return danger_of_field(operation.field)
    if isinstance(operation, migrations.AddIndex):
        return "an index of a big table: use AddIndexOnline, with atomic = False" if table in BIG else ""
    return f"{type(operation).__name__} changes what the release before relies on, or can't be judged"


def danger_of_field(field: Any) -> str:
    """Old code inserts rows that don't name the new column."""
    if field.many_to_many or field.null or field.db_default is not NOT_PROVIDED:
        return ""
    return f"a column that old code does not fill: {field.name} needs null=True or a db_default"


def dangers(migration: Any, app: str) -> Iterator[str]:
    """What is wrong with a migration. `contract = "<why nobody uses it any more>"` on its class allows the rest."""
    if getattr(migration, "contract", ""):
        return
    made = {(app, op.name.lower()) for op in migration.operations if isinstance(op, migrations.CreateModel)}
    for operation in migration.operations:
        if found := danger_of(operation, app, made):
            yield found


def after_baseline() -> dict[str, Any]:
    """Our migrations that the rule is for."""
    found = MigrationLoader(None, ignore_no_migrations=True).disk_migrations.items()
    return {
        f"{app}.{name}": migration
        for (app, name), migration in found
        if app in BASELINE and int(name.split("_")[0]) > BASELINE[app]
    }


def test_the_release_before_works_on_after_each_migration():
    found = {name: [*dangers(migration, name.split(".")[0])] for name, migration in after_baseline().items()}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def migration_with(*operations: Any, **attributes: Any) -> Any:
    """A migration of the app `runs`."""
    return type("Migration", (migrations.Migration,), {"operations": operations, **attributes})("0099_some", "runs")


TEXT = models.TextField
REFUSED: Sequence[Any] = (
    migrations.RemoveField("run", "query"),
    migrations.RenameField("run", "query", "question"),
    migrations.DeleteModel("SavedView"),
    migrations.RenameModel("SavedView", "View"),
    migrations.AlterField("run", "query", TEXT()),
    migrations.AddField("run", "more", TEXT()),
    migrations.AddField("run", "more", TEXT(default="")),
    migrations.AddIndex("Span", models.Index(fields=["name"], name="span_name")),
    migrations.AddConstraint("run", models.UniqueConstraint(fields=["query"], name="once")),
    migrations.RunSQL("SELECT 1"),
    migrations.RunPython(migrations.RunPython.noop),
)
ALLOWED: Sequence[Any] = (
    migrations.AddField("run", "more", TEXT(null=True)),
    migrations.AddField("run", "more", TEXT(db_default="")),
    migrations.AddIndex("savedview", models.Index(fields=["name"], name="view_name")),
    AddIndexOnline("span", models.Index(fields=["name"], name="span_name")),
)


@pytest.mark.parametrize("operation", REFUSED, ids=lambda operation: operation.describe())
def test_what_old_code_can_not_live_with_is_refused(operation: Any):
    assert [*dangers(migration_with(operation), "runs")]
    assert not [*dangers(migration_with(operation, contract="0.3 was the last release that read it"), "runs")]


@pytest.mark.parametrize("operation", ALLOWED, ids=lambda operation: operation.describe())
def test_what_only_adds_is_allowed(operation: Any):
    assert not [*dangers(migration_with(operation), "runs")]


def test_a_new_table_may_have_what_it_likes():
    made = migrations.CreateModel("Note", [("id", models.BigAutoField(primary_key=True))])
    index = migrations.AddIndex("note", models.Index(fields=["id"], name="note_id"))
    assert not [*dangers(migration_with(made, index, migrations.AddField("note", "text", TEXT())), "runs")]
