"""Accounts: no sign-up, one-time passwords, and the audit trail of signing in and out."""

from __future__ import annotations

import hashlib
import secrets
import string
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth import signals
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest

from pasi_vision.errors import InputError
from pasi_vision.portal.roles import ALL_SITES, Role

__all__ = [
    "PortalAccountAdapter",
    "add_person",
    "connect_signals",
    "name_for_lock",
    "new_one_time_password",
    "one_time_password",
]

_LETTERS = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))


class PortalAccountAdapter(DefaultAccountAdapter):
    """allauth's adapter for a closed house: people are added by an administrator."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody adds themselves."""
        return False


def name_for_lock(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The name under which wrong passwords are counted: hashed, because a name typed in a hurry may be a password."""
    name = (credentials or {}).get("username") or request.POST.get("login", "")
    return hashlib.sha256(str(name).casefold().encode()).hexdigest()


def one_time_password() -> str:
    """A password of 20 characters that are not mistaken for one another (about 116 bits), to be changed at first use."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


def add_person(by: Any, username: str, full_name: str, role: Role, site_codes: tuple[str, ...]) -> tuple[Any, str]:
    """Add a person; gives them and their one-time password.

    Raises:
        InputError: The name is taken, a site is unknown, or the role needs a site and none is given.
    """
    from pasi_vision.portal.models import Person, Site
    from pasi_vision.portal.trail import Subject, record

    known = {site.code: site for site in Site.objects.filter(code__in=site_codes)}
    missing = [code for code in site_codes if code not in known]
    if missing:
        raise InputError(f"site {missing[0]!r} is not in the study's plan", where="sites", fix="Use a site's code.")
    if role not in ALL_SITES and not site_codes:
        raise InputError(f"a {role.value} needs at least one site", where="sites", fix="Name the site's code.")
    password = one_time_password()
    with transaction.atomic():
        if Person.objects.filter(username__iexact=username).exists():
            raise InputError(f"username {username!r} is taken", where="username", fix="Choose another.")
        person = Person.objects.create_user(username=username, password=password, full_name=full_name, role=role.value)
        person.sites.set(known.values())
        record(
            by,
            "person added",
            Subject("person", person.username),
            after={"full_name": full_name, "role": role.value, "sites": sorted(known)},
        )
    return person, password


def new_one_time_password(by: Any, person: Any) -> str:
    """Replace a person's password by a one-time password and lift a lock after wrong attempts."""
    from axes.utils import reset

    from pasi_vision.portal.trail import Subject, record

    password = one_time_password()
    with transaction.atomic():
        person.set_password(password)
        person.must_change_password = True
        person.save(update_fields=["password", "must_change_password"])
        reset(username=name_for_lock(HttpRequest(), {"username": person.username}))
        record(by, "one-time password given", Subject("person", person.username))
    return password


def connect_signals() -> None:
    """Note logins, failed logins, logouts and changed passwords in the audit trail."""
    from allauth.account.signals import password_changed
    from allauth.mfa.signals import authenticator_added, authenticator_removed

    signals.user_logged_in.connect(_logged_in, dispatch_uid="portal-in")
    signals.user_logged_out.connect(_logged_out, dispatch_uid="portal-out")
    signals.user_login_failed.connect(_failed, dispatch_uid="portal-failed")
    password_changed.connect(_password_changed, dispatch_uid="portal-password")
    authenticator_added.connect(_second_factor, dispatch_uid="portal-mfa-added")
    authenticator_removed.connect(_second_factor_removed, dispatch_uid="portal-mfa-removed")


def _note(person: Any, action: str, *, of: str = "", reason: str = "") -> None:
    from pasi_vision.portal.trail import Subject, record

    record(person, action, Subject("person", of or getattr(person, "username", "")), reason=reason)


def _logged_in(sender: Any, user: Any, **_: Any) -> None:
    _note(user, "signed in")


def _logged_out(sender: Any, user: Any, **_: Any) -> None:
    if user is not None and not isinstance(user, AnonymousUser):
        _note(user, "signed out")


def _failed(sender: Any, credentials: dict[str, Any], **_: Any) -> None:
    # A mistyped name may be a password: only a name that exists is written down.
    from pasi_vision.portal.models import Person

    name = str(credentials.get("username", ""))[:150]
    known = Person.objects.filter(username__iexact=name).first() if name else None
    _note(None, "sign-in failed", of=known.username if known else "unknown name")


def _password_changed(sender: Any, user: Any, **_: Any) -> None:
    if user.must_change_password:
        user.must_change_password = False
        user.save(update_fields=["must_change_password"])
    _note(user, "password changed")


def _second_factor(sender: Any, user: Any, **_: Any) -> None:
    _note(user, "second factor added")


def _second_factor_removed(sender: Any, user: Any, **_: Any) -> None:
    _note(user, "second factor removed")
