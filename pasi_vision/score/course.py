"""Visits of a scores table as courses: sorted by subject, rater, reading and day, each with its baseline, all in whole thousandths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.score.attainable import is_attainable
from pasi_vision.score.settings import EndpointSettings
from pasi_vision.tables import joint_codes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UNKNOWN", "Courses", "Trouble", "arrange"]

UNKNOWN = -1
"""A PASI that is not known, among thousandths."""

Integers = NDArray[np.int64]


class Trouble:
    """Why a course or a visit gives no endpoint; the words of the reason column."""

    NO_BASELINE = "no baseline"
    TWO_BASELINES = "two baselines"
    BASELINE_UNKNOWN = "baseline PASI not known"
    BASELINE_ZERO = "baseline PASI is 0"
    BEFORE_BASELINE = "before baseline"
    UNKNOWN = "PASI not known"
    UNATTAINABLE = "no grades give this PASI"


@dataclass(frozen=True)
class Courses:
    """Rows sorted by course and day; a course is one subject's visits by one rater and reading.

    Attributes:
        frame: The scores table in that order, index 0 ....
        course: (rows,) int64, 0 ... in the order of the rows.
        start: (courses,) int64, first row of each course.
        day: (rows,) int64.
        pasi: (rows,) int64 thousandths; UNKNOWN where there is none or none that can be used.
        baseline: (courses,) int64 thousandths; UNKNOWN where there is none.
        baseline_day: (courses,) int64; meaningless where there is no baseline.
        baseline_row: (courses,) int64, the row of the baseline; -1 where there is none.
        course_trouble: (courses,) object, why there is no baseline; "" where there is one.
        row_trouble: (rows,) object, why the row gives no endpoint; "" where it can.
    """

    frame: pd.DataFrame
    course: Integers
    start: Integers
    day: Integers
    pasi: Integers
    baseline: Integers
    baseline_day: Integers
    baseline_row: Integers
    course_trouble: NDArray[np.object_]
    row_trouble: NDArray[np.object_]

    @property
    def of_rows(self) -> Integers:
        """(rows,) baseline of each row, in thousandths."""
        return self.baseline[self.course]

    @property
    def follow_up(self) -> NDArray[np.bool_]:
        """(rows,) whether the row has a PASI on or after the day of its course's baseline."""
        known = (self.pasi != UNKNOWN) & (self.of_rows != UNKNOWN)
        return np.asarray(known & (self.day >= self.baseline_day[self.course]))

    def first_row(self, rows: NDArray[np.bool_]) -> Integers:
        """(courses,) the first marked row of each course; -1 where none is marked."""
        found = np.full(len(self.start), -1, np.int64)
        marked = np.flatnonzero(rows)
        found[self.course[marked[::-1]]] = marked[::-1]
        return found

    def running_least(self) -> Integers:
        """(rows,) the least PASI on or after baseline up to this row, in thousandths; the baseline itself counts."""
        import pandas as pd

        large = np.iinfo(np.int64).max
        values = np.where(self.follow_up, self.pasi, large)
        return np.asarray(pd.Series(values).groupby(self.course).cummin(), np.int64)


def arrange(scores: pd.DataFrame, settings: EndpointSettings) -> Courses:
    """Sort a checked scores table into courses and find each course's baseline."""
    keys = ["subject_id", "rater", "reading", "day", "visit"]
    order = np.lexsort([_sortable(scores[name]) for name in reversed(keys)])
    frame = scores.iloc[order].reset_index(drop=True)
    codes = joint_codes(frame, keys[:3])
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    course = np.zeros(len(frame), np.int64)
    course[starts[1:]] = 1
    course = np.cumsum(course)
    day = frame["day"].to_numpy(dtype=np.int64)
    given = frame["pasi"].to_numpy(dtype=float, na_value=np.nan)
    trouble = np.where(np.isnan(given), Trouble.UNKNOWN, "").astype(object)
    if settings.refuse_unattainable:
        trouble[~np.isnan(given) & ~is_attainable(given)] = Trouble.UNATTAINABLE
    pasi = np.where(trouble == "", np.rint(np.where(np.isnan(given), 0, given) * 1000), UNKNOWN).astype(np.int64)
    baseline_row, course_trouble = _baselines(course, len(starts), day, pasi, settings)
    found = baseline_row >= 0
    baseline = np.where(found, pasi[baseline_row], UNKNOWN)
    baseline_day = np.where(found, day[baseline_row], 0)
    return Courses(frame, course, starts, day, pasi, baseline, baseline_day, baseline_row, course_trouble, trouble)


def _sortable(values: pd.Series[Any]) -> NDArray[Any]:
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        ranks = np.argsort(np.argsort(values.cat.categories.to_numpy().astype(str)))
        return np.asarray(ranks[values.cat.codes])
    if values.dtype == object:
        codes, known = pd.factorize(values)
        return np.asarray(np.argsort(np.argsort(np.asarray(known).astype(str)))[codes])
    return values.to_numpy(dtype=np.int64)


def _baselines(
    course: Integers, courses: int, day: Integers, pasi: Integers, settings: EndpointSettings
) -> tuple[Integers, NDArray[np.object_]]:
    """The row of the last visit in the baseline window, if it is one visit and has a PASI; else -1 and why."""
    last = settings.baseline_day
    inside = (day <= last) & (day >= last - settings.baseline_window_days)
    found = np.full(courses, -1, np.int64)
    trouble = np.full(courses, Trouble.NO_BASELINE, object)
    rows = np.flatnonzero(inside)
    trouble[course[rows]] = Trouble.BASELINE_UNKNOWN
    rows = rows[pasi[rows] != UNKNOWN]
    if len(rows):
        final = np.concatenate([course[rows][1:] != course[rows][:-1], [True]])
        chosen = rows[final]
        found[course[chosen]] = chosen
        trouble[course[chosen]] = ""
        again = rows[day[rows] == day[found[course[rows]]]]
        several = np.bincount(course[again], minlength=courses) > 1
        found[several], trouble[several] = -1, Trouble.TWO_BASELINES
    return found, trouble
