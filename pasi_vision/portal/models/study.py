"""The study's plan as loaded, sites, subjects (pseudonyms), visits and their gaps."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from pasi_vision.anatomy import View
from pasi_vision.portal.models.people import Person
from pasi_vision.portal.scope import Scoped, of_sites

__all__ = ["Gap", "Site", "StudyVersion", "Subject", "Visit"]


class StudyVersion(models.Model):
    """One loaded text of the study's plan; the highest number is in force, older ones stay."""

    number = models.PositiveIntegerField(primary_key=True)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    loaded_at = models.DateTimeField(default=timezone.now)
    loaded_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True)


class Site(models.Model):
    """A study site."""

    code = models.CharField(primary_key=True, max_length=20)
    name = models.CharField(max_length=120)

    objects = Scoped.as_manager()

    @staticmethod
    def scope(person: Person) -> Q:
        """One's own sites."""
        return of_sites(person, "pk")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Subject(models.Model):
    """A participant, known by a pseudonym only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=40, unique=True)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="subjects")
    skin_tone = models.CharField(max_length=3, blank=True)
    enrolled_at = models.DateTimeField(default=timezone.now)
    enrolled_by = models.ForeignKey(Person, on_delete=models.PROTECT)

    objects = Scoped.as_manager()

    @staticmethod
    def scope(person: Person) -> Q:
        """Subjects of one's own sites."""
        return of_sites(person, "site")

    def __str__(self) -> str:
        return self.code


class Visit(models.Model):
    """One visit of the plan that took place; day 1 is the day of the baseline."""

    class State(models.TextChoices):
        """An open visit takes photographs; a closed one is dealt out for scoring."""

        OPEN = "open"
        CLOSED = "closed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="visits")
    name = models.CharField(max_length=40)
    taken_on = models.DateField()
    day = models.IntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField(default=timezone.now)
    opened_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")

    objects = Scoped.as_manager()

    class Meta:
        """A visit of the plan happens once per subject."""

        constraints = [models.UniqueConstraint(fields=["subject", "name"], name="visit_once")]
        ordering = ["day"]

    @staticmethod
    def scope(person: Person) -> Q:
        """Visits of one's own sites."""
        return of_sites(person, "subject__site")

    @property
    def is_open(self) -> bool:
        """Whether photographs may still come."""
        return self.state == self.State.OPEN

    def shown_photographs(self) -> list[str]:
        """SHA-256 of the photographs that a clinician is shown, in an order that tells nothing."""
        return sorted(p.file_sha256 for p in self.photographs.all() if p.is_good and p.is_cleared)

    def __str__(self) -> str:
        return f"{self.subject.code} {self.name}"


class Gap(models.Model):
    """Why a required view is missing from a closed visit."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="gaps")
    view = models.CharField(max_length=24)
    reason = models.CharField(max_length=300)
    given_by = models.ForeignKey(Person, on_delete=models.PROTECT)
    given_at = models.DateTimeField(default=timezone.now)

    objects = Scoped.as_manager()

    @property
    def title(self) -> str:
        """The view's name in words."""
        return View(self.view).label

    class Meta:
        """One reason per view."""

        constraints = [models.UniqueConstraint(fields=["visit", "view"], name="gap_once")]

    @staticmethod
    def scope(person: Person) -> Q:
        """Gaps of one's own sites."""
        return of_sites(person, "visit__subject__site")
