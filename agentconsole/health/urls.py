"""The health page's URL; the probes are answered before Django."""

from django.urls import path

from agentconsole.health.views import health

urlpatterns = [path("", health, name="health")]
