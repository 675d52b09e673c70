"""The columns of every table of the package, as data; docs and checks follow from them."""

from __future__ import annotations

from pasi_vision.anatomy import GRADE_MAX, Region, Sign, View
from pasi_vision.tables.schema import Column, Kind, Status, Table

__all__ = [
    "ARMS",
    "COURSES",
    "DLQI",
    "DLQI_SCORES",
    "ENDPOINTS",
    "EVENTS",
    "EXPOSURE",
    "FINDINGS",
    "PHOTOS",
    "SCORES",
    "WITHDRAWAL",
]


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
        Column("pasi", Kind.NUMBER, 0, 72, required=True),
        *(Column(f"pasi{end}", Kind.NUMBER, 0, 72) for end in ("_low", "_high", "_continuous")),
        *(_percent(f"bsa_percent{end}") for end in ("", "_low", "_high")),
        *(Column(f"pasi_interval{end}", Kind.NUMBER, 0, 72) for end in ("_low", "_high")),
        *(_percent(f"bsa_percent_interval{end}") for end in ("_low", "_high")),
        *_STATUS,
        Column("band_policy"),
        Column("bsa_table"),
    ),
    key=("subject_id", "visit", "rater", "reading"),
)
"""One row per subject x visit x rater x reading; the policies that made it stand in every row. _low and _high are bounds (what unseen
skin leaves open), _interval_low and _high how far a model errs."""

ARMS = Table("arms", (_key("subject_id"), _key("arm")), key=("subject_id",))
"""Which arm each subject was in."""

WITHDRAWAL = Table(
    "withdrawal",
    (
        _key("subject_id"),
        Column("withdrawal_day", Kind.INTEGER, required=True),
        Column("restart_day", Kind.INTEGER),
        Column("new_type_day", Kind.INTEGER),
    ),
    key=("subject_id",),
)
"""When treatment ended (empty: it did not), when it was started again, when a new type of psoriasis (pustular, erythrodermic) began."""

_FLAGS = (
    *(f"pasi{k}" for k in (50, 75, 90, 100)),
    *(f"pasi_at_most_{k}" for k in (1, 2, 3, 5)),
    "bsa_at_most_1",
    *("relapse_npf", "relapse_ema", "rebound", "rebound_ema", "flare"),
)

ENDPOINTS = Table(
    "endpoints",
    (
        *_READING,
        Column("pasi", Kind.NUMBER, 0, 72),
        Column("baseline_pasi", Kind.NUMBER, 0, 72),
        Column("change", Kind.NUMBER, -72, 72),
        Column("percent_change", Kind.NUMBER, -100),
        Column("bsa_change", Kind.NUMBER, -100, 100),
        *(Column(name, Kind.BOOLEAN) for name in _FLAGS),
        Column("best_pasi", Kind.NUMBER, 0, 72),
        Column("best_percent_change", Kind.NUMBER, -100),
        Column("reason"),
    ),
    key=("subject_id", "visit", "rater", "reading"),
)
"""One row per row of scores.csv, by subject, rater, reading and day; change = PASI minus baseline (improvement is negative)."""

COURSES = Table(
    "courses",
    (
        _key("subject_id"),
        _key("rater"),
        Column("reading", Kind.INTEGER, 1, None, required=True, filled=True),
        Column("baseline_day", Kind.INTEGER),
        Column("baseline_pasi", Kind.NUMBER, 0, 72),
        Column("last_day", Kind.INTEGER),
        Column("best_pasi", Kind.NUMBER, 0, 72),
        Column("best_percent_change", Kind.NUMBER, -100),
        Column("best_day", Kind.INTEGER),
        *(Column(f"days_to_pasi{k}", Kind.INTEGER, 0) for k in (50, 75, 90, 100)),
        Column("relapse_origin_day", Kind.INTEGER),
        Column("days_to_relapse", Kind.INTEGER, 0),
        Column("relapsed", Kind.BOOLEAN),
        Column("reason"),
    ),
    key=("subject_id", "rater", "reading"),
)
"""One row per subject, rater and reading: baseline, best response, days from baseline to each response, days to relapse or censoring."""

DLQI = Table(
    "dlqi",
    (*_VISIT, *(Column(f"item_{n}", words=("0", "1", "2", "3", "not_relevant"), required=True) for n in range(1, 11))),
    key=("subject_id", "visit"),
)
"""Ten answers per subject and visit; empty is unanswered. No wording of the questionnaire."""

DLQI_SCORES = Table(
    "dlqi_scores",
    (
        *_VISIT,
        Column("dlqi", Kind.INTEGER, 0, 30),
        Column("dlqi_r", Kind.NUMBER, 0, 30),
        Column("band"),
        Column("unanswered", Kind.INTEGER, 0, 10),
        Column("not_relevant", Kind.INTEGER, 0, 8),
        Column("change", Kind.INTEGER, -30, 30),
        Column("improved_by_mcid", Kind.BOOLEAN),
        Column("reason"),
    ),
    key=("subject_id", "visit"),
)
"""One row per questionnaire: total, DLQI-R, band, change from baseline, and whether it fell by at least 4."""

EVENTS = Table(
    "events",
    (
        _key("subject_id"),
        _key("term"),
        Column("start_day", Kind.INTEGER, required=True),
        Column("end_day", Kind.INTEGER),
        Column("grade", Kind.INTEGER, 1, 5),
        Column("serious", Kind.BOOLEAN, required=True),
        Column("related", words=("related", "possibly", "unrelated")),
    ),
    key=("subject_id", "term", "start_day"),
)
"""One row per adverse event; days count from 1 = baseline; grade 1-5 as in the CTCAE."""

EXPOSURE = Table(
    "exposure",
    (
        _key("subject_id"),
        Column("first_day", Kind.INTEGER, required=True, filled=True),
        Column("last_day", Kind.INTEGER, required=True, filled=True),
        Column("end_of_observation", Kind.INTEGER),
    ),
    key=("subject_id",),
)
"""First and last day of treatment of everybody who was treated, and the last day under observation (last_day where empty)."""
