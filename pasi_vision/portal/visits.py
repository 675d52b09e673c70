"""What happens to a visit: opened, its gaps, faces covered, photographs withdrawn or kept, closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from pasi_vision.anatomy import View
from pasi_vision.errors import InputError
from pasi_vision.portal import dealing
from pasi_vision.portal.model_jobs import score_when_ready, segment_later
from pasi_vision.portal.models import Gap, Person, Photograph, Segmentation, Subject, Upload, Visit
from pasi_vision.portal.plan import PlannedView, StudyPlan
from pasi_vision.portal.trail import Subject as About
from pasi_vision.portal.trail import record

__all__ = [
    "Tile",
    "about",
    "close_visit",
    "confirm_identity",
    "keep_anyway",
    "open_visit",
    "reopen_visit",
    "tiles",
    "withdraw",
]


_NONE: Mapping[UUID, Segmentation] = MappingProxyType({})


@dataclass(frozen=True)
class Tile:
    """One view of a visit as its page shows it."""

    view: View
    planned: PlannedView
    photographs: tuple[Photograph, ...]
    outlines: Mapping[UUID, Segmentation] = field(default_factory=dict)
    """What the model saw, by photograph, where the person may see it."""

    @property
    def pictures(self) -> list[tuple[Photograph, Segmentation | None]]:
        """The photographs, each with what the model saw on it."""
        return [(photograph, self.outlines.get(photograph.pk)) for photograph in self.photographs]

    @property
    def title(self) -> str:
        """The view's name in words."""
        return self.view.label

    @property
    def good(self) -> bool:
        """Whether a usable photograph is there."""
        return any(photograph.is_good for photograph in self.photographs)

    @property
    def missing(self) -> bool:
        """Required, and no usable photograph is there."""
        return self.planned.required and not self.good


def about(visit: Visit, thing: str = "visit", thing_id: object = "") -> About:
    """What an audit event says of a visit or of something in it."""
    return About(thing, thing_id or visit.pk, visit.subject.site_id)


def tiles(visit: Visit, plan: StudyPlan, outlines: Mapping[UUID, Segmentation] = _NONE) -> list[Tile]:
    """Every view of the plan with the visit's photographs of it that were not withdrawn, and the model's outlines if given."""
    shown = [photograph for photograph in visit.photographs.all() if not photograph.withdrawn_reason]
    return [
        Tile(view, plan.views[view], tuple(p for p in shown if p.view == view.value), outlines)
        for view in plan.ordered_views
    ]


def open_visit(subject: Subject, name: str, taken_on: date, by: Person, plan: StudyPlan) -> Visit:
    """Open a visit of the plan.

    Raises:
        InputError: Not in the plan, there already, in the future, or before the baseline.
    """
    if plan.visit(name) is None:
        raise InputError(f"visit {name!r} is not in the study's plan", where="visit", fix="Choose one of the list.")
    if taken_on > timezone.now().date():
        raise InputError(f"{taken_on} lies in the future", where="date", fix="Give the day of the photographs.")
    baseline = subject.visits.filter(name=plan.visits[0].name).first()
    if name == plan.visits[0].name:
        day = 1
    elif baseline is None:
        raise InputError("the baseline comes first", where="visit", fix=f"Open {plan.visits[0].name!r} first.")
    else:
        day = (taken_on - baseline.taken_on).days + 1
        if day < 1:
            raise InputError(f"{taken_on} lies before the baseline", where="date", fix="Correct the date.")
    try:
        with transaction.atomic():
            visit = Visit.objects.create(subject=subject, name=name, taken_on=taken_on, day=day, opened_by=by)
            record(by, "visit opened", about(visit), after={"subject": subject.code, "visit": name, "day": day})
    except IntegrityError as error:
        raise InputError(f"{subject.code} has the visit {name!r} already", where="visit", fix="Open it.") from error
    return visit


def withdraw(photograph: Photograph, reason: str, by: Person) -> None:
    """Take a photograph out of use, with a reason; nothing is deleted.

    Raises:
        InputError: No reason, or the visit is closed.
    """
    _must_be_open(photograph.visit)
    _set_reason(photograph, "withdrawn_reason", reason, "photograph withdrawn", by)


