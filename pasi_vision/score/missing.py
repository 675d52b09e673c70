"""Visits that a subject missed, by a named rule: non-responder (NRI), observed only, last observation carried forward, imputed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasi_vision.score.response import reaches

if TYPE_CHECKING:
    import pandas as pd

    from pasi_vision.score.endpoints import Endpoints
    from pasi_vision.score.settings import MissingRule

__all__ = ["MISSING", "Schedule", "imputed", "pooled", "responder_counts", "responders", "schedule"]

MISSING = -1
"""A PASI that is missing, among thousandths."""

Thousandths = NDArray[np.int64]


@dataclass(frozen=True)
class Schedule:
    """Subjects with a baseline above 0 against the visits that anyone had after baseline.

    Attributes:
        subjects: (n,) object.
        visits: Names of the visits, by median day.
        days: (visits,) float64, their median day.
        baseline: (n,) int64 thousandths of PASI.
        pasi: (n, visits) int64 thousandths; MISSING where the subject has no PASI at the visit.
    """

    subjects: NDArray[np.object_]
    visits: tuple[str, ...]
    days: NDArray[np.float64]
    baseline: Thousandths
    pasi: Thousandths

    def of(self, subjects: NDArray[np.bool_]) -> Schedule:
        """The same for some of the subjects."""
        return replace(
            self, subjects=self.subjects[subjects], baseline=self.baseline[subjects], pasi=self.pasi[subjects]
        )


def schedule(derived: Endpoints, rater: str, reading: int) -> Schedule:
    """The planned visits of one rater and reading. A visit is planned for everybody if anybody had it: a table cannot say more."""
    import pandas as pd

    courses = _one_rater(derived.courses, rater, reading)
    courses = courses[courses["baseline_pasi"].to_numpy(dtype=float) > 0]
    rows = _one_rater(derived.visits, rater, reading)
    subjects = pd.Index(courses["subject_id"].astype(object))
    place = subjects.get_indexer(pd.Index(rows["subject_id"].astype(object)))
    from_day = courses["baseline_day"].to_numpy(dtype=np.int64)
    after = (place >= 0) & (rows["day"].to_numpy(dtype=np.int64) > np.append(from_day, 0)[place])
    rows, place = rows[after], place[after]
    days = rows.groupby(rows["visit"].astype(object), sort=False)["day"].median().sort_values(kind="stable")
    table = np.full((len(subjects), len(days)), MISSING, np.int64)
    known = rows["change"].notna().to_numpy()
    columns = pd.Index(days.index).get_indexer(pd.Index(rows["visit"].astype(object)))
    table[place[known], columns[known]] = np.rint(rows["pasi"].to_numpy(dtype=float)[known] * 1000).astype(np.int64)
    baseline = np.rint(courses["baseline_pasi"].to_numpy(dtype=float) * 1000).astype(np.int64)
    names = tuple(str(name) for name in days.index)
    return Schedule(subjects.to_numpy(dtype=object), names, days.to_numpy(dtype=float), baseline, table)


def _one_rater(frame: pd.DataFrame, rater: str, reading: int) -> pd.DataFrame:
    return frame[(frame["rater"] == rater).to_numpy() & (frame["reading"] == reading).to_numpy(dtype=bool)]


def responders(plan: Schedule, k: int, rule: MissingRule) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n, visits) bool: who responds, and who counts in the denominator, by a rule that needs no random numbers."""
    seen = plan.pasi != MISSING
    base = plan.baseline[:, None]
    if rule == "locf":
        carried = _carried_forward(plan)
        return reaches(base, carried, k), np.ones_like(seen)
    holds = seen & reaches(base, plan.pasi, k)
    return holds, seen if rule == "observed" else np.ones_like(seen)


def _carried_forward(plan: Schedule) -> Thousandths:
    """Each missing PASI replaced by the last one before it; before the first visit that is the baseline."""
    values = np.concatenate([plan.baseline[:, None], plan.pasi], axis=1)
    last = np.where(values != MISSING, np.arange(values.shape[1]), 0)
    return np.asarray(np.take_along_axis(values, np.maximum.accumulate(last, axis=1), axis=1)[:, 1:])


