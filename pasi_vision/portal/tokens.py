"""Signing in to the REST API by token."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from pasi_vision.portal.models import ApiToken

__all__ = ["sign_in_by_token"]


def sign_in_by_token(request: HttpRequest) -> None:
    """Make the token's owner the request's user; without a token the browser's session counts, then CSRF is checked.

    Raises:
        PermissionDenied: A session's request that changes something carries no CSRF token.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        from django.contrib.auth.models import AnonymousUser

        token = ApiToken.objects.select_related("person").filter(token_hash=ApiToken.hash_of(secret.strip())).first()
        usable = token is not None and token.is_valid and not token.person.must_change_password
        request.user = token.person if token is not None and usable else AnonymousUser()
        return
    if request.user.is_authenticated and request.method not in ("GET", "HEAD", "OPTIONS"):
        refused = CsrfViewMiddleware(lambda _: HttpResponse()).process_view(request, _not_exempt, (), {})
        if refused is not None:
            raise PermissionDenied("CSRF token missing or wrong")


def _not_exempt(request: HttpRequest) -> HttpResponse:
    """Stands for a view that asks for CSRF protection."""
    return HttpResponse()
