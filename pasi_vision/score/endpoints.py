"""scores.csv to endpoints.csv and courses.csv: what each visit and each course says about response and relapse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import TableError
from pasi_vision.score import relapse
from pasi_vision.score.course import UNKNOWN, Courses, Integers, Trouble, arrange
from pasi_vision.score.relapse import NEVER, Flags, Withdrawals
from pasi_vision.score.response import ABSOLUTE_PASI, RESPONSES, percent_change, reaches
from pasi_vision.score.settings import EndpointSettings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Endpoints", "endpoints"]


@dataclass(frozen=True)
class Endpoints:
    """What follows from a scores table: the tables ENDPOINTS and COURSES, and what looked wrong without being an error."""

    visits: pd.DataFrame
    courses: pd.DataFrame
    warnings: tuple[str, ...]


def endpoints(
    scores: pd.DataFrame,
    settings: EndpointSettings | None = None,
    withdrawal: pd.DataFrame | None = None,
) -> Endpoints:
    """Derive every endpoint of every visit. No row is dropped: what cannot be said is empty with its reason.

    Args:
        scores: A checked SCORES table; rows in any order.
        settings: The study's choices; defaults where None.
        withdrawal: A checked WITHDRAWAL table; None where treatment was not withdrawn.

    Raises:
        TableError: The withdrawal table names a subject that has no score.
    """
    import pandas as pd

    settings = settings or EndpointSettings()
    courses = arrange(scores, settings)
    days = _withdrawals(courses, withdrawal)
    rules = {
        "relapse_npf": relapse.relapse_npf(courses, days, settings),
        "relapse_ema": relapse.relapse_ema(courses, days, settings),
        "rebound": relapse.rebound_npf(courses, days, settings),
        "rebound_ema": relapse.rebound_ema(courses, days, settings),
        "flare": relapse.flare(courses, days, settings),
    }
    told = courses.follow_up
    base = courses.of_rows
    relative = told & (base > 0)
    pasi = courses.pasi / 1000
    least = np.where(told, courses.running_least(), 0)
    flags: dict[str, Flags] = {
        f"pasi{k}": Flags(relative & reaches(base, courses.pasi, k), relative, "") for k in RESPONSES
    }
    scored = courses.pasi != UNKNOWN
    flags |= {f"pasi_at_most_{k}": Flags(scored & (courses.pasi <= 1000 * k), scored, "") for k in ABSOLUTE_PASI}
    bsa, bsa_change = _bsa(courses)
    flags["bsa_at_most_1"] = Flags(bsa <= 1, ~np.isnan(bsa), "bsa_at_most_1: BSA not known")
    flags |= rules
    frame = courses.frame
    visits = pd.DataFrame(
        {
            **{name: frame[name] for name in ("subject_id", "visit", "day", "rater", "reading", "pasi")},
            "baseline_pasi": np.where(base != UNKNOWN, base / 1000, np.nan),
            "change": np.where(told, (courses.pasi - base) / 1000, np.nan),
            "percent_change": np.where(relative, percent_change(base / 1000, pasi), np.nan),
            "bsa_change": bsa_change,
            **{name: _booleans(flag) for name, flag in flags.items()},
            "best_pasi": np.where(told, least / 1000, np.nan),
            "best_percent_change": np.where(relative, percent_change(base / 1000, least / 1000), np.nan),
            "reason": _row_reasons(courses, flags),
        }
    )
    relapsed = rules[f"relapse_{settings.relapse}"]
    return Endpoints(visits, _course_table(courses, flags, relapsed), _warnings(courses))


def _withdrawals(courses: Courses, withdrawal: pd.DataFrame | None) -> Withdrawals:
    count = len(courses.start)
    if withdrawal is None:
        return Withdrawals.none(count)
    import pandas as pd

    subjects = courses.frame["subject_id"].iloc[courses.start].astype(object)
    place = pd.Index(withdrawal["subject_id"].astype(object)).get_indexer(pd.Index(subjects))
    strangers = set(withdrawal["subject_id"]) - set(subjects)
    if strangers:
        raise TableError(
            f"subject {min(map(str, strangers))} has no score",
            where="withdrawal column subject_id",
            fix="Correct the subject, or remove the row.",
        )

    def days(name: str) -> Integers:
        if name not in withdrawal.columns:
            return np.full(count, NEVER, np.int64)
        given = withdrawal[name].to_numpy(dtype=float, na_value=np.nan)
        found = np.where(place >= 0, given[place], np.nan)
        return np.where(np.isnan(found), NEVER, np.where(np.isnan(found), 0, found)).astype(np.int64)

    return Withdrawals(days("withdrawal_day"), days("restart_day"), days("new_type_day"))


def _bsa(courses: Courses) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """BSA of each row, and its change from the row that is the PASI's baseline; NaN where one is not known."""
    if "bsa_percent" not in courses.frame.columns:
        nothing = np.full(len(courses.course), np.nan)
        return nothing, nothing
    bsa = courses.frame["bsa_percent"].to_numpy(dtype=float, na_value=np.nan)
    base = np.where(courses.baseline_row >= 0, bsa[courses.baseline_row], np.nan)[courses.course]
    after = courses.day >= courses.baseline_day[courses.course]
    return bsa, np.where(after, np.round(bsa - base, 6), np.nan)


