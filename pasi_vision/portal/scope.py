"""The one way to rows: every query of a page or of the API starts with `visible_to(person)`, so a site sees its own data only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from pasi_vision.portal.roles import ALL_SITES

if TYPE_CHECKING:
    from pasi_vision.portal.models import Person

__all__ = ["Scoped", "of_sites"]


class Scoped(models.QuerySet):
    """A queryset that knows which of its rows a person may see; a test keeps pages from any other query."""

    def visible_to(self, person: Person) -> Any:
        """The rows that `person` may see; none for somebody who is signed out or inactive."""
        if not person.is_authenticated or not person.is_active:
            return self.none()
        return self.filter(self.model.scope(person))


def of_sites(person: Person, path: str) -> Q:
    """Rows whose site (found through `path`) is one of the person's."""
    if person.role in ALL_SITES:
        return Q()
    return Q(**{f"{path}__in": person.sites.all()})
