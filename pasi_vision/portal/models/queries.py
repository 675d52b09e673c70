"""Questions from a monitor to a site, and the answers."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from pasi_vision.portal.models.people import Person
from pasi_vision.portal.models.study import Visit
from pasi_vision.portal.scope import Scoped, of_sites

__all__ = ["Answer", "Query"]


class Query(models.Model):
    """A question about a visit; whoever asked closes it."""

    class State(models.TextChoices):
        """Open (the site is asked), answered (the monitor is asked), closed."""

        OPEN = "open"
        ANSWERED = "answered"
        CLOSED = "closed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="queries")
    text = models.TextField(max_length=2000)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT)
    asked_at = models.DateTimeField(default=timezone.now)

    objects = Scoped.as_manager()

    class Meta:
        """Newest first."""

        ordering = ["-asked_at"]

    @staticmethod
    def scope(person: Person) -> Q:
        """Queries of one's own sites."""
        return of_sites(person, "visit__subject__site")


class Answer(models.Model):
    """One line of the talk under a query."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    query = models.ForeignKey(Query, on_delete=models.PROTECT, related_name="answers")
    text = models.TextField(max_length=2000)
    written_by = models.ForeignKey(Person, on_delete=models.PROTECT)
    written_at = models.DateTimeField(default=timezone.now)

    objects = Scoped.as_manager()

    class Meta:
        """As it was written."""

        ordering = ["written_at"]

    @staticmethod
    def scope(person: Person) -> Q:
        """Answers of one's own sites."""
        return of_sites(person, "query__visit__subject__site")