def _booleans(flags: Flags) -> Any:
    import pandas as pd

    return pd.arrays.BooleanArray(flags.holds.copy(), ~flags.known)


def _row_reasons(courses: Courses, flags: dict[str, Flags]) -> pd.Categorical:
    """Why cells of each row are empty; each distinct combination is written once."""
    import pandas as pd

    before = (courses.course_trouble[courses.course] == "") & (courses.day < courses.baseline_day[courses.course])
    zero = (courses.of_rows == 0) & courses.follow_up
    whole = np.where(before, Trouble.BEFORE_BASELINE, np.where(zero, Trouble.BASELINE_ZERO, ""))
    named = [(name, flag) for name, flag in flags.items() if flag.why_not]
    parts = [courses.row_trouble, courses.course_trouble[courses.course], whole.astype(object)]
    pattern = np.zeros(len(courses.course), np.int64)
    lists: list[list[str]] = []
    for part in parts:
        codes, known = _factorized(part)
        pattern = pattern * len(known) + codes
        lists.append(known)
    for _, flag in named:
        # A rule's own reason is told only where the row could have been judged.
        silent = courses.follow_up & ~zero & ~flag.known
        pattern = pattern * 2 + silent
    which, different = pd.factorize(pattern)
    written = [_unpacked(int(code), lists, [flag.why_not for _, flag in named]) for code in different]
    sentences = pd.Index(dict.fromkeys(written), dtype=object)
    return pd.Categorical.from_codes(
        cast("Any", sentences.get_indexer(pd.Index(written, dtype=object))[which]), sentences
    )


def _factorized(words: NDArray[np.object_]) -> tuple[Integers, list[str]]:
    import pandas as pd

    codes, known = pd.factorize(words)
    return codes.astype(np.int64), [str(word) for word in known]


def _unpacked(code: int, lists: list[list[str]], rules: list[str]) -> str:
    told: list[str] = []
    for rule in reversed(rules):
        code, silent = divmod(code, 2)
        if silent:
            told.append(rule)
    for known in reversed(lists):
        code, place = divmod(code, len(known))
        if known[place]:
            told.append(known[place])
    return "; ".join(reversed(told))