def keep_anyway(photograph: Photograph, reason: str, by: Person) -> None:
    """Use a photograph although the check asked to take it again, with a reason.

    Raises:
        InputError: No reason, or the visit is closed.
    """
    _must_be_open(photograph.visit)
    _set_reason(photograph, "kept_reason", reason, "photograph kept against advice", by)


def confirm_identity(photograph: Photograph, by: Person) -> None:
    """A person says that nobody can be recognized in the photograph."""
    with transaction.atomic():
        photograph.identity, photograph.identity_by = Photograph.Identity.CONFIRMED, by
        photograph.save(update_fields=["identity", "identity_by"])
        record(by, "identity confirmed hidden", about(photograph.visit, "photograph", photograph.pk))
    segment_later(photograph)


def close_visit(visit: Visit, reasons: dict[View, str], by: Person, plan: StudyPlan) -> None:
    """Close a visit: no photograph may come any more, and it is dealt out for scoring.

    Raises:
        InputError: A required view is missing and no reason is given, a photograph waits for its look at faces and tattoos, or one
            is still arriving.
    """
    _must_be_open(visit)
    missing = [tile.view for tile in tiles(visit, plan) if tile.missing]
    unexplained = [view for view in missing if not reasons.get(view, "").strip()]
    if unexplained:
        named = ", ".join(view.label for view in unexplained)
        raise InputError(f"missing without a reason: {named}", where=str(visit), fix="Photograph it or give a reason.")
    waiting = [p for p in visit.photographs.all() if p.is_good and not p.is_cleared]
    if waiting:
        raise InputError(
            f"{len(waiting)} photograph(s) wait for the look at faces and tattoos",
            where=str(visit),
            fix="Confirm or cover them first.",
        )
    if visit.uploads.filter(state=Upload.State.WHOLE).exists():
        raise InputError("a photograph is still being checked", where=str(visit), fix="Wait a moment.")
    with transaction.atomic():
        closed = Visit.objects.filter(pk=visit.pk, state=Visit.State.OPEN).update(
            state=Visit.State.CLOSED, closed_at=timezone.now(), closed_by=by
        )
        if not closed:
            raise InputError("somebody else closed it just now", where=str(visit), fix="Load the page again.")
        gaps = {view.value: reasons[view].strip()[:300] for view in missing}
        Gap.objects.bulk_create(Gap(visit=visit, view=v, reason=r, given_by=by) for v, r in gaps.items())
        record(by, "visit closed", about(visit), after={"gaps": gaps})
        visit.refresh_from_db()
        dealing.ask_again(visit)
        dealing.deal(visit, plan)
        score_when_ready(visit)


def reopen_visit(visit: Visit, reason: str, by: Person) -> None:
    """Open a closed visit again. Readings that wait are held back until it is closed; signed ones stay.

    Raises:
        InputError: It is open, or no reason is given.
    """
    reason = reason.strip()[:300]
    if not reason:
        raise InputError("a reason is needed", where=str(visit), fix="Write one sentence.")
    with transaction.atomic():
        opened = Visit.objects.filter(pk=visit.pk, state=Visit.State.CLOSED).update(
            state=Visit.State.OPEN, closed_at=None, closed_by=None
        )
        if not opened:
            raise InputError("the visit is open", where=str(visit), fix="Load the page again.")
        gaps = {gap.view: gap.reason for gap in visit.gaps.all()}
        visit.gaps.all().delete()  # asked again at closing; the trail keeps what was said
        record(by, "visit reopened", about(visit), before={"gaps": gaps}, reason=reason)
    visit.refresh_from_db()


def _must_be_open(visit: Visit) -> None:
    if not visit.is_open:
        raise InputError("the visit is closed", where=str(visit), fix="Ask your monitor.")


def _set_reason(photograph: Photograph, field: str, reason: str, action: str, by: Person) -> None:
    reason = reason.strip()[:300]
    if not reason:
        raise InputError("a reason is needed", where="reason", fix="Write one sentence.")
    before = getattr(photograph, field)
    with transaction.atomic():
        setattr(photograph, field, reason)
        photograph.save(update_fields=[field])
        event = about(photograph.visit, "photograph", photograph.pk)
        record(by, action, event, before={field: before}, after={field: reason}, reason=reason)
    segment_later(photograph)


def find_upload(identity: UUID) -> Upload | None:
    """An upload by its id, for the worker."""
    found: Upload | None = Upload.objects.select_related("visit__subject", "sent_by").filter(pk=identity).first()
    return found
