"""Pages that read across runs."""

from django.urls import path

from traces.views import explorer, leaks

urlpatterns = [
    path("", explorer.explorer, name="traces"),
    path("tools/", explorer.tools, name="tool-health"),
    path("views/", explorer.keep_view, name="keep-search"),
    path("views/<int:view_id>/remove", explorer.drop_view, name="drop-search"),
    path("leaks/", leaks.leak_list, name="leaks"),
    path("leaks/<uuid:incident_id>/", leaks.leak_detail, name="leak"),
    path("leaks/<uuid:incident_id>/close", leaks.close, name="close-leak"),
]
