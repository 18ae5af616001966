"""Pages that read across runs."""

from django.urls import path

from traces.views.explorer import explorer

urlpatterns = [path("", explorer, name="traces")]
