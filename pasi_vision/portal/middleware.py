"""What holds for every request: sessions end, first steps come first, errors are told in plain words."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from pasi_vision.errors import InputError, PasiVisionError
from pasi_vision.portal.folder import PortalFolder

__all__ = ["FirstSteps", "PlainErrors", "SessionLimits"]

Handler = Callable[[HttpRequest], HttpResponse]
_log = logging.getLogger(__name__)
_TOUCH_SECONDS = 60


class SessionLimits:
    """Ends a session that was idle too long or is too old; notes activity at most once a minute."""

    def __init__(self, handler: Handler) -> None:
        settings = PortalFolder.current().settings()
        self.handler = handler
        self.idle_s = settings.idle_minutes * 60
        self.longest_s = settings.longest_session_hours * 3600

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            began, seen = request.session.get("began", now), request.session.get("seen", now)
            # A clock that was set back makes an age negative: such a session ends too.
            if not (-_TOUCH_SECONDS <= now - seen <= self.idle_s and -_TOUCH_SECONDS <= now - began <= self.longest_s):
                logout(request)
                return redirect(f"{reverse('account_login')}?ended=1")
            if now - seen >= _TOUCH_SECONDS or "began" not in request.session:
                request.session["began"], request.session["seen"] = began, now
        return self.handler(request)


class FirstSteps:
    """A one-time password is changed, and a second factor set up where it is asked for, before anything else."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.mfa_required = PortalFolder.current().settings().mfa == "required"

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and not request.path.startswith(("/account/", "/static/")):
            if request.user.must_change_password:
                return redirect("account_change_password")
            if self.mfa_required and not self._has_second_factor(request):
                return redirect("mfa_activate_totp")
        return self.handler(request)

    @staticmethod
    def _has_second_factor(request: HttpRequest) -> bool:
        from allauth.mfa.utils import is_mfa_enabled

        return bool(is_mfa_enabled(request.user))


class PlainErrors:
    """Errors raised on purpose become a page (or JSON) that says what was wrong and what to do, never a 500."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.handler(request)
        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")  # nothing of a study stays in a shared browser
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer for the package's own errors; anything else stays a 500 and is logged."""
        if not isinstance(error, PasiVisionError):
            return None
        status = 400 if isinstance(error, InputError) else 507
        if status != 400:
            _log.error("%s %s: %s", request.method, request.path, error)
        if request.path.startswith("/api/") or request.headers.get("accept", "").startswith("application/json"):
            return JsonResponse({"error": error.what, "where": error.where, "fix": error.fix}, status=status)
        return render(request, "portal/error.html", {"error": error, "title": "That did not work"}, status=status)
