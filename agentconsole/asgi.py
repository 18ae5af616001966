"""The ASGI application: pages and APIs by Django, `/ws/live` by Channels."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentconsole.settings")
_django = get_asgi_application()

# Only now: these import models, which need the apps that the line above has loaded.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from agentconsole.health.probes import with_probes  # noqa: E402
from agentconsole.monitoring.door import with_metrics  # noqa: E402
from agentconsole.sockets import BodyLimit, OwnOrigin, SocketContext, deny  # noqa: E402
from approvals.aap.polls import with_long_polls  # noqa: E402
from runs.consumers import LiveConsumer  # noqa: E402

_sockets = URLRouter([path("ws/live", LiveConsumer.as_asgi()), re_path("", deny)])  # type: ignore[arg-type]  # Django's types know no ASGI applications

application = with_probes(
    with_metrics(
        ProtocolTypeRouter(
            {
                "http": BodyLimit(with_long_polls(_django)),
                "websocket": OwnOrigin(AuthMiddlewareStack(SocketContext(_sockets))),
            }
        )
    )
)
