"""Who is looking at an action."""

from django.contrib.auth.models import User
from django.utils import timezone

from approvals.models import Action, Presence


def note_presence(*, person: User, action: Action) -> None:
    """The person has the action open, as of now; others see it on the queue and on the page."""
    Presence.objects.update_or_create(action=action, person=person, defaults={"seen_at": timezone.now()})
