"""The first page of each role, and the pages for what went wrong."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from pasi_vision.portal import schedule
from pasi_vision.portal.models import Query, Subject, Visit
from pasi_vision.portal.roles import Role
from pasi_vision.portal.study_now import current_plan

__all__ = ["bad_request", "broken", "forbidden", "not_found", "page"]


def page(request: HttpRequest) -> HttpResponse:
    """What is waiting for this person."""
    if request.user.role == Role.CLINICIAN:
        return redirect("readings")
    if request.user.role == Role.ADMINISTRATOR:
        return redirect("dashboard")
    plan, today = current_plan(), timezone.now().date()
    visits = Visit.objects.visible_to(request.user).select_related("subject").prefetch_related("photographs")
    subjects = Subject.objects.visible_to(request.user).prefetch_related("visits").order_by("code")
    due = [entry for subject in subjects for entry in schedule.course(subject, plan, today)]
    return render(
        request,
        "portal/home.html",
        {
            "title": "Home",
            "plan": plan,
            "open_visits": [schedule.progress(visit, plan) for visit in visits.filter(state=Visit.State.OPEN)],
            "overdue": [entry for entry in due if entry.state == "overdue"],
            "upcoming": [entry for entry in due if entry.state == "due"],
            "queries": Query.objects.visible_to(request.user)
            .exclude(state=Query.State.CLOSED)
            .select_related("visit__subject"),
        },
    )


def _told(request: HttpRequest, status: int, title: str, what: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"error": what}, status=status)
    context: dict[str, Any] = {"title": title, "what": what}
    return render(request, "portal/refused.html", context, status=status)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404, the same for what does not exist and for what is another site's."""
    return _told(request, 404, "Not found", "There is no such page, or it belongs to another site.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return _told(request, 403, "Not allowed", "This request is not allowed. Load the page again and repeat it.")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return _told(request, 400, "Not understood", "This request could not be understood.")


def broken(request: HttpRequest) -> HttpResponse:
    """500: nothing of the error reaches the browser; the log has it."""
    return HttpResponse(
        "<!doctype html><title>Error</title><p>Something went wrong on the server. What was saved stays saved. Try again.</p>",
        status=500,
    )
