"""One visit: its views, the camera page, closing."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from pasi_vision.anatomy import View
from pasi_vision.errors import InputError
from pasi_vision.portal import visits
from pasi_vision.portal.folder import PortalFolder
from pasi_vision.portal.models import Subject, Visit
from pasi_vision.portal.roles import Permission
from pasi_vision.portal.schedule import progress
from pasi_vision.portal.scores import outlines_of, rows_of_visit
from pasi_vision.portal.study_now import current_plan

__all__ = ["camera", "close", "page", "reopen", "start", "view_tiles"]


def _visit(request: HttpRequest, visit_id: UUID) -> Visit:
    found = Visit.objects.visible_to(request.user).select_related("subject__site").prefetch_related("photographs")
    visit: Visit = get_object_or_404(found, pk=visit_id)
    request.seen_thing = visits.about(visit)
    return visit


def start(request: HttpRequest, subject_id: UUID) -> HttpResponse:
    """Open a visit of the plan."""
    subject = get_object_or_404(Subject.objects.visible_to(request.user), pk=subject_id)
    try:
        day = date.fromisoformat(request.POST.get("taken_on", ""))
    except ValueError as error:
        raise InputError("not a date", where="date", fix="Choose the day of the photographs.") from error
    visit = visits.open_visit(subject, request.POST.get("name", ""), day, request.user, current_plan())
    return redirect("visit", visit_id=visit.pk)


def page(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """A visit with its views, gaps, forms, queries and, for roles that may, scores."""
    visit = _visit(request, visit_id)
    plan = current_plan()
    may_see_scores = request.user.may(Permission.SEE_SCORES)
    outlines = outlines_of(visit.photographs.all()) if may_see_scores else {}
    return render(
        request,
        "portal/visit.html",
        {
            "title": f"{visit.subject.code}, {visit.name}",
            "visit": visit,
            "tiles": visits.tiles(visit, plan, outlines),
            "models": sorted({seen.model for seen in outlines.values()}),
            "progress": progress(visit, plan),
            "gaps": visit.gaps.all(),
            "dlqi": getattr(visit, "dlqi", None),
            "dlqi_items": range(1, 11),
            "queries": visit.queries.prefetch_related("answers__written_by"),
            "refusals": visit.refusals.order_by("-refused_at")[:20],
            "scores": rows_of_visit(visit) if may_see_scores else None,
            "can_send": visit.is_open and request.user.may(Permission.UPLOAD),
            "upload_max_mb": PortalFolder.current().settings().upload_max_mb,
        },
    )


def view_tiles(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """Only the views, for the page to renew after a photograph arrived."""
    visit = _visit(request, visit_id)
    plan = current_plan()
    outlines = outlines_of(visit.photographs.all()) if request.user.may(Permission.SEE_SCORES) else {}
    context = {
        "visit": visit,
        "tiles": visits.tiles(visit, plan, outlines),
        "progress": progress(visit, plan),
        "can_send": visit.is_open and request.user.may(Permission.UPLOAD),
    }
    return render(request, "portal/parts/views.html", context)


def camera(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """For the phone: one view after the other, with its outline and how to take it."""
    visit = _visit(request, visit_id)
    if not visit.is_open:
        return redirect("visit", visit_id=visit.pk)
    shown = visits.tiles(visit, current_plan())
    asked = request.GET.get("view", "")
    tile = next((t for t in shown if t.view.value == asked), None) or next((t for t in shown if t.missing), shown[0])
    place = shown.index(tile)
    context = {
        "title": f"Camera: {tile.title}",
        "visit": visit,
        "tile": tile,
        "tiles": shown,
        "number": place + 1,
        "previous": shown[place - 1] if place else None,
        "next": shown[place + 1] if place + 1 < len(shown) else None,
        "progress": progress(visit, current_plan()),
        "upload_max_mb": PortalFolder.current().settings().upload_max_mb,
    }
    return render(request, "portal/camera.html", context)


def reopen(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """A monitor opens a closed visit again, with a reason."""
    visit = _visit(request, visit_id)
    visits.reopen_visit(visit, request.POST.get("reason", ""), request.user)
    return redirect("visit", visit_id=visit.pk)


def close(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """Close the visit; missing views need a reason each."""
    visit = _visit(request, visit_id)
    reasons = {view: request.POST.get(f"reason-{view.value}", "") for view in View}
    visits.close_visit(visit, reasons, request.user, current_plan())
    return redirect("visit", visit_id=visit.pk)
