"""Exports: the tables of the design, DLQI and adverse events, photographs with a manifest."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pasi_vision.errors import InputError
from pasi_vision.portal import vault
from pasi_vision.portal.models import AdverseEvent, DlqiForm, Person, Photograph
from pasi_vision.portal.scores import findings_rows, score_rows
from pasi_vision.storage import sha256_of
from pasi_vision.tables import DLQI, FINDINGS, PHOTOS, SCORES, Table, write_table

__all__ = ["EXPORTS", "Export", "photographs_zip"]


@dataclass(frozen=True)
class Export:
    """One thing to export.

    Attributes:
        name: In addresses.
        file: Name of the downloaded file.
        words: What it holds.
        make: Gives an open file, for what a person may see; the caller closes it.
    """

    name: str
    file: str
    words: str
    make: Callable[[Person], IO[bytes]]

    @property
    def content_type(self) -> str:
        """By the file's ending."""
        return "application/zip" if self.file.endswith(".zip") else "text/csv; charset=utf-8"


def _table(rows: Iterable[dict[str, Any]], table: Table) -> bytes:
    """Rows written and checked by the one home of the tables.

    Raises:
        InputError: There are no rows.
    """
    import pandas as pd

    kept = list(rows)
    if not kept:
        raise InputError(f"there are no {table.name} yet", where="export", fix="Come back when there are.")
    known = [column.name for column in table.columns if any(column.name in row for row in kept)]
    frame = pd.DataFrame([[row.get(name) for name in known] for row in kept], columns=known)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{table.name}.csv"
        write_table(path, frame, table)
        return path.read_bytes()


def _csv(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> IO[bytes]:
    from pasi_vision.portal.views.trail import safe_cell

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([["" if value is None else safe_cell(value) for value in row] for row in rows])
    return io.BytesIO(buffer.getvalue().encode())


def _good_photographs(person: Person) -> list[Photograph]:
    found = Photograph.objects.visible_to(person).select_related("visit__subject")
    ordered = found.order_by("visit__subject__code", "visit__day", "view", "arrived_at")
    return [photograph for photograph in ordered if photograph.is_good and photograph.is_cleared]


def _path(photograph: Photograph) -> str:
    visit = photograph.visit
    name = visit.name.replace(" ", "_")
    return f"photographs/{visit.subject.code}/{name}/{photograph.view}_{str(photograph.pk)[:8]}.jpg"


def _photos_rows(person: Person) -> Iterable[dict[str, Any]]:
    for photograph in _good_photographs(person):
        visit = photograph.visit
        yield {
            "subject_id": visit.subject.code,
            "visit": visit.name,
            "day": visit.day,
            "view": photograph.view,
            "path": _path(photograph),
            "site_id": visit.subject.site_id,
            "skin_tone": visit.subject.skin_tone or None,
        }


def photographs_zip(person: Person) -> IO[bytes]:
    """photos.csv, the photographs it names, and manifest.json with the SHA-256 of each; on disk, one photograph in memory at a time."""
    stream = tempfile.TemporaryFile()  # noqa: SIM115  # closed by the answer that sends it
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("photos.csv", _table(_photos_rows(person), PHOTOS))
        manifest = []
        for photograph in _good_photographs(person):
            data = vault.get(photograph.file)
            if sha256_of(data) != photograph.file_sha256:
                raise InputError(
                    "was changed", where=f"vault {photograph.file}", fix="Run `pasi-vision portal verify`."
                )
            archive.writestr(_path(photograph), data)
            manifest.append(
                {"path": _path(photograph), "sha256": photograph.file_sha256, "sent_sha256": photograph.sha256}
            )
        archive.writestr("manifest.json", json.dumps({"photographs": manifest}, indent=2))
    stream.seek(0)
    return stream


def _dlqi(person: Person) -> IO[bytes]:
    forms = (
        DlqiForm.objects.visible_to(person)
        .select_related("visit__subject")
        .order_by("visit__subject__code", "visit__day")
    )
    rows = (
        {"subject_id": f.visit.subject.code, "visit": f.visit.name, "day": f.visit.day}
        | {f"item_{n}": None if item is None else str(item) for n, item in enumerate(f.items, 1)}
        for f in forms
    )
    return io.BytesIO(_table(rows, DLQI))


def _events(person: Person) -> IO[bytes]:
    names = ("term", "start_day", "end_day", "grade", "serious", "related", "outcome")
    events = AdverseEvent.objects.visible_to(person).select_related("subject").order_by("subject__code", "start_day")
    return _csv(("subject_id", *names), ((e.subject.code, *(getattr(e, name) for name in names)) for e in events))


EXPORTS = (
    Export(
        "findings",
        "findings.csv",
        "area and signs per region, of every signed reading and of the model",
        lambda p: io.BytesIO(_table(findings_rows(p), FINDINGS)),
    ),
    Export(
        "scores", "scores.csv", "PASI and BSA per visit and rater", lambda p: io.BytesIO(_table(score_rows(p), SCORES))
    ),
    Export(
        "photos",
        "photos.csv",
        "the table of photographs, as in the archive below",
        lambda p: io.BytesIO(_table(_photos_rows(p), PHOTOS)),
    ),
    Export(
        "photographs",
        "photographs.zip",
        "the photographs without metadata, photos.csv and a manifest of hashes",
        photographs_zip,
    ),
    Export("dlqi", "dlqi.csv", "DLQI answers by item number", _dlqi),
    Export("events", "adverse_events.csv", "adverse events", _events),
)
