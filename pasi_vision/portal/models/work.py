"""Jobs for the worker, and what the model made of photographs and visits."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from pasi_vision.portal.models.people import Person
from pasi_vision.portal.models.photographs import Photograph
from pasi_vision.portal.models.study import Visit
from pasi_vision.portal.scope import Scoped, of_sites

__all__ = ["Job", "ModelScore", "Segmentation"]


class Job(models.Model):
    """One thing to do, once: what, on which row, for which key (the model's version, the state of the visit ...)."""

    class Kind(models.TextChoices):
        """In the order of urgency."""

        RECEIVE = "receive"  # check an upload that is whole, where the browser did not wait for it
        SEGMENT = "segment"  # one photograph by one model version
        SCORE = "score"  # one visit by one model version and one set of photographs

    class State(models.TextChoices):
        """Waiting, running (leased), done, failed for good."""

        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    target = models.UUIDField()
    key = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    urgency = models.PositiveSmallIntegerField(default=5)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    owner = models.CharField(max_length=120, blank=True)
    beat = models.PositiveBigIntegerField(default=0)
    """Counts up while the owner lives; a count that stands still for a lease's length means the owner is gone."""
    error = models.TextField(blank=True)
    made_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    objects = Scoped.as_manager()

    class Meta:
        """Each thing stands in the table once."""

        constraints = [models.UniqueConstraint(fields=["kind", "target", "key"], name="job_once")]
        indexes = [models.Index(fields=["state", "urgency", "due_at"])]

    @staticmethod
    def scope(person: Person) -> Q:
        """Jobs name no subject; the route asks for the permission to manage."""
        return Q()


class Segmentation(models.Model):
    """What one model version saw on one photograph: its measurements, from which visits are scored, and its outlines."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    photograph = models.ForeignKey(Photograph, on_delete=models.PROTECT, related_name="segmentations")
    file_sha256 = models.CharField(max_length=64)  # of the very pixels that were segmented
    model = models.CharField(max_length=100)
    outline = models.TextField(blank=True)  # SVG path data of the lesion outlines in the photograph's pixels
    result = models.JSONField(default=dict)  # records.PhotoResult
    reason = models.CharField(max_length=400, blank=True)
    made_at = models.DateTimeField(default=timezone.now)

    objects = Scoped.as_manager()

    class Meta:
        """Once per photograph's content and model version."""

        constraints = [models.UniqueConstraint(fields=["photograph", "file_sha256", "model"], name="segmented_once")]

    @staticmethod
    def scope(person: Person) -> Q:
        """Segmentations of one's own sites."""
        return of_sites(person, "photograph__visit__subject__site")


class ModelScore(models.Model):
    """The model's findings and score of a visit, for one set of photographs."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="model_scores")
    model = models.CharField(max_length=100)
    photographs_key = models.CharField(max_length=64)
    findings = models.JSONField(default=list)
    score = models.JSONField(default=dict)
    run = models.JSONField(default=dict)
    made_at = models.DateTimeField(default=timezone.now)

    objects = Scoped.as_manager()

    class Meta:
        """Once per visit, model version and set of photographs; the newest counts."""

        constraints = [models.UniqueConstraint(fields=["visit", "model", "photographs_key"], name="scored_once")]
        ordering = ["-made_at"]

    @staticmethod
    def scope(person: Person) -> Q:
        """Scores of one's own sites."""
        return of_sites(person, "visit__subject__site")
