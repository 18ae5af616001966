"""Pages that read across runs."""

from django.urls import path

from traces.views import explorer

urlpatterns = [path("", explorer, name="traces")]
