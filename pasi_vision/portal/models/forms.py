"""What a site enters beside photographs: DLQI item numbers and adverse events."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from pasi_vision.portal.models.people import Person
from pasi_vision.portal.models.study import Subject, Visit
from pasi_vision.portal.scope import Scoped, of_sites

__all__ = ["AdverseEvent", "DlqiForm"]


class DlqiForm(models.Model):
    """The ten answers (0-3, "not_relevant", or null where not answered) of one visit; the questions' wording is not ours to print."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    visit = models.OneToOneField(Visit, on_delete=models.PROTECT, related_name="dlqi")
    items = models.JSONField()
    entered_at = models.DateTimeField(default=timezone.now)
    entered_by = models.ForeignKey(Person, on_delete=models.PROTECT)

    objects = Scoped.as_manager()

    @staticmethod
    def scope(person: Person) -> Q:
        """Forms of one's own sites."""
        return of_sites(person, "visit__subject__site")


class AdverseEvent(models.Model):
    """One adverse event of a subject."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="adverse_events")
    term = models.CharField(max_length=200)
    start_day = models.IntegerField()
    end_day = models.IntegerField(null=True)
    grade = models.PositiveSmallIntegerField()  # 1-5, CTCAE
    serious = models.BooleanField()
    related = models.CharField(max_length=12)
    outcome = models.CharField(max_length=24)
    entered_at = models.DateTimeField(default=timezone.now)
    entered_by = models.ForeignKey(Person, on_delete=models.PROTECT)

    objects = Scoped.as_manager()

    class Meta:
        """By day."""

        ordering = ["start_day"]

    @property
    def grade_in_words(self) -> str:
        """As CTCAE names it."""
        return ("", "mild", "moderate", "severe", "life-threatening", "fatal")[self.grade]

    @staticmethod
    def scope(person: Person) -> Q:
        """Events of one's own sites."""
        return of_sites(person, "subject__site")
