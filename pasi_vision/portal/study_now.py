"""The plan in force, and loading the next version of it."""

from __future__ import annotations

from functools import lru_cache

from django.db import transaction
from django.db.models import Max

from pasi_vision.errors import InputError
from pasi_vision.portal.models import Person, Site, StudyVersion, Subject, Visit
from pasi_vision.portal.plan import StudyPlan, parse_plan
from pasi_vision.portal.trail import Subject as About
from pasi_vision.portal.trail import record
from pasi_vision.storage import sha256_of

__all__ = ["current_plan", "load_plan"]


def current_plan() -> StudyPlan:
    """The plan of the highest version.

    Raises:
        InputError: None was loaded.
    """
    version = StudyVersion.objects.order_by("-number").values_list("number", "sha256").first()
    if version is None:
        raise InputError("no study's plan is loaded", fix="Run `pasi-vision portal study DIR FILE`.")
    return _parsed(*version)


@lru_cache(maxsize=4)
def _parsed(number: int, sha256: str) -> StudyPlan:
    return parse_plan(StudyVersion.objects.get(number=number).text, where=f"study plan version {number}")


def load_plan(text: str, by: Person | None, *, where: str = "study.yaml") -> int:
    """Load a plan as the next version; gives its number, or the present one where nothing changed.

    Raises:
        SettingsError: The plan is wrong.
        InputError: It drops a site, visit or view that has data already.
    """
    plan = parse_plan(text, where=where)
    _keep_what_has_data(plan, where)
    sha256 = sha256_of(text.encode())
    with transaction.atomic():
        last = StudyVersion.objects.order_by("-number").first()
        if last and last.sha256 == sha256:
            return int(last.number)
        number = (StudyVersion.objects.aggregate(n=Max("number"))["n"] or 0) + 1
        StudyVersion.objects.create(number=number, text=text, sha256=sha256, loaded_by=by)
        for site in plan.sites:
            Site.objects.update_or_create(code=site.code, defaults={"name": site.name})
        before = {"version": last.number, "sha256": last.sha256} if last else None
        record(by, "plan loaded", About("study", number), before=before, after={"version": number, "sha256": sha256})
    return int(number)


def _keep_what_has_data(plan: StudyPlan, where: str) -> None:
    sites = {site.code for site in plan.sites}
    visits = {visit.name for visit in plan.visits}
    lost = set(Subject.objects.values_list("site_id", flat=True)) - sites
    if lost:
        raise InputError(f"site {sorted(lost)[0]!r} has subjects", where=where, fix="Keep it in the plan.")
    lost = set(Visit.objects.values_list("name", flat=True)) - visits
    if lost:
        raise InputError(f"visit {sorted(lost)[0]!r} took place", where=where, fix="Keep it in the plan.")
