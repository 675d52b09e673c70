"""What a site enters beside photographs, one by one or as a table: DLQI answers and adverse events."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from pasi_vision.errors import InputError, TableError
from pasi_vision.portal.models import AdverseEvent, DlqiForm, Person, Subject, Visit
from pasi_vision.portal.trail import Subject as About
from pasi_vision.portal.trail import record
from pasi_vision.portal.visits import about
from pasi_vision.tables import DLQI, EVENTS, Table, read_table

__all__ = [
    "ANSWERS",
    "GRADES",
    "NOT_RELEVANT",
    "OUTCOMES",
    "RELATED",
    "Entered",
    "bring_dlqi",
    "bring_events",
    "enter_dlqi",
    "enter_event",
]

DLQI_ITEMS = 10
NOT_RELEVANT = "not_relevant"
ANSWERS = ("0", "1", "2", "3", NOT_RELEVANT)
"""As in the table DLQI; `not_relevant` only where the item allows it (3 to 10)."""
GRADES = ((1, "mild"), (2, "moderate"), (3, "severe"), (4, "life-threatening"), (5, "fatal"))
"""CTCAE's grades in a word each."""
RELATED = ("unrelated", "possibly", "related")
OUTCOMES = ("recovered", "recovering", "not recovered", "with sequelae", "fatal", "unknown")


@dataclass(frozen=True)
class Entered:
    """What a table brought."""

    new: int
    changed: int
    unchanged: int


def enter_dlqi(visit: Visit, answers: Iterable[str], by: Person, reason: str) -> str:
    """Keep the ten answers of a visit ("" where not answered); gives `new`, `changed` or `unchanged`.

    Raises:
        InputError: An answer is off its scale, or a correction has no reason.
    """
    items = [_answer(text, number) for number, text in enumerate(answers, 1)]
    if len(items) != DLQI_ITEMS:
        raise InputError(
            f"{len(items)} answers in place of ten", where="DLQI", fix="Leave empty what was not answered."
        )
    old = DlqiForm.objects.filter(visit=visit).first()
    if old and old.items == items:
        return "unchanged"
    reason = reason.strip()[:300]
    if old and not reason:
        raise InputError("a correction needs a reason", where=f"DLQI of {visit}", fix="Write one sentence.")
    with transaction.atomic():
        DlqiForm.objects.update_or_create(visit=visit, defaults={"items": items, "entered_by": by})
        action = "DLQI corrected" if old else "DLQI entered"
        record(
            by,
            action,
            about(visit),
            before={"items": old.items} if old else None,
            after={"items": items},
            reason=reason,
        )
    return "changed" if old else "new"


def enter_event(subject: Subject, values: dict[str, Any], by: Person) -> None:
    """Add an adverse event.

    Raises:
        InputError: A value is missing or not known.
    """
    term = str(values.get("term") or "").strip()[:200]
    if not term:
        raise InputError("the event has no name", where="event", fix="Name it in one or two words.")
    start_day = _day(values.get("start_day"))
    end_day = _day(values["end_day"]) if values.get("end_day") not in (None, "") else None
    if end_day is not None and end_day < start_day:
        raise InputError("it ends before it starts", where="event", fix="Correct the days.")
    kept = {
        "term": term,
        "start_day": start_day,
        "end_day": end_day,
        "grade": int(_word(str(values.get("grade")), [str(g) for g, _ in GRADES], "grade")),
        "serious": values.get("serious") in (True, "yes"),
        "related": _word(values.get("related"), RELATED, "relation"),
        "outcome": _word(values.get("outcome"), OUTCOMES, "outcome"),
    }
    with transaction.atomic():
        event = AdverseEvent.objects.create(subject=subject, entered_by=by, **kept)
        record(by, "adverse event entered", About("adverse event", event.pk, subject.site_id), after=kept)


