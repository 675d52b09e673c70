"""Rows of an evaluation -> figures: value, interval clustered by patient, n and patients, for the whole and for every group.

Every figure is a function of sums over patients, so whoever resamples patients (`agree.resample`, handed in) needs only those sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import Region, Sign
from pasi_vision.train.evaluate import CONVENTIONS, Outcome, Row
from pasi_vision.train.metrics import GRADES, Overlap, confusion, dice_of, mean_dice, quadratic_kappa, whole_grades

__all__ = ["HUMAN_CEILING", "WHOLE", "Figure", "Resample", "confusions", "figures_of", "find", "mean_figures"]

Floats = NDArray[np.float64]
Resample = Callable[[Floats, Callable[[Floats], Floats]], tuple[float, float, float]]
"""(patients, p) sums and a statistic of (..., p) totals -> value, low, high (NaN where there is no interval)."""

WHOLE = "all"

_DERMX = "computed from the outlines of DermXDB (Jalaboi et al., Med Image Anal 2023;83:102647; eight dermatologists)"
_FINK = "Fink et al., J Eur Acad Dermatol Venereol 2018;32:1314-1319; 120 patients, three physicians, 720 scores"

HUMAN_CEILING: tuple[Mapping[str, Any], ...] = (
    {
        "metric": "dice_outline",
        "value": 0.83,
        "what": "a dermatologist against colleagues on the same photographs",
        "source": _DERMX,
    },
    {
        "metric": "area_percent ICC",
        "value": 0.64,
        "what": "one dermatologist's outlined area, ICC(2,1), on the same photographs",
        "source": _DERMX,
    },
    {"metric": "pasi ICC", "value": 0.895, "what": "trained physicians scoring photographs", "source": _FINK},
    {
        "metric": "pasi SEM",
        "value": 2.9,
        "what": "between the same physicians: mean absolute difference 3.3 x sqrt(pi) / 2; limits of agreement about 8 points",
        "source": _FINK,
    },
)
"""What human raters reach, printed beside every model figure."""

_PHOTO_METRICS = {
    **{f"dice_{name}": "share" for name in CONVENTIONS},
    **{f"boundary_mm_{name}": "mm" for name in CONVENTIONS},
    **{f"boundary_percent_{name}": "% of the diagonal" for name in CONVENTIONS},
    **{f"false_area_{name}": "% of clear skin" for name in CONVENTIONS},
    "dice_skin": "share",
    "dice_region": "share",
}
_REGION_METRICS = {
    **{f"area_error_{name}": "area_percent" for name in CONVENTIONS},
    **{f"dice_{name}": "share" for name in CONVENTIONS},
    **{f"false_area_{name}": "% of clear skin" for name in CONVENTIONS},
}


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        metric: Its name, such as `dice_outline`; `_mae` and `_bias` where errors are averaged.
        unit: Of the value.
        of: What was counted: "photograph", "region of a photograph", "finding" or "visit".
        group: `all`, or `column=value`.
        value: None where it has none; never NaN.
        low, high: 95 % interval, clustered by patient; None with fewer than three patients.
        n, patients: What it was computed from.
    """

    metric: str
    unit: str
    of: str
    group: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    patients: int

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready mapping."""
        return asdict(self)


def figures_of(outcomes: Sequence[Outcome], resample: Resample) -> list[Figure]:
    """All figures of an evaluation, photographs first, then regions of photographs."""
    photos = [outcome.row for outcome in outcomes if outcome.row]
    regions = [row for outcome in outcomes for row in outcome.regions]
    by_photo = ("view", "skin_tone", "severity", "preset", "camera", "scene", "ita_band", "site_id")
    by_region = ("region", "skin_tone", "ita_band", "severity", "preset")
    figures: list[Figure] = []
    for metric, unit in _PHOTO_METRICS.items():
        figures += mean_figures(photos, metric, metric, unit, "photograph", by_photo, resample)
    for metric, unit in _REGION_METRICS.items():
        if metric.startswith("area_error"):
            name = metric.removeprefix("area_error_")
            absolute = [{**row, metric: None if row[metric] is None else abs(row[metric])} for row in regions]
            figures += mean_figures(absolute, metric, f"area_mae_{name}", unit, _OF_REGION, by_region, resample)
            figures += mean_figures(regions, metric, f"area_bias_{name}", unit, _OF_REGION, by_region, resample)
        else:
            figures += mean_figures(regions, metric, metric, unit, _OF_REGION, by_region, resample)
    for sign in Sign:
        figures += _grade_figures(regions, sign, by_region, resample)
    visits = _visit_dice(outcomes)
    for metric in (*(f"dice_{name}" for name in CONVENTIONS), "dice_region"):
        figures += mean_figures(visits, metric, metric, "share", "visit", ("skin_tone",), resample)
    return figures


_OF_REGION = "region of a photograph"


def _visit_dice(outcomes: Iterable[Outcome]) -> list[Row]:
    """Dice of all pixels of a visit's photographs together, as the visit is scored; a region shows in some of them as a sliver."""
    visits: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.row:
            visits.setdefault((outcome.photo.subject_id, outcome.photo.visit), []).append(outcome)
    rows = []
    for shots in visits.values():
        row: Row = {name: shots[0].row.get(name) for name in ("subject_id", "visit", "skin_tone")}
        for name in CONVENTIONS:
            row[f"dice_{name}"] = dice_of(_together(shots, name))
        row["dice_region"] = mean_dice(_together(shots, region) for region in Region)
        rows.append(row)
    return rows


