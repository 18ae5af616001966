"""An index is made without holding up writers where the database can do that, and made all the same where it can't."""

import pytest
from django.db import connection, models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.test.utils import CaptureQueriesContext

from agentconsole.migrating.operations import AddIndexOnline

pytestmark = pytest.mark.django_db(transaction=True)


def indexes() -> set[str]:
    """Those of the runs' table."""
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, "runs_run"))


def test_it_comes_and_goes():
    made = type("Migration", (Migration,), {"atomic": False})("0099_query", "runs")
    made.operations = [AddIndexOnline("run", models.Index(fields=["session_id"], name="run_session_online"))]
    state = MigrationLoader(connection).project_state()
    with (
        CaptureQueriesContext(
            connection,
        ) as queries,
        connection.schema_editor(atomic=False) as editor,
    ):
        made.apply(state.clone(), editor)
    assert "run_session_online" in indexes()
    assert any("CONCURRENTLY" in query["sql"] for query in queries) is (connection.vendor == "postgresql")
    with connection.schema_editor(atomic=False) as editor:
        made.unapply(state.clone(), editor)
    assert "run_session_online" not in indexes()
