"""Who scores which visit, drafts, and the signed versions, which nothing can change any more."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from pasi_vision.portal.models.people import Person
from pasi_vision.portal.models.study import Visit
from pasi_vision.portal.scope import Scoped, of_sites

__all__ = ["Assignment", "SignedReading"]


class Assignment(models.Model):
    """One reading dealt to one clinician: in their queue under a random id that tells nothing of subject, visit or site."""

    class Purpose(models.TextChoices):
        """Why it was dealt; the clinician is not shown it."""

        FIRST = "first"
        REPEAT = "repeat"
        ADJUDICATION = "adjudication"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="assignments")
    clinician = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="assignments")
    reading = models.PositiveIntegerField()
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    place = models.FloatField()  # random: the order of the queue
    not_before = models.DateTimeField(default=timezone.now)
    dealt_at = models.DateTimeField(default=timezone.now)
    draft = models.JSONField(default=dict)
    draft_saved_at = models.DateTimeField(null=True)
    done = models.BooleanField(default=False)

    objects = Scoped.as_manager()

    class Meta:
        """One row per visit, clinician and reading."""

        constraints = [models.UniqueConstraint(fields=["visit", "clinician", "reading"], name="dealt_once")]
        ordering = ["place"]

    @staticmethod
    def scope(person: Person) -> Q:
        """A clinician's own readings, whatever the site: blinding replaces the site here."""
        return Q(clinician=person)


class SignedReading(models.Model):
    """A signed version of a reading: content, name, time and meaning, sealed by a hash; rows are only ever added."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    content = models.JSONField()
    signer = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    signer_name = models.CharField(max_length=120)
    signed_at = models.DateTimeField()
    meaning = models.CharField(max_length=200)
    reason = models.CharField(max_length=300, blank=True)
    sha256 = models.CharField(max_length=64)

    objects = Scoped.as_manager()

    class Meta:
        """Versions count up per reading."""

        constraints = [models.UniqueConstraint(fields=["assignment", "version"], name="version_once")]
        ordering = ["version"]

    @staticmethod
    def scope(person: Person) -> Q:
        """A clinician's own; for anybody else those of their sites (the routes ask for the permission to see scores)."""
        return Q(assignment__clinician=person) | of_sites(person, "assignment__visit__subject__site")
