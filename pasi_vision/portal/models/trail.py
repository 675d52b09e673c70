"""The audit trail: rows are only ever added, each chained to the one before by its hash (triggers in migration 0002)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from pasi_vision.portal.models.people import Person
from pasi_vision.portal.scope import Scoped, of_sites

__all__ = ["AuditEvent"]


class AuditEvent(models.Model):
    """Who, when (UTC), what, on what, from, to, why.

    Names and roles are copied, not linked: the trail reads the same when a person is renamed.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    at = models.CharField(max_length=32)  # ISO 8601 UTC with microseconds, exactly as hashed
    person = models.CharField(max_length=150)
    role = models.CharField(max_length=16)
    action = models.CharField(max_length=40)
    thing = models.CharField(max_length=40)
    thing_id = models.CharField(max_length=64, blank=True)
    site_code = models.CharField(max_length=20, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=400, blank=True)
    previous = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)

    objects = Scoped.as_manager()

    class Meta:
        """As it happened."""

        ordering = ["number"]

    @property
    def page(self) -> str:
        """Name of the route that shows what the event is about; "" for what has no page."""
        return self.thing if self.thing in ("subject", "visit", "photograph") and len(self.thing_id) == 36 else ""

    @staticmethod
    def scope(person: Person) -> Q:
        """Events of one's own sites; an administrator sees all."""
        return of_sites(person, "site_code")