def _together(shots: Iterable[Outcome], name: str) -> Overlap:
    """Pixels of an area or region in several photographs; none where they have no masks of it."""
    shared, found, true = np.sum([shot.pixels.get(name, (0, 0, 0)) for shot in shots], axis=0).tolist()
    return shared, found, true


def mean_figures(
    rows: Sequence[Row],
    column: str,
    metric: str,
    unit: str,
    of: str,
    groupings: Iterable[str],
    resample: Resample,
) -> list[Figure]:
    """Mean of a column over the rows that have a value, for the whole and for each group of each grouping."""
    known = [row for row in rows if row.get(column) is not None]
    figures = []
    for group, members in _grouped(known, groupings):
        values = np.array([row[column] for row in members], np.float64)
        sums = _by_patient(members, np.stack([values, np.ones_like(values)], axis=-1))
        figures.append(_figure(metric, unit, of, group, len(members), sums, _ratio, resample))
    return figures


def confusions(outcomes: Iterable[Outcome]) -> dict[str, list[list[int]]]:
    """Sign -> 5 x 5 counts (row: true whole grade, column: predicted) over regions of photographs."""
    rows = [row for outcome in outcomes for row in outcome.regions]
    tables = {}
    for sign in Sign:
        true, predicted = _whole(rows, sign)
        tables[str(sign)] = confusion(true, predicted).tolist()
    return tables


def find(figures: Iterable[Figure], metric: str, group: str = WHOLE, of: str | None = None) -> Figure | None:
    """The figure of that name and group; None if there is none."""
    return next((f for f in figures if f.metric == metric and f.group == group and of in (None, f.of)), None)


def _grade_figures(rows: Sequence[Row], sign: Sign, groupings: Iterable[str], resample: Resample) -> list[Figure]:
    """Quadratic kappa of whole grades; mean absolute error and bias of continuous ones."""
    known = [row for row in rows if row.get(f"true_{sign}") is not None]
    groupings = tuple(groupings)
    errors = [{**row, "error": row[f"predicted_{sign}"] - row[f"true_{sign}"]} for row in known]
    sizes = [{**row, "error": abs(row["error"])} for row in errors]
    figures = mean_figures(sizes, "error", f"{sign}_mae", "grade", _OF_REGION, groupings, resample)
    figures += mean_figures(errors, "error", f"{sign}_bias", "grade", _OF_REGION, groupings, resample)
    for group, members in _grouped(known, groupings):
        true, predicted = _whole(members, sign)
        cells = np.eye(GRADES * GRADES)[true * GRADES + predicted]
        sums = _by_patient(members, cells)
        figures.append(
            _figure(f"{sign}_kappa", "quadratic", _OF_REGION, group, len(members), sums, quadratic_kappa, resample)
        )
    return figures


def _whole(rows: Sequence[Row], sign: Sign) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    known = [row for row in rows if row.get(f"true_{sign}") is not None]
    true, predicted = (whole_grades([row[f"{kind}_{sign}"] for row in known]) for kind in ("true", "predicted"))
    return true, predicted


def _grouped(rows: Sequence[Row], groupings: Iterable[str]) -> Iterable[tuple[str, Sequence[Row]]]:
    """The whole first, then every group of every grouping that splits the rows or names a known group."""
    if rows:
        yield WHOLE, rows
    for column in groupings:
        names = sorted({row[column] for row in rows if row.get(column) is not None})
        for name in names:
            yield f"{column}={name}", [row for row in rows if row.get(column) == name]


def _by_patient(rows: Sequence[Row], parts: Floats) -> Floats:
    """(patients, p) sums of (rows, p)."""
    _, patient = np.unique([row["subject_id"] for row in rows], return_inverse=True)
    sums = np.zeros((int(patient.max()) + 1, parts.shape[1]))
    np.add.at(sums, patient, parts)
    return sums


def _ratio(totals: Floats) -> Floats:
    """Mean from totals (..., 2) of values and counts."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(totals[..., :1] / totals[..., 1:], np.float64)


def _figure(
    metric: str,
    unit: str,
    of: str,
    group: str,
    n: int,
    sums: Floats,
    statistic: Callable[[Floats], Floats],
    resample: Resample,
) -> Figure:
    column: Callable[[Floats], Floats] = lambda totals: statistic(totals).reshape(*totals.shape[:-1], 1)  # noqa: E731
    value, low, high = (round(x, 6) if np.isfinite(x) else None for x in resample(sums, column))
    return Figure(metric, unit, of, group, value, low, high, n, len(sums))
