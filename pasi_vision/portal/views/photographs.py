"""One photograph: shown large, covered, confirmed, withdrawn, kept."""

from __future__ import annotations

import json
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from pasi_vision.anatomy import View
from pasi_vision.errors import InputError
from pasi_vision.portal import covering, vault, visits
from pasi_vision.portal.models import Photograph
from pasi_vision.portal.roles import Permission
from pasi_vision.portal.scores import outlines_of

__all__ = ["confirm", "cover_page", "image", "jpeg", "keep", "page", "take_out"]


def _photograph(request: HttpRequest, photograph_id: UUID) -> Photograph:
    found = Photograph.objects.visible_to(request.user).select_related("visit__subject", "identity_by", "sent_by")
    photograph: Photograph = get_object_or_404(found, pk=photograph_id)
    request.seen_thing = visits.about(photograph.visit, "photograph", photograph.pk)
    return photograph


def jpeg(data: bytes) -> HttpResponse:
    """A picture as the browser may show it, and nothing else."""
    return HttpResponse(
        data, content_type="image/jpeg", headers={"Content-Disposition": "inline", "Cache-Control": "private, no-store"}
    )


def image(request: HttpRequest, photograph_id: UUID, size: str) -> HttpResponse:
    """The picture without metadata: `full` or `small`. The sealed original is served to nobody."""
    photograph = _photograph(request, photograph_id)
    names = {"full": photograph.file, "small": photograph.thumbnail}
    if size not in names:
        raise Http404
    return jpeg(vault.get(names[size]))


def page(request: HttpRequest, photograph_id: UUID) -> HttpResponse:
    """A photograph with its check and, for roles that may, the model's outlines."""
    photograph = _photograph(request, photograph_id)
    outlines = outlines_of([photograph]) if request.user.may(Permission.SEE_SCORES) else {}
    context = {
        "title": f"{View(photograph.view).label}, {photograph.visit}",
        "photograph": photograph,
        "outline": outlines.get(photograph.pk),
        "can_change": photograph.visit.is_open and request.user.may(Permission.UPLOAD),
    }
    return render(request, "portal/photograph.html", context)


def cover_page(request: HttpRequest, photograph_id: UUID) -> HttpResponse:
    """Draw over faces and tattoos; sent as shares of the picture's width and height."""
    photograph = _photograph(request, photograph_id)
    if not photograph.visit.is_open:
        raise InputError("the visit is closed", where=str(photograph.visit), fix="Ask your monitor.")
    if request.method != "POST":
        return render(request, "portal/cover.html", {"title": "Cover faces and tattoos", "photograph": photograph})
    try:
        values = json.loads(request.POST.get("boxes", ""))
    except ValueError as error:
        raise InputError("the covered places could not be read", where="boxes", fix="Draw them again.") from error
    covering.cover(photograph, covering.boxes_of(values), request.user)
    return redirect("visit", visit_id=photograph.visit_id)


def confirm(request: HttpRequest, photograph_id: UUID) -> HttpResponse:
    """A person says that nobody can be recognized."""
    photograph = _photograph(request, photograph_id)
    visits.confirm_identity(photograph, request.user)
    return redirect("visit", visit_id=photograph.visit_id)


def take_out(request: HttpRequest, photograph_id: UUID) -> HttpResponse:
    """Withdraw with a reason."""
    photograph = _photograph(request, photograph_id)
    visits.withdraw(photograph, request.POST.get("reason", ""), request.user)
    return redirect("visit", visit_id=photograph.visit_id)


def keep(request: HttpRequest, photograph_id: UUID) -> HttpResponse:
    """Use it although the check asked to take it again, with a reason."""
    photograph = _photograph(request, photograph_id)
    visits.keep_anyway(photograph, request.POST.get("reason", ""), request.user)
    return redirect("visit", visit_id=photograph.visit_id)
