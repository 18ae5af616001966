"""The kernel's one verb."""

from django.utils import timezone

from agentconsole.models import ComponentBeat


def record_beat(component: str, detail: str = "") -> None:
    """Note that `component` lives now. One statement, so that it is also the health check's proof of a real write."""
    ComponentBeat.objects.update_or_create(
        component=component, defaults={"beat_at": timezone.now(), "detail": detail[:200]}
    )
