"""Subjects: the list, enrolling, and one subject's course."""

from __future__ import annotations

import re
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from pasi_vision.errors import InputError
from pasi_vision.portal import schedule
from pasi_vision.portal.models import Site, Subject
from pasi_vision.portal.roles import Permission
from pasi_vision.portal.scores import course_of
from pasi_vision.portal.study_now import current_plan
from pasi_vision.portal.trail import Subject as About
from pasi_vision.portal.trail import record

__all__ = ["enrol", "index", "one"]

_TONES = ("I", "II", "III", "IV", "V", "VI")


def index(request: HttpRequest) -> HttpResponse:
    """All subjects of one's sites with the state of their visits."""
    plan, today = current_plan(), timezone.now().date()
    subjects = (
        Subject.objects.visible_to(request.user).select_related("site").prefetch_related("visits").order_by("code")
    )
    rows = [(subject, schedule.course(subject, plan, today)) for subject in subjects]
    sites = Site.objects.visible_to(request.user).order_by("code")
    context = {"title": "Subjects", "rows": rows, "plan": plan, "sites": sites, "tones": _TONES}
    return render(request, "portal/subjects.html", context)


def enrol(request: HttpRequest) -> HttpResponse:
    """Add a subject by pseudonym."""
    plan = current_plan()
    code = request.POST.get("code", "").strip()
    tone = request.POST.get("skin_tone", "")
    site = get_object_or_404(Site.objects.visible_to(request.user), pk=request.POST.get("site", ""))
    if not re.fullmatch(plan.subject_code, code):
        raise InputError(
            f"{code[:40]!r} does not look like a subject code of this study",
            where="subject",
            fix=f"It follows the pattern {plan.subject_code}; never use a name.",
        )
    if tone and tone not in _TONES:
        raise InputError("unknown skin tone", where="skin tone", fix="Choose I to VI, or leave it empty.")
    try:
        with transaction.atomic():
            subject = Subject.objects.create(code=code, site=site, skin_tone=tone, enrolled_by=request.user)
            record(
                request.user,
                "subject enrolled",
                About("subject", subject.pk, site.pk),
                after={"code": code, "skin_tone": tone},
            )
    except IntegrityError as error:
        raise InputError(f"subject {code} is enrolled already", where="subject", fix="Check the code.") from error
    return redirect("subject", subject_id=subject.pk)


def one(request: HttpRequest, subject_id: UUID) -> HttpResponse:
    """A subject's visits, events and, for roles that may, scores over time."""
    plan, today = current_plan(), timezone.now().date()
    subject = get_object_or_404(Subject.objects.visible_to(request.user).select_related("site"), pk=subject_id)
    request.seen_thing = About("subject", subject.pk, subject.site_id)
    entries = schedule.course(subject, plan, today)
    may_see_scores = request.user.may(Permission.SEE_SCORES)
    return render(
        request,
        "portal/subject.html",
        {
            "title": subject.code,
            "subject": subject,
            "entries": entries,
            "to_open": [entry.planned for entry in entries if entry.visit is None],
            "today": today,
            "events": subject.adverse_events.all(),
            "course": course_of(subject) if may_see_scores else None,
        },
    )
