"""Pages of runs, agents and settings."""

from django.urls import path
from django.views.generic import RedirectView

from runs.views import agents, doctor, run, search, settings
from runs.views import list as run_list

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="run-list"), name="home"),
    path("runs/", run_list.run_list, name="run-list"),
    path("runs/details", run_list.run_details, name="run-details"),
    path("runs/<uuid:run_id>/", run.run_detail, name="run"),
    path("r/<path:request_id>", run.request_detail, name="request"),
    path("runs/views/", run_list.keep_view, name="keep-view"),
    path("runs/views/<int:view_id>/remove", run_list.drop_view, name="drop-view"),
    path("search/", search.search_page, name="search"),
    path("agents/", agents.agent_list, name="agents"),
    path("agents/new/", agents.new_credential, name="new-credential"),
    path("agents/instances/<int:instance_id>/rotate", agents.rotate, name="rotate"),
    path("agents/instances/<int:instance_id>/revoke", agents.revoke, name="revoke"),
    path("agents/instances/<int:instance_id>/<str:verb>/sure", agents.confirm, name="confirm-credential"),
    path("agents/doctor/run", doctor.run_doctor, name="run_doctor"),
    path("agents/<str:environment>/<str:name>/", agents.agent_detail, name="agent"),
    path("agents/<str:environment>/<str:name>/content", agents.content, name="content"),
    path("settings/", settings.settings_page, name="settings"),
    path("settings/password", settings.change_password, name="change-password"),
    path("settings/theme", settings.choose_theme, name="theme"),
]
