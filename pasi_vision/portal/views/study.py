"""The study's plan and the worker's jobs."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from pasi_vision.portal import model_jobs
from pasi_vision.portal.models import Job, StudyVersion
from pasi_vision.portal.roles import PERMISSIONS
from pasi_vision.portal.study_now import current_plan
from pasi_vision.portal.trail import Subject, record

__all__ = ["job_again", "jobs", "page"]


def page(request: HttpRequest) -> HttpResponse:
    """The plan in force, its versions, and what each role may."""
    context = {
        "title": "Study plan",
        "plan": current_plan(),
        "model": model_jobs.installed_version(),
        "versions": StudyVersion.objects.order_by("-number"),
        "roles": [(role.value, sorted(p.value for p in granted)) for role, granted in PERMISSIONS.items()],
    }
    return render(request, "portal/study.html", context)


def jobs(request: HttpRequest) -> HttpResponse:
    """What the worker has to do, is doing, and could not do."""
    seen = Job.objects.visible_to(request.user)
    context = {
        "title": "Jobs",
        "counts": seen.values("kind", "state").annotate(n=Count("id")).order_by("kind", "state"),
        "failed": seen.filter(state=Job.State.FAILED).order_by("-ended_at")[:50],
        "running": seen.filter(state=Job.State.RUNNING).order_by("id")[:50],
        "retried": seen.filter(state=Job.State.WAITING, attempts__gt=0).order_by("due_at")[:50],
    }
    return render(request, "portal/jobs.html", context)


def job_again(request: HttpRequest, job_id: int) -> HttpResponse:
    """Give a failed job new attempts."""
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=job_id, state=Job.State.FAILED)
    with transaction.atomic():
        Job.objects.visible_to(request.user).filter(pk=job.pk, state=Job.State.FAILED).update(
            state=Job.State.WAITING, attempts=0, due_at=timezone.now(), ended_at=None
        )
        record(request.user, "job tried again", Subject("job", job.pk), before={"error": job.error[:200]})
    return redirect("jobs")
