"""The menu: the pages a person's role may open, made from the route table."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from pasi_vision.portal.roles import Permission

__all__ = ["navigation"]

_MENU = (
    ("home", "Home", Permission.OWN_ACCOUNT),
    ("subjects", "Subjects", Permission.SEE_SUBJECTS),
    ("readings", "To score", Permission.SCORE),
    ("tables", "DLQI and events", Permission.UPLOAD),
    ("queries", "Queries", Permission.SEE_SUBJECTS),
    ("dashboard", "Dashboard", Permission.SEE_STUDY),
    ("exports", "Exports", Permission.EXPORT),
    ("study", "Study plan", Permission.SEE_STUDY),
    ("people", "People", Permission.MANAGE),
    ("jobs", "Jobs", Permission.MANAGE),
    ("trail", "Audit trail", Permission.SEE_TRAIL),
)


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The menu's entries for a template; empty for somebody who is signed out."""
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated:
        return {"menu": [], "here": ""}
    match = request.resolver_match
    return {
        "menu": [(name, label) for name, label, needed in _MENU if person.may(needed)],
        "here": match.url_name if match else "",
        "may": {permission.name.lower(): person.may(permission) for permission in Permission},
    }
