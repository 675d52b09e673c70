"""Pages for what a site enters beside photographs: DLQI answers and adverse events, by form or as a CSV."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from pasi_vision.errors import InputError
from pasi_vision.portal import forms
from pasi_vision.portal.models import Subject, Visit

__all__ = ["adverse_event", "dlqi", "tables"]


def dlqi(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """Enter or correct the ten answers of a visit."""
    visit = get_object_or_404(Visit.objects.visible_to(request.user).select_related("subject"), pk=visit_id)
    answers = [request.POST.get(f"item-{n}", "") for n in range(1, forms.DLQI_ITEMS + 1)]
    forms.enter_dlqi(visit, answers, request.user, request.POST.get("reason", ""))
    return redirect("visit", visit_id=visit.pk)


def adverse_event(request: HttpRequest, subject_id: UUID) -> HttpResponse:
    """Add an adverse event."""
    subject = get_object_or_404(Subject.objects.visible_to(request.user), pk=subject_id)
    forms.enter_event(subject, request.POST.dict(), request.user)
    return redirect("subject", subject_id=subject.pk)


def tables(request: HttpRequest) -> HttpResponse:
    """GET: how the two tables look. POST: enter one of them, all of it or nothing."""
    if request.method != "POST":
        context = {
            "title": "DLQI and events by CSV",
            "grades": forms.GRADES,
            "related": forms.RELATED,
            "outcomes": forms.OUTCOMES,
        }
        return render(request, "portal/tables.html", context)
    given = request.FILES.get("dlqi") or request.FILES.get("events")
    if given is None:
        raise InputError("no file arrived", where="table", fix="Choose a CSV file of at most 2.5 MB.")
    if "dlqi" in request.FILES:
        entered = forms.bring_dlqi(given.read(), request.user, request.POST.get("reason", ""))
    else:
        entered = forms.bring_events(given.read(), request.user)
    messages.success(
        request, f"{entered.new} entered, {entered.changed} corrected, {entered.unchanged} were here already."
    )
    return redirect("tables")
