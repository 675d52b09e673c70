"""A visit's way: opened in order, gaps with reasons, faces covered, closed and dealt out."""

from __future__ import annotations

import io
import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from pasi_vision.errors import InputError
from pasi_vision.portal import schedule, visits
from pasi_vision.portal.models import Assignment, Gap, Photograph, Visit
from pasi_vision.portal.study_now import current_plan, load_plan


def make_photograph(study: Any, view: str, number: int, **changed: Any) -> Photograph:
    values = {
        "visit": study.visit,
        "view": view,
        "sha256": f"{number:064x}",
        "file": "photographs/x.jpg",
        "file_sha256": f"{number:064x}",
        "thumbnail": "thumbnails/x.jpg",
        "width": 4,
        "height": 3,
        "verdict": "accept",
        "sent_by": study.people["uploader"],
        "identity": "confirmed",
    }
    return Photograph.objects.create(**{**values, **changed})


def test_the_day_counts_from_the_baseline_which_is_day_one(study: Any) -> None:
    nurse, plan = study.people["uploader"], current_plan()
    assert study.visit.day == 1
    week4 = visits.open_visit(study.subject, "week 4", date(2026, 2, 2), nurse, plan)
    assert week4.day == 29, "28 days after the baseline of 5 January"
    for name, day, words in (
        ("week 4", date(2026, 2, 3), "already"),
        ("week 9", date(2026, 2, 3), "not in the study"),
        ("week 8", date(2025, 12, 1), "before the baseline"),
        ("week 8", date.today() + timedelta(days=30), "future"),
    ):
        with pytest.raises(InputError, match=words):
            visits.open_visit(study.subject, name, day, nurse, plan)


def test_windows_and_overdue_visits(study: Any) -> None:
    plan = current_plan()
    states = {e.planned.name: e.state for e in schedule.course(study.subject, plan, date(2026, 2, 6))}
    assert states == {"baseline": "open", "week 4": "overdue", "week 8": "ahead", "week 12": "ahead"}
    # week 4: day 29 = 2 February, window 3 days each side: the 5th is its last day.
    states = {e.planned.name: e.state for e in schedule.course(study.subject, plan, date(2026, 2, 5))}
    assert states["week 4"] == "due"


def test_a_visit_with_gaps_closes_only_with_a_reason_for_each(study: Any, signed_in: Any) -> None:
    required = current_plan().required_views
    assert len(required) == 8
    for number, view in enumerate(required[:-2], 1):
        make_photograph(study, view.value, number)
    client, address = signed_in("uploader"), f"/visits/{study.visit.pk}/close/"
    answer = client.post(address)
    assert answer.status_code == 400
    assert b"Missing without a reason" in answer.content
    assert client.post(address, {f"reason-{required[-1].value}": "bandage"}).status_code == 400, "only one of two"
    reasons = {f"reason-{view.value}": "bandage" for view in required[-2:]}
    assert client.post(address, reasons).status_code == 302
    study.visit.refresh_from_db()
    assert study.visit.state == Visit.State.CLOSED
    assert {gap.view: gap.reason for gap in Gap.objects.all()} == {view.value: "bandage" for view in required[-2:]}
    assert Assignment.objects.filter(visit=study.visit).count() == 2, "two readers per visit in this plan"
    assert client.post(address, reasons).status_code == 400, "closed is closed"


def test_a_retake_is_a_gap_until_it_is_kept_with_a_reason(study: Any, signed_in: Any) -> None:
    photograph = make_photograph(study, "trunk_front", 1, verdict="retake")
    tile = next(t for t in visits.tiles(study.visit, current_plan()) if t.view == "trunk_front")
    assert tile.missing
    client = signed_in("uploader")
    assert client.post(f"/photographs/{photograph.pk}/keep/", {"reason": " "}).status_code == 400
    assert client.post(f"/photographs/{photograph.pk}/keep/", {"reason": "patient cannot stand"}).status_code == 302
    study.visit = Visit.objects.get(pk=study.visit.pk)
    assert not next(t for t in visits.tiles(study.visit, current_plan()) if t.view == "trunk_front").missing


