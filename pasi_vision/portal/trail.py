"""Writing and checking the audit trail: a chain of hashes in the database, its head noted outside now and then."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from pasi_vision.portal.models import AuditEvent, Person

__all__ = ["FIELDS", "FIRST", "Subject", "broken_links", "head", "note_head", "record", "sha256_of_event"]

FIRST = "0" * 64
"""What the first event names as the one before it."""

_CHAIN_LOCK = 0x7061_7369  # any number that nothing else in the database locks

FIELDS = (
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
)


@dataclass(frozen=True)
class Subject:
    """What an event is about: a kind of thing, its id, and the site it belongs to."""

    thing: str
    thing_id: object = ""
    site_code: str = ""


def record(
    person: Person | None,
    action: str,
    about: Subject,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditEvent:
    """Add one event, in the caller's transaction: what is rolled back leaves no event, what is committed has one."""
    with transaction.atomic():
        _lock_chain()
        last = AuditEvent.objects.using("default").order_by("-number").first()
        event = AuditEvent(
            number=last.number + 1 if last else 1,
            at=datetime.now(UTC).isoformat(timespec="microseconds"),
            person=person.username if person else "system",
            role=person.role if person else "system",
            action=action,
            thing=about.thing,
            thing_id=str(about.thing_id),
            site_code=about.site_code,
            before=_plain(before),
            after=_plain(after),
            reason=reason,
            previous=last.sha256 if last else FIRST,
        )
        event.sha256 = sha256_of_event(event)
        event.save(force_insert=True)
    return event


def sha256_of_event(event: AuditEvent) -> str:
    """SHA-256 of an event's canonical JSON, which holds the hash of the event before it."""
    content = {name: getattr(event, name) for name in FIELDS}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def head() -> tuple[int, str]:
    """Number and hash of the last event; (0, FIRST) for an empty trail."""
    last = AuditEvent.objects.order_by("-number").first()
    return (last.number, last.sha256) if last else (0, FIRST)


def broken_links(anchors: Path | None = None, *, using: str = "default") -> Iterator[str]:
    """What is wrong with the trail, one sentence each: changed, missing or reordered events, an end that was cut off."""
    noted = _anchors(anchors)
    number, previous = 0, FIRST
    for event in AuditEvent.objects.using(using).order_by("number").iterator(chunk_size=2000):
        number += 1
        if event.number != number:
            yield f"audit trail: event {number} is missing before event {event.number}"
            number = event.number
        if event.previous != previous:
            yield f"audit trail: event {number} does not follow from the event before it"
        if sha256_of_event(event) != event.sha256:
            yield f"audit trail: event {number} was changed after it was written"
        if number in noted and noted.pop(number) != event.sha256:
            yield f"audit trail: event {number} is not the one that was noted in {anchors}"
        previous = event.sha256
    if noted:
        yield f"audit trail: ends at event {number}, but event {max(noted)} was noted in {anchors}"


def note_head(anchors: Path) -> None:
    """Append the trail's head to a file outside the database."""
    number, sha256 = head()
    line = json.dumps({"number": number, "sha256": sha256, "at": datetime.now(UTC).isoformat(timespec="seconds")})
    with anchors.open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")


def _anchors(path: Path | None) -> dict[int, str]:
    if path is None or not path.is_file():
        return {}
    noted: dict[int, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:  # the last line of a process that was killed while writing it
            continue
        if entry["number"]:
            noted[entry["number"]] = entry["sha256"]
    return noted


def _lock_chain() -> None:
    """One writer at a time; SQLite's immediate transactions are that already."""
    connection = connections["default"]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CHAIN_LOCK])


def _plain(values: dict[str, Any] | None) -> dict[str, Any] | None:
    """Values as JSON keeps them, so that the hash is the same after a round trip through the database."""
    if values is None:
        return None
    return {name: str(value) if isinstance(value, (UUID, date, datetime)) else value for name, value in values.items()}
