"""The protocol's paths, below `/api/aap/`."""

from django.urls import path, re_path

from approvals.aap import instances, views

urlpatterns = [
    path("v1/requests", views.requests, name="aap-requests"),
    path("v1/requests/<str:action_id>", views.request, name="aap-request"),
    path("v1/requests/<str:action_id>/consume", views.consumption, name="aap-consume"),
    path("v1/requests/<str:action_id>/outcome", views.report, name="aap-outcome"),
    path("v1/instances", instances.instances, name="aap-instances"),
    path("v1/instances/<str:instance_id>", instances.instance, name="aap-instance"),
    re_path("", views.unknown),
]