def test_an_unlooked_at_photograph_keeps_the_visit_open(study: Any) -> None:
    for number, view in enumerate(current_plan().required_views, 1):
        make_photograph(study, view.value, number, identity="waiting" if number == 1 else "confirmed")
    with pytest.raises(InputError, match="faces and tattoos"):
        visits.close_visit(study.visit, {}, study.people["uploader"], current_plan())


def test_covering_fills_the_place_and_removes_the_uncovered_picture(
    study: Any, signed_in: Any, send: Any, jpeg: Any
) -> None:
    from PIL import Image

    from pasi_vision.portal import vault

    told = send(signed_in("uploader"), jpeg(20))
    photograph = Photograph.objects.get(pk=told["photograph"])
    before, old_name = vault.get(photograph.file), photograph.file
    boxes = json.dumps([[0.25, 0.25, 0.5, 0.5]])
    assert signed_in("uploader").post(f"/photographs/{photograph.pk}/cover/", {"boxes": boxes}).status_code == 302
    photograph.refresh_from_db()
    assert photograph.identity == "covered"
    assert not vault.has(old_name)
    old, new = (np.asarray(Image.open(io.BytesIO(data)), float) for data in (before, vault.get(photograph.file)))
    inside = new[130:230, 170:310]
    assert inside.std(axis=(0, 1)).max() < 2, "one flat colour"
    assert old[130:230, 170:310].std() > 10, "there was something before"
    assert np.abs(new[300:, :] - old[300:, :]).mean() < 3, "the rest is as it was"


@pytest.mark.parametrize(
    "boxes", ["", "[]", "[[0,0,2,1]]", "[[0.5,0.5,0.4,0.6]]", '[["a",0,1,1]]', "[[0,0,1]]", "{}", "[[0,0,1,1]]" * 30]
)
def test_covered_places_that_make_no_sense_are_refused(boxes: str, study: Any, signed_in: Any) -> None:
    photograph = make_photograph(study, "palms", 1)
    assert signed_in("uploader").post(f"/photographs/{photograph.pk}/cover/", {"boxes": boxes}).status_code == 400


@pytest.mark.parametrize("code", ["", "John Smith", "S01-1", "<script>", "../x", "S01-0011111"])
def test_a_subject_is_a_pseudonym_of_the_plan(code: str, signed_in: Any) -> None:
    answer = signed_in("uploader").post("/subjects/enrol/", {"code": code, "site": "S01"})
    assert answer.status_code == 400
    assert b"<script>" not in answer.content


def test_a_person_enrols_at_their_own_site_only(signed_in: Any) -> None:
    assert signed_in("uploader").post("/subjects/enrol/", {"code": "S02-002", "site": "S02"}).status_code == 404
    assert signed_in("uploader").post("/subjects/enrol/", {"code": "S01-002", "site": "S01"}).status_code == 302


def test_a_plan_is_a_numbered_version_and_keeps_what_has_data(study: Any) -> None:
    from pasi_vision.portal.models import StudyVersion

    text = StudyVersion.objects.get(number=1).text
    assert load_plan(text, None) == 1, "the same text is no new version"
    assert load_plan(text.replace("repeat_share: 0.1", "repeat_share: 0.5"), None) == 2
    assert current_plan().readings.repeat_share == 0.5
    with pytest.raises(InputError, match="'S02' has subjects"):
        load_plan(text.replace('  - {code: S02, name: "Second site"}\n', ""), None)
    with pytest.raises(InputError, match="readers_per_visit"):
        load_plan(text.replace("readers_per_visit:", "readers_per_visits:"), None)


def test_queries_go_from_monitor_to_site_and_back(study: Any, signed_in: Any) -> None:
    from pasi_vision.portal.models import Query

    signed_in("monitor").post(f"/visits/{study.visit.pk}/queries/", {"text": "Which arm?"})
    query = Query.objects.get()
    assert b"Which arm?" in signed_in("uploader").get("/queries/").content
    signed_in("uploader").post(f"/queries/{query.pk}/answer/", {"text": "The left."})
    query.refresh_from_db()
    assert query.state == Query.State.ANSWERED
    signed_in("monitor").post(f"/queries/{query.pk}/close/", {"text": ""})
    assert signed_in("uploader").post(f"/queries/{query.pk}/answer/", {"text": "Late."}).status_code == 400
