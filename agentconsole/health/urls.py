"""The health page, and the names of the probes, which are answered before a request gets here."""

from django.urls import path

from agentconsole.health.views import health, probe, state

urlpatterns = [
    path("", health, name="health"),
    path("state", state, name="health-state"),
    path("live", probe, name="health-live"),
    path("startup", probe, name="health-startup"),
    path("ready", probe, name="health-ready"),
]
