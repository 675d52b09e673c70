"""The study at a glance: uploads, refusals by reason, overdue visits, readings, and agreement for roles that may see it."""

from __future__ import annotations

from collections import Counter

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from pasi_vision.portal import schedule
from pasi_vision.portal.models import Assignment, Job, Photograph, Query, Refusal, Site, Subject, Visit
from pasi_vision.portal.roles import Permission
from pasi_vision.portal.scores import agreement, with_scores
from pasi_vision.portal.study_now import current_plan

__all__ = ["page"]


def page(request: HttpRequest) -> HttpResponse:
    """Counts only, except for the overdue visits and the agreement, which need the right to see subjects or scores."""
    person, plan, today = request.user, current_plan(), timezone.now().date()
    photographs = Photograph.objects.visible_to(person)
    visits = Visit.objects.visible_to(person).select_related("subject")
    subjects = Subject.objects.visible_to(person).prefetch_related("visits").order_by("code")
    entries = [entry for subject in subjects for entry in schedule.course(subject, plan, today)]
    readings = Assignment.objects.filter(visit__in=visits)
    closed = visits.filter(state=Visit.State.CLOSED)
    pairs, summary = agreement(with_scores(closed)) if person.may(Permission.SEE_SCORES) else ([], None)
    context = {
        "title": "Dashboard",
        "plan": plan,
        "figures": [
            ("subjects", subjects.count()),
            ("open visits", visits.filter(state=Visit.State.OPEN).count()),
            ("closed visits", closed.count()),
            ("overdue visits", sum(entry.state == "overdue" for entry in entries)),
            ("photographs", photographs.count()),
            ("open queries", Query.objects.visible_to(person).exclude(state=Query.State.CLOSED).count()),
            ("readings signed", readings.filter(done=True).count()),
            ("readings waiting", readings.filter(done=False).count()),
            ("jobs waiting", Job.objects.visible_to(person).filter(state=Job.State.WAITING).count()),
            ("jobs failed", Job.objects.visible_to(person).filter(state=Job.State.FAILED).count()),
        ],
        "sites": Site.objects.visible_to(person)
        .annotate(
            n_subjects=Count("subjects", distinct=True),
            n_photographs=Count("subjects__visits__photographs", distinct=True),
            n_retake=Count(
                "subjects__visits__photographs",
                filter=Q(subjects__visits__photographs__verdict="retake"),
                distinct=True,
            ),
            n_refused=Count("subjects__visits__refusals", distinct=True),
        )
        .order_by("code"),
        "reasons": _reasons(photographs, Refusal.objects.visible_to(person)),
        "overdue": [entry for entry in entries if entry.state == "overdue"],
        "pairs": pairs,
        "agreement": summary,
    }
    return render(request, "portal/dashboard.html", context)


def _reasons(photographs: object, refusals: object) -> list[tuple[str, int]]:
    """Why photographs were refused or asked for again, most frequent first."""
    counted: Counter[str] = Counter()
    for measures in photographs.filter(verdict="retake").values_list("measures", flat=True):  # type: ignore[attr-defined]
        counted.update({m["name"].replace("_", " ") for m in measures if m["verdict"] == "retake"})
    counted.update(refusals.values_list("kind", flat=True))  # type: ignore[attr-defined]
    return counted.most_common()