def _course_table(courses: Courses, flags: dict[str, Flags], relapsed: Flags) -> pd.DataFrame:
    import pandas as pd

    told, start = courses.follow_up, courses.start
    base = courses.baseline
    known = base != UNKNOWN
    least = np.minimum.reduceat(np.where(told, courses.pasi, np.iinfo(np.int64).max), start)
    best_row = courses.first_row(told & (courses.pasi == least[courses.course]))
    ends = np.append(start[1:], len(courses.course)) - 1
    last_row = np.maximum.reduceat(np.where(told, np.arange(len(courses.course)), -1), start)
    origin = courses.first_row(relapsed.known)
    event = courses.first_row(relapsed.holds)
    until = np.where(event >= 0, event, last_row)
    at_risk = known & (origin >= 0)

    def day_of(rows: Integers, where: NDArray[np.bool_]) -> Any:
        return _integers(courses.day[np.maximum(rows, 0)], where)

    def since_baseline(rows: Integers) -> Any:
        return _integers(courses.day[np.maximum(rows, 0)] - courses.baseline_day, known & (rows >= 0))

    first = courses.frame.iloc[ends]
    return pd.DataFrame(
        {
            **{name: first[name].reset_index(drop=True) for name in ("subject_id", "rater", "reading")},
            "baseline_day": _integers(courses.baseline_day, known),
            "baseline_pasi": np.where(known, base / 1000, np.nan),
            "last_day": day_of(last_row, known),
            "best_pasi": np.where(known, least / 1000, np.nan),
            "best_percent_change": np.where(known, percent_change(base / 1000, least / 1000), np.nan),
            "best_day": day_of(best_row, known),
            **{f"days_to_pasi{k}": since_baseline(courses.first_row(flags[f"pasi{k}"].holds)) for k in RESPONSES},
            "relapse_origin_day": day_of(origin, at_risk),
            "days_to_relapse": _integers(
                courses.day[np.maximum(until, 0)] - courses.day[np.maximum(origin, 0)], at_risk
            ),
            "relapsed": pd.arrays.BooleanArray(event >= 0, ~at_risk),
            "reason": np.where(
                known, np.where(base == 0, Trouble.BASELINE_ZERO, np.where(at_risk, "", relapsed.why_not)),
                courses.course_trouble,
            ).astype(object),
        }
    )  # fmt: skip


def _integers(values: Integers, where: NDArray[np.bool_]) -> Any:
    import pandas as pd

    return pd.arrays.IntegerArray(np.where(where, values, 0).astype(np.int64), ~where)


def _warnings(courses: Courses) -> tuple[str, ...]:
    """Things that are allowed but look wrong: visits whose names and days disagree, several visits on one day."""
    frame = courses.frame
    same = (courses.course[1:] == courses.course[:-1]) & (courses.day[1:] == courses.day[:-1])
    found = [
        f"subject {frame['subject_id'].iloc[row]}, rater {frame['rater'].iloc[row]}: visits {frame['visit'].iloc[row]} and "
        f"{frame['visit'].iloc[row + 1]} are on the same day {courses.day[row]}"
        for row in np.flatnonzero(same)[:_MOST]
    ]
    numbers = _visit_numbers(frame["visit"])
    back = (courses.course[1:] == courses.course[:-1]) & (numbers[1:] < numbers[:-1])
    found += [
        f"subject {frame['subject_id'].iloc[row]}, rater {frame['rater'].iloc[row]}: visit {frame['visit'].iloc[row + 1]} "
        f"(day {courses.day[row + 1]}) is later than visit {frame['visit'].iloc[row]} (day {courses.day[row]})"
        for row in np.flatnonzero(back)[:_MOST]
    ]
    for rows, what in ((same, "visits share a day"), (back, "visits have names and days in different orders")):
        if rows.sum() > _MOST:
            found.append(f"{what}: {int(rows.sum()) - _MOST} more")
    return tuple(found)


_MOST = 20
"""At most so many warnings of one kind are written out."""


def _visit_numbers(visits: pd.Series[Any]) -> NDArray[np.float64]:
    """The number at the end of each visit's name ("week_12" -> 12); NaN for a name without one."""
    import re

    import pandas as pd

    codes, known = pd.factorize(visits)
    ends = [re.search(r"(\d+)\D*$", str(name)) for name in known]
    return np.array([np.nan if end is None else float(end.group(1)) for end in ends])[codes]
