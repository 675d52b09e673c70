"""DLQI answers and adverse events: by form and as a CSV, all of it or nothing, readable by the package's own commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pasi_vision.portal.models import AdverseEvent, AuditEvent, DlqiForm
from pasi_vision.tables import DLQI, EVENTS, read_table

ITEMS = ",".join(f"item_{n}" for n in range(1, 11))
DLQI_HEAD = f"subject_id,visit,day,{ITEMS}\n"
EVENTS_HEAD = "subject_id,term,start_day,end_day,grade,serious,related,outcome\n"


def bring(client: Any, name: str, text: str, **more: str) -> Any:
    return client.post("/tables/", {name: SimpleUploadedFile("any name.csv", text.encode()), **more}, follow=True)


def test_a_dlqi_table_is_entered_and_exported_as_it_came(study: Any, signed_in: Any, tmp_path: Path) -> None:
    answer = bring(signed_in("uploader"), "dlqi", DLQI_HEAD + "S01-001,baseline,1,3,2,not_relevant,0,1,,0,0,0,0\n")
    assert "1 entered, 0 corrected" in answer.content.decode()
    assert DlqiForm.objects.get().items == [3, 2, "not_relevant", 0, 1, None, 0, 0, 0, 0]
    path = tmp_path / "dlqi.csv"
    path.write_bytes(signed_in("analyst").get("/exports/dlqi/").getvalue())
    row = read_table(path, DLQI).iloc[0]
    assert (row["item_1"], row["item_3"], row["item_6"]) == ("3", "not_relevant", None)
    from pasi_vision.score.dlqi_table import score_answers

    scored = score_answers(read_table(path, DLQI)).iloc[0]
    assert scored["dlqi"] == 6, "3 + 2 + 1; one item that was not answered counts 0"


def test_a_correction_by_table_needs_a_reason_and_is_in_the_trail(study: Any, signed_in: Any) -> None:
    client, row = signed_in("uploader"), "S01-001,baseline,1,{},2,2,2,2,2,2,2,2,2\n"
    bring(client, "dlqi", DLQI_HEAD + row.format(1))
    assert "1 were here already" in bring(client, "dlqi", DLQI_HEAD + row.format(1)).content.decode()
    assert bring(client, "dlqi", DLQI_HEAD + row.format(3)).status_code == 400
    assert bring(client, "dlqi", DLQI_HEAD + row.format(3), reason="misread").status_code == 200
    event = AuditEvent.objects.get(action="DLQI corrected")
    assert (event.before["items"][0], event.after["items"][0], event.reason) == (1, 3, "misread")


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("S01-001,baseline,1,4,2,2,2,2,2,2,2,2,2", "item_1"),
        ("S01-001,baseline,1,not_relevant,2,2,2,2,2,2,2,2,2", "item 1"),
        ("S01-001,baseline,2,1,2,2,2,2,2,2,2,2,2", "took place on day 1"),
        ("S01-001,week 4,29,1,2,2,2,2,2,2,2,2,2", "no visit"),
        ("S02-001,baseline,1,1,2,2,2,2,2,2,2,2,2", "at your site"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_of_the_table_is_kept(
    row: str, named: str, study: Any, signed_in: Any
) -> None:
    good = "" if "S01-001,baseline" in row else "S01-001,baseline,1,1,2,2,2,2,2,2,2,2,2\n"
    answer = bring(signed_in("uploader"), "dlqi", DLQI_HEAD + good + row + "\n")
    text = answer.content.decode()
    assert answer.status_code == 400
    assert named in text
    assert f"row {3 if good else 2}" in text
    assert "/tmp" not in text
    assert not DlqiForm.objects.exists()


def test_events_are_entered_once_and_exported_for_the_safety_tables(study: Any, signed_in: Any, tmp_path: Path) -> None:
    table = (
        EVENTS_HEAD
        + "S01-001,Headache,3,4,1,false,unrelated,recovered\n"
        + "S01-001,Sepsis,10,,4,true,possibly,recovering\n"
    )
    client = signed_in("uploader")
    assert "2 entered" in bring(client, "events", table).content.decode()
    assert "0 entered, 0 corrected, 2 were here already" in bring(client, "events", table).content.decode()
    kept = list(AdverseEvent.objects.values_list("term", "grade", "serious"))
    assert kept == [("Headache", 1, False), ("Sepsis", 4, True)]
    path = tmp_path / "events.csv"
    path.write_bytes(signed_in("analyst").get("/exports/events/").getvalue())
    assert len(read_table(path, EVENTS)) == 2
    assert "4 life-threatening" in client.get(f"/subjects/{study.subject.pk}/").content.decode()


def test_a_form_enters_one_event(study: Any, signed_in: Any) -> None:
    given = {
        "term": "Rash",
        "start_day": "2",
        "end_day": "",
        "grade": "2",
        "serious": "no",
        "related": "related",
        "outcome": "recovered",
    }
    client = signed_in("uploader")
    assert client.post(f"/subjects/{study.subject.pk}/events/", given).status_code == 302
    for wrong in ({"grade": "6"}, {"related": "definite"}, {"start_day": "x"}, {"end_day": "1"}, {"term": " "}):
        assert client.post(f"/subjects/{study.subject.pk}/events/", {**given, **wrong}).status_code == 400
    assert AdverseEvent.objects.get().related == "related"


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n", b"x" * 3_000_000])
def test_what_is_no_table_is_refused_in_words(data: bytes, study: Any, signed_in: Any) -> None:
    for name in ("dlqi", "events"):
        answer = signed_in("uploader").post("/tables/", {name: SimpleUploadedFile("x.csv", data)})
        assert answer.status_code == 400
        assert "/tmp" not in answer.content.decode()
