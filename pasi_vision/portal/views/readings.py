"""Blinded scoring: the queue, the page with photographs and form, drafts and signatures."""

from __future__ import annotations

import json
import random
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from pasi_vision.anatomy import Region, Sign, View
from pasi_vision.errors import InputError
from pasi_vision.portal import signing, vault
from pasi_vision.portal.models import Assignment, Photograph, Visit
from pasi_vision.portal.study_now import current_plan
from pasi_vision.portal.trail import Subject
from pasi_vision.portal.views.photographs import jpeg

__all__ = ["draft", "image", "page", "sign_it", "waiting"]

GRADES = {
    Sign.ERYTHEMA: ("none", "faint pink", "light red", "red", "very dark red"),
    Sign.INDURATION: ("none", "edge just felt", "raised edge", "thick plaque", "very thick plaque"),
    Sign.SCALING: (
        "none",
        "fine scale, in places",
        "coarse scale on most",
        "thick scale on nearly all",
        "very thick, tenacious scale",
    ),
}
"""Our own short descriptions of the grades 0-4 of each sign."""


def _ready(request: HttpRequest) -> Any:
    """One's readings whose time has come and whose visit is closed; those of a reopened visit are held back."""
    mine = Assignment.objects.visible_to(request.user)
    return mine.filter(not_before__lte=timezone.now(), visit__state=Visit.State.CLOSED)


def _reading(request: HttpRequest, reading_id: UUID) -> Assignment:
    found = _ready(request)
    reading: Assignment = get_object_or_404(found.select_related("visit__subject", "clinician"), pk=reading_id)
    request.seen_thing = Subject("reading", reading.pk, reading.visit.subject.site_id)
    return reading


def _photographs(reading: Assignment) -> list[Photograph]:
    """The visit's usable photographs in an order of this reading's own, which tells nothing of how they arrived."""
    shown = [p for p in reading.visit.photographs.all() if p.is_good and p.is_cleared]
    random.Random(reading.pk.int).shuffle(shown)
    return sorted(shown, key=lambda photograph: photograph.view)


def waiting(request: HttpRequest) -> HttpResponse:
    """The queue, in its random order; names nothing but numbers."""
    mine = _ready(request)
    to_do = list(mine.filter(done=False))
    done = mine.filter(done=True).prefetch_related("versions")
    newest = sorted(
        (list(reading.versions.all())[-1] for reading in done), key=lambda version: version.signed_at, reverse=True
    )
    context = {"title": "To score", "to_do": to_do, "signed": newest[:20]}
    return render(request, "portal/readings.html", context)


def page(request: HttpRequest, reading_id: UUID) -> HttpResponse:
    """Photographs and form. Subject, visit, site and the model's view stay hidden."""
    reading = _reading(request, reading_id)
    shown = _photographs(reading)
    draft = reading.draft
    regions = [
        {
            "region": region,
            "area": draft.get(f"{region.value}.area_percent"),
            "signs": [
                {"sign": sign, "value": draft.get(f"{region.value}.{sign.value}"), "grades": GRADES[sign]}
                for sign in Sign
            ],
        }
        for region in Region
    ]
    context = {
        "title": "Score",
        "reading": reading,
        "pictures": [{"number": n, "view": View(p.view).label} for n, p in enumerate(shown, 1)],
        "regions": regions,
        "note": draft.get("note", ""),
        "versions": list(reading.versions.all()),
        "meaning": current_plan().readings.meaning,
    }
    return render(request, "portal/reading.html", context)


def image(request: HttpRequest, reading_id: UUID, number: int) -> HttpResponse:
    """One of the reading's photographs by its number in it."""
    shown = _photographs(_reading(request, reading_id))
    if not 1 <= number <= len(shown):
        raise Http404
    return jpeg(vault.get(shown[number - 1].file))


def draft(request: HttpRequest, reading_id: UUID) -> HttpResponse:
    """Keep what stands in the form; called by the page after every change."""
    reading = _reading(request, reading_id)
    understood = signing.save_draft(reading, {name: request.POST.get(name, "") for name in (*signing.FIELDS, "note")})
    return JsonResponse(
        {"saved": timezone.now().strftime("%H:%M:%S UTC"), "missing": signing.complete(dict(understood))}
    )


def sign_it(request: HttpRequest, reading_id: UUID) -> HttpResponse:
    """Seal the findings."""
    reading = _reading(request, reading_id)
    given = {name: request.POST.get(name, "") for name in (*signing.FIELDS, "note")}
    if any(given.values()):
        signing.save_draft(reading, given)
    try:
        signing.sign(reading, request.user, request.POST.get("password", ""), reason=request.POST.get("reason", ""))
    except InputError as error:
        if request.headers.get("accept", "").startswith("application/json"):
            return JsonResponse({"error": str(error)}, status=400)
        raise
    if request.headers.get("accept", "").startswith("application/json"):
        return HttpResponse(json.dumps({"next": "/readings/"}), content_type="application/json")
    return redirect("readings")
