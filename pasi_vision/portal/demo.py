"""`portal demo`: a filled study to click through, made by the same functions that the pages call."""

from __future__ import annotations

import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pasi_vision.anatomy import Region, Sign, View

__all__ = ["PASSWORD", "fill"]

PASSWORD = "demo-only-password"
_PEOPLE = (
    ("nurse", "Nora Nurse", "uploader"),
    ("doctor", "Dr Dana Derm", "clinician"),
    ("doctor2", "Dr Emil Derm", "clinician"),
    ("monitor", "Max Monitor", "monitor"),
    ("analyst", "Ana Analyst", "analyst"),
)


def fill(root: Path) -> str:
    """Make a portal in `root` with people, subjects, visits, photographs, readings and a query; gives everybody's password.

    The photographs are the package's sample where it is installed, else drawn shapes.

    Raises:
        InputError: There is a portal in `root` already.
    """
    from pasi_vision.portal.plan import plan_text
    from pasi_vision.portal.setup import initialize

    text = plan_text("Demo study", (("S01", "Demo hospital"), ("S02", "Second hospital")))
    folder, _ = initialize(root, text, "admin")
    people = _people()
    nurse = people["nurse"]
    today = date.today()
    first = _subject("S01-001", nurse, "II")
    baseline = _visit(first, "baseline", today - timedelta(days=29), nurse)
    sent = _photographs(baseline, nurse, folder, skip=View.LOWER_LIMBS_BACK)
    _close(baseline, {View.LOWER_LIMBS_BACK: "Wound dressing on both calves."}, nurse)
    _score(baseline, people)
    second_visit = _visit(first, "week 4", today - timedelta(days=1), nurse)
    _photographs(second_visit, nurse, folder, most=4, number=sent)
    other = _subject("S01-002", nurse, "V")
    _visit(other, "baseline", today - timedelta(days=45), nurse)
    _query(second_visit, people["monitor"])
    return PASSWORD


def _people() -> dict[str, Any]:
    from django.contrib.auth.hashers import make_password

    from pasi_vision.portal.accounts import add_person
    from pasi_vision.portal.models import Person
    from pasi_vision.portal.roles import Role

    for username, name, role in _PEOPLE:
        add_person(None, username, name, Role(role), ("S01",))
    Person.objects.update(password=make_password(PASSWORD), must_change_password=False)
    return {person.username: person for person in Person.objects.all()}


def _subject(code: str, nurse: Any, tone: str) -> Any:
    from pasi_vision.portal.models import Subject
    from pasi_vision.portal.trail import Subject as About
    from pasi_vision.portal.trail import record

    subject = Subject.objects.create(code=code, site_id="S01", skin_tone=tone, enrolled_by=nurse)
    record(nurse, "subject enrolled", About("subject", subject.pk, "S01"), after={"code": code})
    return subject


def _visit(subject: Any, name: str, day: date, nurse: Any) -> Any:
    from pasi_vision.portal.study_now import current_plan
    from pasi_vision.portal.visits import open_visit

    return open_visit(subject, name, day, nurse, current_plan())


def _photographs(
    visit: Any, nurse: Any, folder: Any, *, skip: View | None = None, most: int = 99, number: int = 0
) -> int:
    """Send a photograph per required view through the same door as a browser's; gives the next number."""
    from pasi_vision.portal import queue
    from pasi_vision.portal.models import Job, Photograph, Upload
    from pasi_vision.portal.receive import receive, staged_file
    from pasi_vision.portal.study_now import current_plan
    from pasi_vision.portal.visits import confirm_identity, keep_anyway

    for view in [view for view in current_plan().required_views if view != skip][:most]:
        number += 1
        data = _sample(visit.name, view) or _drawn(view, number)
        upload = Upload.objects.create(visit=visit, view=view, length=len(data), state="whole", sent_by=nurse)
        staged_file(upload).write_bytes(data)
        queue.add(Job.Kind.RECEIVE, upload.pk)
        job = queue.claim_for("demo", Job.Kind.RECEIVE, upload.pk)
        photograph = receive(upload, job).photograph if job else None
        if photograph is None or visit.name != "baseline":
            continue
        if photograph.verdict == "retake":
            keep_anyway(photograph, "Demo picture.", nurse)
        confirm_identity(Photograph.objects.get(pk=photograph.pk), nurse)
    return number


def _close(visit: Any, reasons: dict[View, str], nurse: Any) -> None:
    from pasi_vision.portal.models import Visit
    from pasi_vision.portal.study_now import current_plan
    from pasi_vision.portal.visits import close_visit

    close_visit(Visit.objects.get(pk=visit.pk), reasons, nurse, current_plan())


def _score(visit: Any, people: dict[str, Any]) -> None:
    """The first clinician signs; the second one's reading stays in the queue to try."""
    from pasi_vision.portal import signing

    assignment = visit.assignments.filter(clinician=people["doctor"]).first()
    if assignment is None:
        return
    grades = {Region.HEAD_NECK: (5, 1), Region.UPPER_LIMBS: (15, 2), Region.TRUNK: (25, 2), Region.LOWER_LIMBS: (20, 3)}
    given = {f"{region.value}.area_percent": str(area) for region, (area, _) in grades.items()}
    given |= {f"{region.value}.{sign.value}": str(grade) for region, (_, grade) in grades.items() for sign in Sign}
    signing.save_draft(assignment, given)
    signing.sign(assignment, people["doctor"], PASSWORD)


def _query(visit: Any, monitor: Any) -> None:
    from pasi_vision.portal.models import Query
    from pasi_vision.portal.trail import record
    from pasi_vision.portal.visits import about

    query = Query.objects.create(visit=visit, text="Were the photographs taken before the injection?", asked_by=monitor)
    record(monitor, "query asked", about(visit, "query", query.pk), after={"text": query.text})


def _sample(visit: str, view: View) -> bytes | None:
    """A photograph of the package's sample for this visit and view."""
    from pasi_vision.errors import InputError
    from pasi_vision.storage import resource
    from pasi_vision.tables import PHOTOS, read_table

    try:
        table = resource("sample", "photos.csv")
    except InputError:
        return None
    rows = read_table(table, PHOTOS)
    subject = rows["subject_id"].iloc[0]
    names = list(dict.fromkeys(rows.loc[rows["subject_id"] == subject, "visit"]))
    wanted = names[0 if visit == "baseline" else min(1, len(names) - 1)]
    found = rows[(rows["subject_id"] == subject) & (rows["visit"] == wanted) & (rows["view"] == view.value)]
    return (table.parent / found["path"].iloc[0]).read_bytes() if len(found) else None


def _drawn(view: View, number: int) -> bytes:
    """A drawn picture: skin-coloured ground with noise and reddish patches. It shows nobody."""
    from PIL import Image, ImageDraw

    rng = np.random.default_rng(number)
    ground = np.full((1200, 900, 3), (205, 165, 145), np.float64) + rng.normal(0, 12, (1200, 900, 3))
    image = Image.fromarray(ground.clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for _ in range(6):
        x, y, r = (float(rng.integers(low, high)) for low, high in ((100, 800), (100, 1100), (30, 110)))
        pen.ellipse((x - r, y - r, x + r, y + r), fill=(178, 84, 78), outline=(225, 205, 195))
    stream = io.BytesIO()
    image.save(stream, format="JPEG", quality=90)
    return stream.getvalue()
