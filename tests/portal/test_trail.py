"""The audit trail: what is written, that it cannot be changed, and that a change is found all the same."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from pasi_vision.portal.models import AuditEvent
from pasi_vision.portal.trail import FIRST, Subject, broken_links, note_head, record


def test_the_chain_is_what_an_auditor_computes_by_hand() -> None:
    """Hashed again here from the plain columns, without the portal's code."""
    record(None, "first", Subject("thing", 1), before={"a": 1}, after={"a": 2.5}, reason="because ä")
    record(None, "second", Subject("thing", 1))
    previous = FIRST
    names = [
        "number",
        "at",
        "person",
        "role",
        "action",
        "thing",
        "thing_id",
        "site_code",
        "before",
        "after",
        "reason",
        "previous",
    ]
    for event in AuditEvent.objects.order_by("number"):
        content = {name: getattr(event, name) for name in names}
        assert event.previous == previous
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert event.sha256 == hashlib.sha256(text.encode()).hexdigest()
        previous = event.sha256


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE portal_auditevent SET reason = 'x'",
        "DELETE FROM portal_auditevent",
        "UPDATE portal_studyversion SET text = 'x'",
        "DELETE FROM portal_studyversion",
        "INSERT INTO portal_auditevent SELECT number + 5, at, person, role, action, thing, thing_id, site_code, before, after, reason,"
        " previous, sha256 FROM portal_auditevent WHERE number = 1",
    ],
)
def test_the_database_refuses_changes_whoever_asks(statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match=r"never changed|at the end"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.fixture
def unlocked() -> Any:
    """What an intruder with full rights would do: drop the triggers (rolled back with the test)."""
    with connection.cursor() as cursor:
        for name in ("no_update", "no_delete", "in_order"):
            cursor.execute(f"DROP TRIGGER portal_auditevent_{name}")
    for number in range(5):
        record(None, f"event {number}", Subject("thing", number))
    return connection


def test_a_changed_event_is_named(unlocked: Any) -> None:
    assert list(broken_links()) == []
    victim = AuditEvent.objects.get(action="event 2")
    AuditEvent.objects.filter(pk=victim.pk).update(reason="never happened")
    assert list(broken_links()) == [f"audit trail: event {victim.number} was changed after it was written"]


def test_a_removed_event_is_named(unlocked: Any) -> None:
    victim = AuditEvent.objects.get(action="event 2")
    AuditEvent.objects.filter(pk=victim.pk).delete()
    found = list(broken_links())
    assert f"audit trail: event {victim.number} is missing before event {victim.number + 1}" in found
    assert f"audit trail: event {victim.number + 1} does not follow from the event before it" in found


def test_a_cut_off_end_and_a_rewritten_chain_are_found_by_the_noted_head(unlocked: Any, tmp_path: Path) -> None:
    from pasi_vision.portal.trail import sha256_of_event

    anchors = tmp_path / "anchors.jsonl"
    note_head(anchors)
    assert list(broken_links(anchors)) == []
    last = AuditEvent.objects.order_by("-number").first()
    assert last is not None
    AuditEvent.objects.filter(pk=last.pk).delete()
    assert list(broken_links()) == [], "the chain alone cannot know its end"
    assert "was noted" in next(iter(broken_links(anchors)))
    last.reason = "rewritten with a matching hash"
    last.sha256 = sha256_of_event(last)
    last.save(force_insert=True)
    assert list(broken_links()) == []
    assert list(broken_links(anchors)) == [
        f"audit trail: event {last.number} is not the one that was noted in {anchors}"
    ]


def test_what_is_rolled_back_leaves_no_event() -> None:
    before = AuditEvent.objects.count()
    with transaction.atomic():
        record(None, "never", Subject("thing"))
        transaction.set_rollback(True)
    assert AuditEvent.objects.count() == before
    record(None, "then", Subject("thing"))
    assert list(broken_links()) == []


def test_views_exports_and_changes_are_noted_with_who_and_what(signed_in: Any, study: Any) -> None:
    signed_in("monitor").get(f"/visits/{study.visit.pk}/")
    event = AuditEvent.objects.get(action="visit viewed")
    assert (event.person, event.role, event.thing_id, event.site_code) == (
        "monitor",
        "monitor",
        str(study.visit.pk),
        "S01",
    )
    assert event.at.endswith("+00:00")
    answer = signed_in("analyst").get("/exports/events/")
    exported = AuditEvent.objects.get(action="exported")
    content = answer.getvalue()
    assert exported.after == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    signed_in("uploader").post(f"/visits/{study.visit.pk}/dlqi/", {"item-1": "3"})
    entered = AuditEvent.objects.get(action="DLQI entered")
    assert entered.after == {"items": [3] + [None] * 9}
    signed_in("uploader").post(f"/visits/{study.visit.pk}/dlqi/", {"item-1": "2", "reason": "misread"})
    corrected = AuditEvent.objects.get(action="DLQI corrected")
    assert (corrected.before["items"][0], corrected.after["items"][0], corrected.reason) == (3, 2, "misread")


def test_a_monitor_sees_their_sites_events_only_and_the_export_is_one_csv(signed_in: Any, study: Any) -> None:
    import csv

    text = b"".join(signed_in("monitor2").get("/trail/export/").streaming_content).decode()
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["site_code"] for row in rows} == {"S02"}
    text = b"".join(signed_in("administrator").get("/trail/export/").streaming_content).decode()
    numbers = [int(row["number"]) for row in csv.DictReader(text.splitlines())]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_formula_in_a_cell_is_disarmed() -> None:
    from pasi_vision.portal.views.trail import safe_cell

    assert safe_cell("=HYPERLINK(1)") == "'=HYPERLINK(1)"
    assert safe_cell("plain") == "plain"
    assert safe_cell(-3) == -3
