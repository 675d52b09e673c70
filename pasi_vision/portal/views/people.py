"""People: added, given a one-time password, switched off and on by an administrator."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from pasi_vision.errors import InputError
from pasi_vision.portal import accounts
from pasi_vision.portal.models import Person, Site
from pasi_vision.portal.roles import PERMISSIONS, Role
from pasi_vision.portal.trail import Subject, record

__all__ = ["active", "add", "index", "password"]


def index(request: HttpRequest) -> HttpResponse:
    """Everybody, with role and sites."""
    return _page(request)


def add(request: HttpRequest) -> HttpResponse:
    """Add a person; their one-time password is shown once, on the answer to this very request."""
    post = request.POST
    username, full_name = post.get("username", "").strip(), post.get("full_name", "").strip()
    if not username.isidentifier() or len(username) > 40:
        raise InputError(f"{username[:40]!r} cannot be a username", where="username", fix="Use letters, digits and _.")
    if not full_name:
        raise InputError("the full name is missing", where="name", fix="It stands under signatures.")
    try:
        role = Role(post.get("role", ""))
    except ValueError as error:
        raise InputError("no such role", where="role", fix=f"Use one of {', '.join(Role)}.") from error
    person, secret = accounts.add_person(request.user, username, full_name[:120], role, tuple(post.getlist("sites")))
    return _page(request, person, secret)


def password(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """A new one-time password."""
    person = get_object_or_404(Person.objects.visible_to(request.user), pk=person_id)
    return _page(request, person, accounts.new_one_time_password(request.user, person))


def active(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Switch an account off or on; a session of somebody switched off ends with its next request."""
    person = get_object_or_404(Person.objects.visible_to(request.user), pk=person_id)
    if person.pk == request.user.pk:
        raise InputError("you cannot switch yourself off", where="people", fix="Ask another administrator.")
    with transaction.atomic():
        before = person.is_active
        person.is_active = not before
        person.save(update_fields=["is_active"])
        record(
            request.user,
            "account switched on" if person.is_active else "account switched off",
            Subject("person", person.username),
            before={"active": before},
            after={"active": person.is_active},
        )
    return redirect("people")


def _page(request: HttpRequest, person: Person | None = None, secret: str = "") -> HttpResponse:
    context = {
        "title": "People",
        "people": Person.objects.visible_to(request.user).prefetch_related("sites").order_by("username"),
        "sites": Site.objects.visible_to(request.user).order_by("code"),
        "roles": [(role.value, ", ".join(sorted(p.value for p in PERMISSIONS[role]))) for role in Role],
        "new_person": person,
        "secret": secret,
    }
    return render(request, "portal/people.html", context)
