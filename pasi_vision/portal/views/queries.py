"""Queries from a monitor to a site, with answers."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from pasi_vision.errors import InputError
from pasi_vision.portal.models import Answer, Query, Visit
from pasi_vision.portal.trail import record
from pasi_vision.portal.visits import about

__all__ = ["answer", "ask", "close", "index"]


def index(request: HttpRequest) -> HttpResponse:
    """All queries of one's sites: open ones first."""
    found = (
        Query.objects.visible_to(request.user)
        .select_related("visit__subject", "asked_by")
        .prefetch_related("answers__written_by")
    )
    order = {Query.State.OPEN: 0, Query.State.ANSWERED: 1, Query.State.CLOSED: 2}
    queries = sorted(found, key=lambda query: order[query.state])
    return render(request, "portal/queries.html", {"title": "Queries", "queries": queries})


def ask(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """Ask the site about a visit."""
    visit = get_object_or_404(Visit.objects.visible_to(request.user).select_related("subject"), pk=visit_id)
    with transaction.atomic():
        query = Query.objects.create(visit=visit, text=_text(request), asked_by=request.user)
        record(request.user, "query asked", about(visit, "query", query.pk), after={"text": query.text})
    return redirect("visit", visit_id=visit.pk)


def answer(request: HttpRequest, query_id: UUID) -> HttpResponse:
    """Answer as the site."""
    query = _query(request, query_id)
    if query.state == Query.State.CLOSED:
        raise InputError("the query is closed", where="query", fix="Wait for a new one.")
    with transaction.atomic():
        said = Answer.objects.create(query=query, text=_text(request), written_by=request.user)
        _set_state(query, Query.State.ANSWERED)
        record(request.user, "query answered", about(query.visit, "query", query.pk), after={"text": said.text})
    return redirect("queries")


def close(request: HttpRequest, query_id: UUID) -> HttpResponse:
    """Close it, or with a text ask on."""
    query = _query(request, query_id)
    more = request.POST.get("text", "").strip()
    with transaction.atomic():
        if more:
            Answer.objects.create(query=query, text=_text(request), written_by=request.user)
        _set_state(query, Query.State.OPEN if more else Query.State.CLOSED)
        action = "query asked on" if more else "query closed"
        record(request.user, action, about(query.visit, "query", query.pk), after={"text": more} if more else None)
    return redirect("queries")


def _query(request: HttpRequest, query_id: UUID) -> Query:
    found = Query.objects.visible_to(request.user).select_related("visit__subject")
    query: Query = get_object_or_404(found, pk=query_id)
    return query


def _set_state(query: Query, state: str) -> None:
    query.state = state
    query.save(update_fields=["state"])


def _text(request: HttpRequest) -> str:
    text: str = request.POST.get("text", "").strip()
    if not text:
        raise InputError("there is no text", where="query", fix="Write a sentence.")
    return text[:2000]
