"""The columns of every table of the package, as data; docs and checks follow from them."""

from __future__ import annotations

from pasi_vision.anatomy import GRADE_MAX, Region, Sign, View
from pasi_vision.tables.schema import Column, Kind, Status, Table

__all__ = ["FINDINGS", "PHOTOS", "SCORES"]


def _key(name: str) -> Column:
    return Column(name, required=True, filled=True)


def _percent(name: str, *, required: bool = False) -> Column:
    return Column(name, Kind.NUMBER, 0, 100, required=required)


def _grade(name: str, *, required: bool = False) -> Column:
    return Column(name, Kind.NUMBER, 0, GRADE_MAX, required=required)


_VISIT = (_key("subject_id"), _key("visit"), Column("day", Kind.INTEGER, required=True, filled=True))
_READING = (*_VISIT, _key("rater"), Column("reading", Kind.INTEGER, 1, None, required=True, filled=True))
_STATUS = (Column("status", words=tuple(Status)), Column("reason"))
_SIGNS = tuple(str(sign) for sign in Sign)

PHOTOS = Table(
    "photos",
    (
        *_VISIT,
        Column("view", words=tuple(View), required=True, filled=True),
        Column("path", required=True, filled=True),
        Column("site_id"),
        Column("skin_tone", words=("I", "II", "III", "IV", "V", "VI")),
    ),
    key=("subject_id", "visit", "path"),
)
"""One row per photograph. Several photographs of one view are allowed; the same file twice is not."""

FINDINGS = Table(
    "findings",
    (
        *_READING,
        Column("region", words=tuple(Region), required=True, filled=True),
        _percent("area_percent"),
        Column("area_score", Kind.INTEGER, 0, 6),
        *(_grade(sign, required=True) for sign in _SIGNS),
        _percent("area_percent_low"),
        _percent("area_percent_high"),
        *(_grade(f"{sign}_{end}") for sign in _SIGNS for end in ("low", "high")),
        _percent("area_percent_exact"),
        Column("coverage", Kind.NUMBER, 0, 1),
        *_STATUS,
    ),
    key=("subject_id", "visit", "rater", "reading", "region"),
    one_of=(("area_percent", "area_score"),),
)
"""One row per subject x visit x rater x reading x region; coverage is a share (0-1) of the region's surface."""

SCORES = Table(
    "scores",
    (
        *_READING,
        *(Column(f"pasi{end}", Kind.NUMBER, 0, 72) for end in ("", "_low", "_high", "_continuous")),
        *(_percent(f"bsa_percent{end}") for end in ("", "_low", "_high")),
        *_STATUS,
        Column("band_policy"),
        Column("bsa_table"),
    ),
    key=("subject_id", "visit", "rater", "reading"),
)
"""One row per subject x visit x rater x reading; the policies that made it stand in every row."""
