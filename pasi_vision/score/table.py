"""findings.csv to scores.csv: a whole table at once, in time linear in its rows."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import Region, Sign
from pasi_vision.errors import InputError, TableError
from pasi_vision.score.reasons import sentence
from pasi_vision.score.regions import REGIONS, Numbers, RegionArrays
from pasi_vision.score.settings import DEFAULT_STUDY, StudySettings
from pasi_vision.score.visits import VisitScores, score_regions
from pasi_vision.tables import Status, first_repeated, joint_codes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["arrays_of_table", "score_findings", "visits_of_table"]

_KEY = ("subject_id", "visit", "rater", "reading")


def score_findings(findings: pd.DataFrame, settings: StudySettings = DEFAULT_STUDY) -> pd.DataFrame:
    """Score every visit of every rater and reading.

    Args:
        findings: A frame as `read_table(path, FINDINGS)` gives it (columns beyond the required ones optional, rows in any order).
        settings: The study's choices; band policy and BSA table are named in every row.

    Returns:
        A frame as scores.csv holds it, one row per visit, rater and reading in the order of first appearance. A visit that cannot be
        scored keeps its row: `partial` with bounds, or `not_scorable`, with the reason.

    Raises:
        TableError: Two findings for one region, two days for one visit, a value off its scale, or an interval without its value.
    """
    import pandas as pd

    visits, first, columns = visits_of_table(findings)
    arrays = arrays_of_table(findings, visits, columns, len(first))
    arrays = _with_induration(findings, arrays, first, settings)
    try:
        arrays.check()
    except InputError as error:
        raise TableError(error.what, where="findings", fix=error.fix) from error
    scores = score_regions(arrays, settings)
    keys = {
        name: findings[name].iloc[first].reset_index(drop=True) for name in ("subject_id", "visit", "day", *_KEY[2:])
    }
    values = {
        name: getattr(scores, name)
        for name in (
            *("pasi", "pasi_low", "pasi_high", "pasi_continuous"),
            *("bsa_percent", "bsa_percent_low", "bsa_percent_high"),
        )
    }
    words = pd.Categorical.from_codes(cast("Any", scores.status), categories=cast("Any", [str(s) for s in Status]))
    return pd.DataFrame(
        {
            **keys,
            **values,
            "status": words if _categorical(findings) else words.astype(object),
            "reason": _reasons(findings, scores, visits, columns),
            "band_policy": str(settings.band_policy),
            "bsa_table": settings.bsa_table,
        }
    )


def _categorical(frame: pd.DataFrame) -> bool:
    import pandas as pd

    return isinstance(frame["subject_id"].dtype, pd.CategoricalDtype)


def visits_of_table(findings: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Which visit (0 ...) and which region column (0-3) each row belongs to, and each visit's first row."""
    import pandas as pd

    if len(findings) == 0:
        raise TableError("the table has no rows", where="findings", fix="Add at least one finding.")
    visits = pd.factorize(joint_codes(findings, _KEY))[0].astype(np.int64)
    seen, first = _first_rows(visits)
    columns = pd.Categorical(findings["region"], categories=[str(r) for r in REGIONS]).codes.astype(np.int64)
    if (columns < 0).any():
        row = int(np.argmax(columns < 0))
        raise TableError(
            f"{findings['region'].iloc[row]!r} is not a region",
            where=f"findings row {row + 2} column region",
            fix=f"Use one of {', '.join(REGIONS)}.",
        )
    days = findings["day"].to_numpy(dtype=np.int64)
    moved = days != days[first][visits]
    if moved.any():
        row = int(np.argmax(moved))
        name = findings["visit"].iloc[row]
        raise TableError(
            f"visit {name} of subject {findings['subject_id'].iloc[row]} has two days, {days[first][visits][row]} and {days[row]}",
            where=f"findings row {row + 2} column day",
            fix="A visit has one day.",
        )
    cells = visits * 4 + columns
    if len(cells) > 4 * seen or np.bincount(cells, minlength=4 * seen).max() > 1:
        row = first_repeated(cells) or 0
        raise TableError(
            f"{findings['subject_id'].iloc[row]} {findings['visit'].iloc[row]} {findings['region'].iloc[row]} stands twice",
            where=f"findings row {row + 2}",
            fix="Keep one of the rows.",
        )
    return visits, first, columns


def _first_rows(visits: NDArray[np.int64]) -> tuple[int, NDArray[np.int64]]:
    count = int(visits.max()) + 1
    first = np.empty(count, np.int64)
    first[visits[::-1]] = np.arange(len(visits))[::-1]
    return count, first


