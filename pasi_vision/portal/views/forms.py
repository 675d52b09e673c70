"""What a site enters beside photographs: DLQI item numbers and adverse events."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from pasi_vision.errors import InputError
from pasi_vision.portal.models import AdverseEvent, DlqiForm, Subject, Visit
from pasi_vision.portal.trail import Subject as About
from pasi_vision.portal.trail import record
from pasi_vision.portal.visits import about

__all__ = ["OUTCOMES", "RELATED", "SEVERITIES", "adverse_event", "dlqi"]

DLQI_ITEMS = 10
SEVERITIES = ("mild", "moderate", "severe")
RELATED = ("unrelated", "possible", "probable", "definite")
OUTCOMES = ("recovered", "recovering", "not recovered", "with sequelae", "fatal", "unknown")


def dlqi(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """Enter or correct the ten item numbers of a visit (0-3, empty where not answered)."""
    visit = get_object_or_404(Visit.objects.visible_to(request.user).select_related("subject"), pk=visit_id)
    items = [_item(request.POST.get(f"item-{n}", ""), n) for n in range(1, DLQI_ITEMS + 1)]
    old = DlqiForm.objects.visible_to(request.user).filter(visit=visit).first()
    reason = request.POST.get("reason", "").strip()[:300]
    if old and old.items != items and not reason:
        raise InputError("a correction needs a reason", where="DLQI", fix="Write one sentence.")
    with transaction.atomic():
        DlqiForm.objects.update_or_create(visit=visit, defaults={"items": items, "entered_by": request.user})
        before = {"items": old.items} if old else None
        record(
            request.user,
            "DLQI entered" if old is None else "DLQI corrected",
            about(visit),
            before=before,
            after={"items": items},
            reason=reason,
        )
    return redirect("visit", visit_id=visit.pk)


def adverse_event(request: HttpRequest, subject_id: UUID) -> HttpResponse:
    """Add an adverse event."""
    subject = get_object_or_404(Subject.objects.visible_to(request.user), pk=subject_id)
    post = request.POST
    term = post.get("term", "").strip()[:200]
    if not term:
        raise InputError("the event has no name", where="event", fix="Name it in one or two words.")
    end = post.get("end_day", "").strip()
    values = {
        "term": term,
        "start_day": _day(post.get("start_day", "")),
        "end_day": _day(end) if end else None,
        "severity": _word(post.get("severity", ""), SEVERITIES, "severity"),
        "serious": post.get("serious") == "yes",
        "related": _word(post.get("related", ""), RELATED, "relation"),
        "outcome": _word(post.get("outcome", ""), OUTCOMES, "outcome"),
    }
    if values["end_day"] is not None and values["end_day"] < values["start_day"]:
        raise InputError("it ends before it starts", where="event", fix="Correct the days.")
    with transaction.atomic():
        event = AdverseEvent.objects.create(subject=subject, entered_by=request.user, **values)
        record(request.user, "adverse event entered", About("adverse event", event.pk, subject.site_id), after=values)
    return redirect("subject", subject_id=subject.pk)


def _item(text: str, number: int) -> int | None:
    if text == "":
        return None
    if text not in ("0", "1", "2", "3"):
        raise InputError(
            f"{text[:10]!r} is off the scale", where=f"DLQI item {number}", fix="Use 0 to 3, or leave it empty."
        )
    return int(text)


def _day(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise InputError(
            f"{text[:10]!r} is not a day", where="event", fix="Count days; day 1 is the baseline."
        ) from error


def _word(text: str, words: tuple[str, ...], where: str) -> str:
    if text not in words:
        raise InputError(f"{text[:20]!r} is not known", where=where, fix=f"Use one of {', '.join(words)}.")
    return text
