"""Pages that read across runs."""

from django.urls import path

from traces.views import leaks
from traces.views.explorer import explorer

urlpatterns = [
    path("", explorer, name="traces"),
    path("leaks/", leaks.leak_list, name="leaks"),
    path("leaks/<uuid:incident_id>/", leaks.leak_detail, name="leak"),
    path("leaks/<uuid:incident_id>/close", leaks.close, name="close-leak"),
]