def bring_dlqi(data: bytes, by: Person, reason: str) -> Entered:
    """Enter a dlqi.csv (subject_id, visit, day, item_1 ... item_10): all of it or, where anything is wrong, nothing.

    Raises:
        InputError: The table is wrong; file, row and column are named.
    """
    told = []
    with transaction.atomic():
        for row, values in _rows(data, DLQI):
            where = f"dlqi.csv row {row}"
            visit = _visit(values, by, where)
            items = (values[f"item_{n}"] for n in range(1, DLQI_ITEMS + 1))
            answers = ["" if item is None else str(item) for item in items]
            told.append(_placed(where, lambda v=visit, a=answers: enter_dlqi(v, a, by, reason)))
    return Entered(*(told.count(word) for word in ("new", "changed", "unchanged")))


def bring_events(data: bytes, by: Person) -> Entered:
    """Enter an events.csv (subject_id, term, start_day, end_day, grade, serious, related, outcome): all or nothing; known ones are left.

    Raises:
        InputError: The table is wrong; file, row and column are named.
    """
    new = unchanged = 0
    with transaction.atomic():
        for row, values in _rows(data, EVENTS):
            where = f"events.csv row {row}"
            subject = _subject(values, by, where)
            known = {"term": values["term"], "start_day": values["start_day"]}
            if subject.adverse_events.filter(**known).exists():
                unchanged += 1
                continue
            values = {**values, "outcome": values.get("outcome") or "unknown"}
            _placed(where, lambda s=subject, v=values: enter_event(s, v, by))
            new += 1
    return Entered(new, 0, unchanged)


def _subject(values: dict[str, Any], by: Person, where: str) -> Subject:
    subject: Subject | None = Subject.objects.visible_to(by).filter(code=values["subject_id"]).first()
    if subject is None:
        what = f"no subject {values['subject_id']!r} at your site"
        raise TableError(what, where=f"{where} column subject_id", fix="Correct the code, or enrol them first.")
    return subject


def _visit(values: dict[str, Any], by: Person, where: str) -> Visit:
    visit: Visit | None = _subject(values, by, where).visits.filter(name=values["visit"]).first()
    if visit is None:
        what = f"{values['subject_id']} has no visit {values['visit']!r}"
        raise TableError(what, where=f"{where} column visit", fix="Correct the name, or open it first.")
    if visit.day != values["day"]:
        what = f"that visit took place on day {visit.day}, not {values['day']}"
        raise TableError(what, where=f"{where} column day", fix="Correct the day.")
    return visit


def _placed(where: str, act: Any) -> Any:
    """Run `act`; what is wrong is told with its place in the table."""
    try:
        return act()
    except InputError as error:
        raise TableError(error.what, where=f"{where}, {error.where}", fix=error.fix) from error


def _rows(data: bytes, table: Table) -> Iterable[tuple[int, dict[str, Any]]]:
    """Rows of a CSV by their number in the file, read and checked by the one home of the tables; empty cells are None."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{table.name}.csv"
        path.write_bytes(data)
        try:
            frame = read_table(path, table)
        except InputError as error:
            where = error.where.replace(str(path), path.name)  # the place on this machine is nobody's business
            raise TableError(error.what, where=where, fix=error.fix) from error
    names = [str(name) for name in frame.columns]
    for number, values in enumerate(frame.itertuples(index=False, name=None), 2):
        yield number, {name: None if _is_empty(value) else value for name, value in zip(names, values, strict=True)}


def _is_empty(value: Any) -> bool:
    import pandas as pd

    return bool(pd.isna(value))


def _answer(text: str, number: int) -> int | str | None:
    if text == "":
        return None
    if text not in ANSWERS or (text == NOT_RELEVANT and number < 3):
        allowed = "0 to 3" if number < 3 else f"0 to 3, or {NOT_RELEVANT}"
        raise InputError(
            f"{text[:10]!r} is off the scale", where=f"DLQI item {number}", fix=f"Use {allowed}, or leave it empty."
        )
    return text if text == NOT_RELEVANT else int(text)


def _day(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{str(value)[:10]!r} is not a day", where="event", fix="Count days; day 1 is the baseline."
        ) from error


def _word(text: Any, words: Iterable[str], where: str) -> str:
    if text not in words:
        raise InputError(f"{str(text)[:20]!r} is not known", where=where, fix=f"Use one of {', '.join(words)}.")
    return str(text)
