"""What people keep for themselves."""

from django.conf import settings
from django.db import models


class SavedView(models.Model):
    """A person's name for a query of a page: the run list, or the explorer."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views", db_index=False
    )
    page = models.CharField(max_length=10, db_default="runs")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        # Its index also serves the list of a person's views, in the order they are shown in.
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="view_name_once_per_person")]

    def __str__(self) -> str:
        return self.name
