"""A person's own API tokens."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from pasi_vision.errors import InputError
from pasi_vision.portal.models import ApiToken
from pasi_vision.portal.trail import Subject, record

__all__ = ["add", "index", "revoke"]

_LONGEST_DAYS = 365


def index(request: HttpRequest) -> HttpResponse:
    """One's tokens, without their secrets."""
    return _page(request)


def add(request: HttpRequest) -> HttpResponse:
    """Make a token; its secret is shown once, on the answer to this very request."""
    name, days = request.POST.get("name", "").strip()[:60], request.POST.get("days", "90")
    if not name:
        raise InputError("the token has no name", where="token", fix="Say what it is for.")
    if not days.isdigit() or not 1 <= int(days) <= _LONGEST_DAYS:
        raise InputError(f"{days[:10]!r} days", where="token", fix=f"Use 1 to {_LONGEST_DAYS}.")
    with transaction.atomic():
        token, secret = ApiToken.make(request.user, name, int(days))
        record(request.user, "token made", Subject("token", token.pk), after={"name": name, "days": int(days)})
    return _page(request, secret)


def revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End a token."""
    token = get_object_or_404(ApiToken.objects.visible_to(request.user), pk=token_id)
    with transaction.atomic():
        token.revoked_at = token.revoked_at or timezone.now()
        token.save(update_fields=["revoked_at"])
        record(request.user, "token revoked", Subject("token", token.pk))
    return redirect("tokens")


def _page(request: HttpRequest, secret: str = "") -> HttpResponse:
    tokens = ApiToken.objects.visible_to(request.user).order_by("-created_at")
    return render(request, "portal/tokens.html", {"title": "API tokens", "tokens": tokens, "secret": secret})
