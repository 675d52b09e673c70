"""Uploads on their way, photographs that arrived, and refusals."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from pasi_vision.portal.models.people import Person
from pasi_vision.portal.models.study import Visit
from pasi_vision.portal.scope import Scoped, of_sites

__all__ = ["Photograph", "Refusal", "Upload"]


class Photograph(models.Model):
    """A photograph that could be read: free of metadata, with its verdict; the bytes stand in the vault."""

    class Identity(models.TextChoices):
        """Whether a person made sure that nobody can be recognized."""

        WAITING = "waiting"
        CONFIRMED = "confirmed"
        COVERED = "covered"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="photographs")
    view = models.CharField(max_length=24)
    sha256 = models.CharField(max_length=64, unique=True)  # of the bytes that were sent
    file = models.CharField(max_length=120)  # name in the vault, of the version without metadata
    file_sha256 = models.CharField(max_length=64)
    thumbnail = models.CharField(max_length=120)
    sealed = models.CharField(max_length=120, blank=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    verdict = models.CharField(max_length=24)
    advice = models.JSONField(default=list)
    measures = models.JSONField(default=list)
    kept_metadata = models.JSONField(default=dict)
    identity = models.CharField(max_length=10, choices=Identity.choices, default=Identity.WAITING)
    identity_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    withdrawn_reason = models.CharField(max_length=300, blank=True)
    kept_reason = models.CharField(max_length=300, blank=True)  # why it is used although the verdict was "retake"
    arrived_at = models.DateTimeField(default=timezone.now)
    sent_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    objects = Scoped.as_manager()

    class Meta:
        """Oldest first."""

        ordering = ["arrived_at"]
        indexes = [models.Index(fields=["visit", "view"])]

    @staticmethod
    def scope(person: Person) -> Q:
        """Photographs of one's own sites."""
        return of_sites(person, "visit__subject__site")

    @property
    def is_good(self) -> bool:
        """Counts for its view: not withdrawn, and accepted by the check or kept by a person with a reason."""
        return not self.withdrawn_reason and (self.verdict != "retake" or bool(self.kept_reason))

    @property
    def is_cleared(self) -> bool:
        """A person has confirmed that nobody can be recognized, or covered what could be."""
        return self.identity != self.Identity.WAITING


class Upload(models.Model):
    """One photograph on its way by the tus protocol; its bytes stand in the staging folder until it is whole."""

    class State(models.TextChoices):
        """Arriving, whole and waiting for its check, done (a photograph or a refusal exists), or given up."""

        ARRIVING = "arriving"
        WHOLE = "whole"
        DONE = "done"
        ENDED = "ended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="uploads")
    view = models.CharField(max_length=24)
    length = models.PositiveBigIntegerField()
    declared_sha256 = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ARRIVING)
    photograph = models.ForeignKey(Photograph, on_delete=models.PROTECT, null=True, related_name="uploads")
    message = models.CharField(max_length=400, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    sent_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    objects = Scoped.as_manager()

    @staticmethod
    def scope(person: Person) -> Q:
        """One's own uploads, at one's own sites."""
        return of_sites(person, "visit__subject__site") & Q(sent_by=person)


class Refusal(models.Model):
    """Something that was sent and could not be taken, with the reason; nothing of it is kept but its hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="refusals")
    view = models.CharField(max_length=24)
    sha256 = models.CharField(max_length=64)
    kind = models.CharField(max_length=24)  # unreadable, damaged, elsewhere
    reason = models.CharField(max_length=400)
    refused_at = models.DateTimeField(default=timezone.now)
    sent_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    objects = Scoped.as_manager()

    @staticmethod
    def scope(person: Person) -> Q:
        """Refusals of one's own sites."""
        return of_sites(person, "visit__subject__site")
