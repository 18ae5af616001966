"""On PostgreSQL, the tables of a run's log become partitioned by the month in which their run began; SQLite keeps its tables.

Each table is built anew and filled from the old one, so the log can be neither read nor written until it is done, and the disk must hold
its largest table twice. Nothing of it is told to Django: names, columns, constraints and indexes stay.
"""

from datetime import UTC, datetime

from django.db import migrations

TABLES = ("runs_phasetick", "runs_traceevent", "runs_span")
MONTHS_AHEAD = 2
# Ids that claim to be older than that, or to come from the future, lie in the default partition.
MONTHS_BACK = 60
MONTHS_OF_RUNS = """
    SELECT DISTINCT 12 * extract(year FROM at) + extract(month FROM at) - 1
    FROM (SELECT to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) AT TIME ZONE 'UTC' AS at
          FROM runs_run) began
"""
# PostgreSQL 18 lists NOT NULL as constraints, and those go with the columns.
CONSTRAINTS = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype <> 'n' AND conparentid = 0"
INDEXES = """
    SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)
"""


def partition(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        lock(cursor)
        months = months_to_make(cursor)
        for table in TABLES:
            rebuild(cursor, table, months)


def unite(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        lock(cursor)
        for table in TABLES:
            rebuild(cursor, table, None)


def lock(cursor):
    cursor.execute("LOCK TABLE runs_run IN EXCLUSIVE MODE")
    cursor.execute(f"LOCK TABLE {', '.join(TABLES)} IN ACCESS EXCLUSIVE MODE")


def months_to_make(cursor):
    """This month, the next ones and those that runs began in, counted from the year 0."""
    now = datetime.now(UTC)
    this = 12 * now.year + now.month - 1
    cursor.execute(MONTHS_OF_RUNS)
    began = {int(month) for (month,) in cursor.fetchall()}
    made = {this + ahead for ahead in range(MONTHS_AHEAD + 1)}
    return sorted(made | {month for month in began if this - MONTHS_BACK <= month < this})


def rebuild(cursor, table, months):
    """Build a table anew, in partitions of `months` or (None) whole, with the rows, constraints and indexes that it has."""
    cursor.execute(CONSTRAINTS, [table])
    constraints = cursor.fetchall()
    cursor.execute(INDEXES, [table])
    indexes = [definition.replace(" ON ONLY ", " ON ") for (definition,) in cursor.fetchall()]
    by = "" if months is None else "PARTITION BY RANGE (run_id)"
    cursor.execute(f"CREATE TABLE {table}_new (LIKE {table} INCLUDING DEFAULTS INCLUDING STORAGE) {by}")
    if months is not None:
        cursor.execute(f"CREATE TABLE {table}_default PARTITION OF {table}_new DEFAULT")
        for month in months:
            name = f"{table}_{month // 12:04}_{month % 12 + 1:02}"
            bounds = f"FROM ('{first_id(month)}') TO ('{first_id(month + 1)}')"
            cursor.execute(f"CREATE TABLE {name} PARTITION OF {table}_new FOR VALUES {bounds}")
    cursor.execute(f"INSERT INTO {table}_new SELECT * FROM {table}")
    cursor.execute(f"DROP TABLE {table}")
    cursor.execute(f"ALTER TABLE {table}_new RENAME TO {table}")
    for name, definition in constraints:
        cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    for definition in indexes:
        cursor.execute(definition)
    cursor.execute(f"ANALYZE {table}")


def first_id(month):
    """The least UUIDv7 of a month, as text."""
    at = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return f"{int(at.timestamp()) * 1000:012x}".ljust(32, "0")


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0004_components_and_what_runs_lacked'),
    ]

    operations = [
        migrations.RunPython(partition, unite),
    ]