def arrays_of_table(
    findings: pd.DataFrame, visits: NDArray[np.int64], columns: NDArray[np.int64], count: int
) -> RegionArrays:
    """Lay the rows of a findings frame out as visits x regions."""

    def column(name: str) -> Numbers | None:
        if name not in findings.columns:
            return None
        values = findings[name].to_numpy(dtype=float, na_value=np.nan)
        if np.isnan(values).all():
            return None
        laid = np.full((count, 4), np.nan)
        laid[visits, columns] = values
        return laid

    def signs(end: str) -> Numbers | None:
        names = [f"{sign}{end}" for sign in Sign]
        if not any(name in findings.columns for name in names):
            return None
        laid = np.full((count, 4, len(names)), np.nan)
        for place, name in enumerate(names):
            if name in findings.columns:
                laid[visits, columns, place] = findings[name].to_numpy(dtype=float, na_value=np.nan)
        return None if end and np.isnan(laid).all() else laid

    def where_status(status: Status) -> NDArray[np.bool_] | None:
        if "status" not in findings.columns:
            return None
        rows = (findings["status"] == str(status)).to_numpy()
        if not rows.any():
            return None
        laid = np.zeros((count, 4), bool)
        laid[visits[rows], columns[rows]] = True
        return laid

    present = None
    if len(visits) < 4 * count:
        present = np.zeros((count, 4), bool)
        present[visits, columns] = True
    area, grades = column("area_percent"), signs("")
    return RegionArrays(
        area=np.full((count, 4), np.nan) if area is None else area,
        grades=np.full((count, 4, 3), np.nan) if grades is None else grades,
        area_score=column("area_score"),
        area_low=column("area_percent_low"),
        area_high=column("area_percent_high"),
        grades_low=signs("_low"),
        grades_high=signs("_high"),
        coverage=column("coverage"),
        partial=where_status(Status.PARTIAL),
        not_scorable=where_status(Status.NOT_SCORABLE),
        present=present,
    )


def _with_induration(
    findings: pd.DataFrame, arrays: RegionArrays, first: NDArray[np.int64], settings: StudySettings
) -> RegionArrays:
    """Apply the study's choice of where induration of automated raters comes from."""
    if settings.induration == "inferred":
        return arrays
    heads = findings.iloc[first]
    raters = heads["rater"].astype(object).to_numpy()
    automated = np.array([any(fnmatch(str(rater), p) for p in settings.automated_raters) for rater in raters])
    if not automated.any():
        return arrays
    grades = arrays.grades.copy()
    low = np.full_like(grades, np.nan) if arrays.grades_low is None else arrays.grades_low.copy()
    high = np.full_like(grades, np.nan) if arrays.grades_high is None else arrays.grades_high.copy()
    induration = list(Sign).index(Sign.INDURATION)
    for part in (grades, low, high):
        part[automated, :, induration] = np.nan
    if settings.induration != "bounds":
        donors: dict[tuple[Any, Any], int] = {}
        named = np.flatnonzero(raters == settings.induration)
        readings = heads["reading"].to_numpy()
        keys = list(zip(heads["subject_id"], heads["visit"], strict=True))
        for visit in named[np.argsort(readings[named], kind="stable")]:
            donors.setdefault(keys[visit], int(visit))
        for visit in np.flatnonzero(automated):
            donor = donors.get(keys[visit])
            if donor is not None:
                grades[visit, :, induration] = arrays.grades[donor, :, induration]
    return replace(arrays, grades=grades, grades_low=low, grades_high=high)


def _reasons(
    findings: pd.DataFrame, scores: VisitScores, visits: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.object_]:
    """The sentence of each visit; each distinct combination of problems is written once."""
    import pandas as pd

    written = np.full(len(scores.status), "", object)
    concerned = scores.problems.any(axis=1)
    if not concerned.any():
        return written
    own = np.zeros(scores.problems.shape, np.int64)
    texts: list[str] = [""]
    if "reason" in findings.columns:
        codes, known = pd.factorize(findings["reason"])
        texts += [str(text) for text in known]
        own[visits, columns] = codes + 1
    patterns = np.concatenate([scores.problems[concerned].astype(np.int64), own[concerned]], axis=1)
    different, which = np.unique(patterns, axis=0, return_inverse=True)
    sentences = np.array(
        [sentence(list(row[: len(Region)]), [texts[code] for code in row[len(Region) :]]) for row in different], object
    )
    written[concerned] = sentences[which.ravel()]
    return written
