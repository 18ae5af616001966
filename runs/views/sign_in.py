"""The login page."""

from django.conf import settings
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse

from agentconsole import ratelimit


class SignIn(LoginView):
    """Django's, with a rate: so many tries a minute for one name from one address, right or wrong."""

    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: str, **kwargs: object) -> HttpResponse:
        """Try to sign in. RateLimitedError."""
        name = request.POST.get("username", "")[:150].casefold()
        ratelimit.spend(f"login:{request.META.get('REMOTE_ADDR', '')}:{name!a}", limit=settings.LOGIN_RATE, window_s=60)
        return super().post(request, *args, **kwargs)