def responder_counts(plan: Schedule, k: int, rule: MissingRule) -> tuple[Thousandths, Thousandths]:
    """(visits,) int64: how many respond at each visit, and of how many, under a rule; for `multiple_imputation` see `pooled`."""
    holds, counts = responders(plan, k, rule)
    return (holds & counts).sum(axis=0), counts.sum(axis=0)


def imputed(plan: Schedule, times: int, generator: np.random.Generator) -> list[Thousandths] | None:
    """`times` completed copies of the PASI table; None where a visit has no PASI at all.

    Each visit in turn is regressed on baseline and the visits before it (Bayesian linear regression, coefficients drawn from their
    posterior), and a missing PASI is taken from one of the five subjects with the nearest prediction (predictive mean matching: van
    Buuren, Flexible Imputation of Missing Data, 2nd ed. 2018, algorithm 3.3), so that every imputed PASI is one that somebody had.
    Missing at random given the course so far is assumed; NRI beside it shows what another assumption does.
    """
    if (plan.pasi == MISSING).all(axis=0).any():
        return None
    return [_completed(plan, generator) for _ in range(times)]


def _completed(plan: Schedule, generator: np.random.Generator) -> Thousandths:
    done = plan.pasi.copy()
    for visit in range(done.shape[1]):
        missing = plan.pasi[:, visit] == MISSING
        if not missing.any():
            continue
        known = ~missing
        predictors = np.column_stack([np.ones(len(done)), plan.baseline, done[:, :visit]]).astype(float)
        if known.sum() < predictors.shape[1] + 3:  # too few for so many predictors: baseline and the last visit
            predictors = predictors[:, [0, predictors.shape[1] - 1]]
        donors = done[known, visit]
        if known.sum() < predictors.shape[1] + 2:
            done[missing, visit] = generator.choice(donors, missing.sum())
            continue
        fitted, drawn = _regression(predictors[known], donors.astype(float), generator)
        order = np.argsort(predictors[known] @ fitted, kind="stable")
        sorted_fit = (predictors[known] @ fitted)[order]
        near = np.searchsorted(sorted_fit, predictors[missing] @ drawn)
        near = np.clip(near + generator.integers(-2, 3, len(near)), 0, len(order) - 1)
        done[missing, visit] = donors[order[near]]
    return done


def _regression(
    x: NDArray[np.float64], y: NDArray[np.float64], generator: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least squares coefficients, and a draw from their posterior."""
    inverse = np.linalg.pinv(x.T @ x)
    fitted = inverse @ x.T @ y
    freedom = max(len(y) - x.shape[1], 1)
    variance = ((y - x @ fitted) ** 2).sum() / generator.chisquare(freedom)
    spread = np.linalg.cholesky(inverse + 1e-12 * np.trace(inverse) * np.eye(len(inverse)))
    return fitted, fitted + sqrt(variance) * spread @ generator.standard_normal(len(fitted))


def pooled(counts: NDArray[np.int64], n: int, confidence: float = 0.95) -> tuple[float, float, float]:
    """A rate from its counts in several completed tables, with the interval by Rubin's rules (Rubin 1987) on Wilson's centre.

    Args:
        counts: (imputations,) responders in each completed table.
        n: Subjects.

    Returns:
        Rate and interval, each 0-1.
    """
    from scipy.stats import t

    shares = counts / n
    adjusted = (counts + 2) / (n + 4)  # Agresti & Coull 1998: a variance that is not 0 where all or none respond
    within = float(np.mean(adjusted * (1 - adjusted) / (n + 4)))
    between = float(np.var(shares, ddof=1))
    total = within + (1 + 1 / len(counts)) * between
    ratio = (1 + 1 / len(counts)) * between / within
    freedom = (len(counts) - 1) * (1 + 1 / ratio) ** 2 if ratio > 0 else np.inf
    half = float(t.ppf(0.5 + confidence / 2, freedom)) * sqrt(total)
    centre = float(adjusted.mean())
    return float(shares.mean()), max(0.0, centre - half), min(1.0, centre + half)
