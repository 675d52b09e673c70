"""The plan's visits of a subject: done, open, due, overdue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pasi_vision.portal.models import Subject, Visit
from pasi_vision.portal.plan import PlannedVisit, StudyPlan
from pasi_vision.portal.visits import tiles

__all__ = ["Entry", "Progress", "course", "progress"]


@dataclass(frozen=True)
class Entry:
    """One planned visit of one subject; dates are None as long as there is no baseline."""

    subject: Subject
    planned: PlannedVisit
    visit: Visit | None
    earliest: date | None
    latest: date | None
    state: str
    """`closed`, `open`, `overdue`, `due` (its window is open), `ahead`, or `baseline` (to be opened first)."""

    @property
    def outside_window(self) -> bool:
        """Whether it took place on another day than its window allows."""
        if self.visit is None or self.earliest is None or self.latest is None:
            return False
        return not self.earliest <= self.visit.taken_on <= self.latest


@dataclass(frozen=True)
class Progress:
    """How far an open visit is."""

    visit: Visit
    done: int
    required: int
    to_clear: int


def course(subject: Subject, plan: StudyPlan, today: date) -> list[Entry]:
    """Every planned visit of a subject, in the plan's order."""
    took_place = {visit.name: visit for visit in subject.visits.all()}
    baseline = took_place.get(plan.visits[0].name)
    entries = []
    for planned in plan.visits:
        visit = took_place.get(planned.name)
        earliest = latest = None
        if baseline is not None:
            day = baseline.taken_on + timedelta(days=planned.day - 1)
            earliest, latest = day - timedelta(days=planned.window_before), day + timedelta(days=planned.window_after)
        entries.append(Entry(subject, planned, visit, earliest, latest, _state(visit, earliest, latest, today)))
    return entries


def progress(visit: Visit, plan: StudyPlan) -> Progress:
    """Required views that have a usable photograph, and photographs that wait for the look at faces and tattoos."""
    shown = tiles(visit, plan)
    required = [tile for tile in shown if tile.planned.required]
    to_clear = sum(1 for tile in shown for p in tile.photographs if p.is_good and not p.is_cleared)
    return Progress(visit, sum(tile.good for tile in required), len(required), to_clear)


def _state(visit: Visit | None, earliest: date | None, latest: date | None, today: date) -> str:
    if visit is not None:
        return str(visit.state)
    if earliest is None or latest is None:
        return "baseline"
    if today > latest:
        return "overdue"
    return "due" if today >= earliest else "ahead"
