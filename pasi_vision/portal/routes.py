"""A route carries its own permission: nothing can be reached that does not say who may reach it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path

from pasi_vision.portal.roles import Permission
from pasi_vision.portal.trail import Subject, record

__all__ = ["Route", "url_of"]

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Route:
    """One line of the route table.

    Attributes:
        pattern: Django path pattern.
        view: Takes the request and the pattern's values.
        name: For `reverse`.
        needs: Permission asked of the signed-in person.
        methods: Allowed HTTP methods.
        seen: What the audit trail notes when this page was shown ("visit viewed" ...); "" for what shows no participant's data.
    """

    pattern: str
    view: View
    name: str
    needs: Permission
    methods: tuple[str, ...] = ("GET", "HEAD")
    seen: str = ""

    @property
    def is_api(self) -> bool:
        """Whether it answers in JSON and takes a token."""
        return self.pattern.startswith("api/")


def url_of(route: Route) -> URLPattern:
    """The Django pattern of a route, guarded: method, sign-in, permission, in this order."""
    return path(route.pattern, _guarded(route), name=route.name)


def _guarded(route: Route) -> View:
    @wraps(route.view)
    def guarded(request: HttpRequest, **values: Any) -> HttpResponse:
        if route.is_api:
            from pasi_vision.portal.tokens import sign_in_by_token

            sign_in_by_token(request)
        if not request.user.is_authenticated:
            return _sign_in_first(route, request)
        if not request.user.may(route.needs):
            return _refused(route, request)
        if request.method not in route.methods:
            return HttpResponseNotAllowed(route.methods)
        response = route.view(request, **values)
        if route.seen and request.method == "GET" and response.status_code == 200:
            record(request.user, route.seen, getattr(request, "seen_thing", Subject(route.name)))
        return response

    # The API and the upload protocol are called by scripts that hold a token; the token check restores CSRF for sessions.
    guarded.csrf_exempt = route.is_api  # type: ignore[attr-defined]
    return guarded


def _sign_in_first(route: Route, request: HttpRequest) -> HttpResponse:
    if route.is_api:
        return JsonResponse({"error": "sign in first", "fix": "Send `Authorization: Bearer <token>`."}, status=401)
    return redirect_to_login(request.get_full_path())


def _refused(route: Route, request: HttpRequest) -> HttpResponse:
    record(request.user, "access refused", Subject("page", route.name))
    what = f"The role {request.user.role} may not {route.needs.value}."
    if route.is_api:
        return JsonResponse({"error": what}, status=403)
    return render(request, "portal/refused.html", {"title": "Not for your role", "what": what}, status=403)
