"""What search knows: a row for each event and span of a run's log, written behind the log by a sweep (`traces.services.indexing`).

The words are searched by FTS5 on SQLite and by a tsvector on PostgreSQL: tables and columns of migration 0002 that the models don't know.
"""

from django.db import models


class LogText(models.Model):
    """An event or span as search and tool health know it. `kind` is `event` or the span's; `name` an event's token or a span's name.

    Ids grow with the time of indexing. No foreign keys: what retention deletes is missing here a little later.
    """

    id = models.BigAutoField(primary_key=True)
    run_id = models.UUIDField()
    row_id = models.CharField(max_length=32)
    kind = models.CharField(max_length=10)
    seq = models.BigIntegerField()
    at = models.DateTimeField()
    environment = models.CharField(max_length=64)
    agent_id = models.BigIntegerField()
    name = models.CharField(max_length=200)
    level = models.CharField(max_length=8, blank=True)
    outcome = models.CharField(max_length=12, blank=True)
    elapsed_ms = models.BigIntegerField(null=True)
    soft_ms = models.BigIntegerField(null=True)
    hard_ms = models.BigIntegerField(null=True)
    words = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run_id", "row_id"], name="log_text_once")]
        indexes = [
            # How far a run is indexed.
            models.Index(fields=["run_id", "seq"], name="log_text_of_run"),
            # Without words: the newest of an environment, of a token or a tool.
            models.Index(fields=["environment", "-id"], name="log_text_newest"),
            models.Index(fields=["environment", "name", "-id"], name="log_text_by_name"),
            # Tool health.
            models.Index(fields=["environment", "-at"], condition=models.Q(kind="tool"), name="log_text_tools"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class SearchIndex(models.Model):
    """One row: runs are indexed as they stood at `until`; whether rows' runs are still there has been looked at up to `checked_id`."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    until = models.DateTimeField()
    checked_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_search_index")]

    def __str__(self) -> str:
        return f"search until {self.until:%Y-%m-%dT%H:%M:%SZ}"
