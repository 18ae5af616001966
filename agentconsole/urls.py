"""Every URL of the console."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import URLPattern, URLResolver, include, path, re_path

from agentconsole.api import api, api_docs
from runs.views.sign_in import SignIn
from traces.otlp.views import export

urlpatterns: list[URLPattern | URLResolver] = [
    # Below any prefix, also below those that follow: exporters put it behind what they take for the collector's address.
    re_path(r"^(?:.+/)?v1/(?P<signal>traces|logs|metrics)/?$", export, name="otlp"),
    path("login/", SignIn.as_view(), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("api/v1/docs", api_docs, name="api_docs"),
    path("api/v1/", api.urls),
    path("api/aap/", include("approvals.aap.urls")),
    path("health/", include("agentconsole.health.urls")),
    path("people/", admin.site.urls),
    path("traces/", include("traces.urls")),
    path("", include("approvals.urls")),
    path("", include("runs.urls")),
]

handler400 = handler403 = "agentconsole.middleware.answer_refused"
handler404 = "agentconsole.middleware.answer_unknown_path"
handler500 = "agentconsole.middleware.answer_broken"
