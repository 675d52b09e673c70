"""Who scores what: closed visits are dealt to clinicians, some again unannounced, and a third time where two differ too much."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from pasi_vision.portal.models import Assignment, Person, Visit
from pasi_vision.portal.plan import StudyPlan
from pasi_vision.portal.roles import Role
from pasi_vision.portal.trail import Subject, record

__all__ = ["ask_again", "deal", "deal_again", "deal_waiting"]

_chance = random.SystemRandom()
"""From the operating system: nobody can predict which visit comes again."""


def deal(visit: Visit, plan: StudyPlan) -> int:
    """Deal a closed visit to as many clinicians as the plan asks for; gives how many were added.

    Those with the fewest readings waiting come first, ties by lot. Where there are too few clinicians, `deal_waiting` completes it later.
    """
    if not any(photograph.is_good for photograph in visit.photographs.all()):
        return 0  # nothing to look at: the visit stays without a reading, and its gaps say why
    have = set(visit.assignments.filter(purpose=Assignment.Purpose.FIRST).values_list("clinician_id", flat=True))
    wanted = plan.readings.readers_per_visit - len(have)
    chosen = [person for person in _by_load(visit, plan) if person.pk not in have][: max(0, wanted)]
    for clinician in chosen:
        _give(visit, clinician, Assignment.Purpose.FIRST, reading=1)
    return len(chosen)


def deal_waiting(plan: StudyPlan) -> int:
    """Deal closed visits that have too few readers (a clinician came later); gives how many readings were added."""
    counted = Visit.objects.filter(state=Visit.State.CLOSED).annotate(
        readers=Count("assignments", filter=Q(assignments__purpose=Assignment.Purpose.FIRST))
    )
    added = 0
    for visit in counted.filter(readers__lt=plan.readings.readers_per_visit).select_related("subject"):
        with transaction.atomic():
            added += deal(visit, plan)
    return added


def ask_again(visit: Visit) -> int:
    """A visit that was reopened and closed with other photographs: whoever signed is asked again; gives how many.

    Their signed version stays; the next one needs a reason, and starts from an empty form, because other photographs are looked at.
    """
    shown = visit.shown_photographs()
    asked = 0
    for assignment in visit.assignments.filter(done=True):
        newest = assignment.versions.order_by("-version").first()
        if newest is None or newest.content.get("photographs") in (None, shown):
            continue
        visit.assignments.filter(pk=assignment.pk).update(done=False, draft={}, draft_saved_at=None)
        record(
            None,
            "reading asked again",
            Subject("reading", assignment.pk, visit.subject.site_id),
            reason="other photographs",
        )
        asked += 1
    return asked


def deal_again(assignment: Assignment, plan: StudyPlan) -> None:
    """After a first signature: by chance the same visit again for the same clinician; where readers differ too much, a third."""
    if assignment.purpose != Assignment.Purpose.FIRST:
        return
    if _chance.random() < plan.readings.repeat_share:
        later = timezone.now() + timedelta(days=plan.readings.repeat_after_days)
        _give(assignment.visit, assignment.clinician, Assignment.Purpose.REPEAT, reading=2, not_before=later)
    if plan.readings.adjudicate_above is not None:
        _adjudicate(assignment.visit, plan, plan.readings.adjudicate_above)


def _adjudicate(visit: Visit, plan: StudyPlan, limit: float) -> None:
    firsts = list(visit.assignments.filter(purpose=Assignment.Purpose.FIRST, done=True))
    if len(firsts) < 2 or visit.assignments.filter(purpose=Assignment.Purpose.ADJUDICATION).exists():
        return
    values = [value for value in (_signed_pasi(first) for first in firsts) if value is not None]
    # Compared in tenths: PASI of whole grades is a multiple of 0.1, and 5.0 must not be "more than 5.0" by floating point.
    if len(values) < 2 or round(10 * (max(values) - min(values))) <= round(10 * limit):
        return
    took_part = {first.clinician_id for first in firsts}
    third = next((person for person in _by_load(visit, plan) if person.pk not in took_part), None)
    if third is not None:
        _give(visit, third, Assignment.Purpose.ADJUDICATION, reading=1)


def _signed_pasi(assignment: Assignment) -> float | None:
    newest = assignment.versions.order_by("-version").first()
    value = newest.content["score"]["pasi"] if newest else None
    return None if value is None else float(value)


def _by_load(visit: Visit, plan: StudyPlan) -> list[Person]:
    people = Person.objects.filter(role=Role.CLINICIAN, is_active=True)
    if plan.readings.readers == "own_site":
        people = people.filter(sites=visit.subject.site_id)
    elif plan.readings.readers == "other_sites":
        people = people.exclude(sites=visit.subject.site_id)
    waiting = people.annotate(waiting=Count("assignments", filter=Q(assignments__done=False)))
    return sorted(waiting, key=lambda person: (person.waiting, _chance.random()))


def _give(visit: Visit, clinician: Person, purpose: Any, *, reading: int, not_before: Any = None) -> None:
    assignment, new = Assignment.objects.get_or_create(
        visit=visit,
        clinician=clinician,
        reading=reading,
        defaults={"purpose": purpose, "place": _chance.random(), "not_before": not_before or timezone.now()},
    )
    if new:
        after = {"clinician": clinician.username, "purpose": str(purpose), "reading": reading}
        record(None, "reading dealt", Subject("reading", assignment.pk, visit.subject.site_id), after=after)
