"""Variance components by REML (subject, visit, rater, residual, reading) and what other designs would reach (generalizability study).

A rating is mu + subject + visit within subject + rater + residual (rater x visit) + reading, all random. Raters are few, so everything
else is integrated out analytically, layer by layer, and the likelihood costs one pass over the cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from pasi_vision.agree.component_limits import COMPONENT_LIMITS_SOURCE, component_limits
from pasi_vision.agree.ratings import Cells, Ratings
from pasi_vision.agree.reading import ratings_from
from pasi_vision.agree.record import Agreement, Basis, answered, unanswered
from pasi_vision.agree.resample import Resampling

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COMPONENTS", "DESIGN_RATERS", "DESIGN_READINGS", "Design", "variance_components"]

Floats = NDArray[np.float64]

COMPONENTS = ("subject", "visit", "rater", "residual", "reading")
DESIGN_RATERS = (1, 2, 3, 4, 6)
DESIGN_READINGS = (1, 2)

_SOURCE = f"Searle, Casella & McCulloch, Variance Components, 1992, ch. 6; {COMPONENT_LIMITS_SOURCE}"
_DESIGN_SOURCE = "Brennan, Generalizability Theory, 2001; Shavelson & Webb, Generalizability Theory, 1991"
_FLOOR = 1e-7  # of the total variance: below it a component is zero


@dataclass(frozen=True)
class Design:
    """A fitted model: which components there are, their variances, and upper limits of those at zero."""

    names: tuple[str, ...]
    values: Floats
    upper_at_zero: Floats


def variance_components(ratings: Ratings | pd.DataFrame, resampling: Resampling | None = None) -> list[Agreement]:
    """variance_subject, _visit, _rater, _residual and _reading, and design_icc and design_sem of other numbers of raters and readings.

    All readings are used. A component that the data cannot tell apart has no value and says why (visit with one visit per subject,
    reading without repeated readings; each is then part of the component beside it).
    """
    made = ratings_from(ratings)
    resampling = resampling or Resampling()
    basis, cells = made.basis, made.cells
    names = [f"variance_{name}" for name in COMPONENTS]
    method = "REML, interval by MOVER from mean squares"
    why_not = _obstacle(made)
    if why_not:
        return unanswered(basis, names, why_not, method, _SOURCE)
    fitted = _fit(cells)
    return [*_component_records(fitted, cells, basis, method, resampling), *_design_records(fitted, basis)]


def _obstacle(ratings: Ratings) -> str:
    if len(ratings.raters) < 2:
        return "there is one rater only"
    if len(ratings.subjects) < 3:
        return f"too few subjects: {len(ratings.subjects)}"
    if np.ptp(ratings.value) == 0:
        return f"no variation: every rating is {ratings.value[0]:g}"
    if int((ratings.cells.count > 0).sum(axis=1).max()) < 2:
        return "too few: no item was rated by two raters"
    return ""


def _fit(cells: Cells) -> Design:
    has_visits = len(cells.item_subject) > cells.n_subjects
    has_readings = bool((cells.count > 1).any())
    names = tuple(n for n in COMPONENTS if (n != "visit" or has_visits) and (n != "reading" or has_readings))
    seen = cells.count > 0
    centre = float(np.mean(cells.mean[seen]))
    total = float(np.var(cells.mean[seen])) + float(cells.squares.sum() / cells.count.sum())
    y = np.where(seen, cells.mean - centre, 0.0) / np.sqrt(total)
    squares = float(cells.squares.sum()) / total

    def criterion(variances: Floats) -> float:
        return _deviance(dict(zip(names, variances, strict=True)), y, seen, squares, cells)

    start = np.log(np.full(len(names), 1.0 / len(names)))
    bounds = [(np.log(_FLOOR), np.log(100.0))] * len(names)
    found = optimize.minimize(lambda log: criterion(np.exp(log)), start, method="L-BFGS-B", bounds=bounds)
    best = np.exp(found.x)
    best[best < 10 * _FLOOR] = 0.0
    return Design(names, best * total, _upper_limits(criterion, best) * total)


def _deviance(v: dict[str, float], y: Floats, seen: NDArray[np.bool_], squares: float, cells: Cells) -> float:
    """-2 log REML likelihood up to a constant; the layers are readings, visits, subjects, raters."""
    owner, n = cells.item_subject, cells.n_subjects
    reading, visit, subject = v.get("reading", 0.0), v.get("visit", 0.0), v["subject"]
    count = np.where(seen, cells.count, 1.0)
    spread = max(v["residual"], 1e-12) + reading / count
    value = 0.0
    if reading > 0:
        value += squares / reading + float(np.sum(cells.count[seen] - 1)) * np.log(reading)
    w = np.where(seen, 1 / spread, 0.0)
    a = w.sum(axis=1)
    shrink = 1 + visit * a
    t = np.sum(w * y, axis=1)
    c = visit / shrink
    by = np.bincount(owner, weights=a / shrink, minlength=n)
    rows = np.zeros((n, w.shape[1]))
    np.add.at(rows, owner, w / shrink[:, None])
    ts = np.bincount(owner, weights=t / shrink, minlength=n)
    grow = 1 + subject * by
    d = subject / grow
    block = np.diag(w.sum(axis=0)) - (w * c[:, None]).T @ w - (rows * d[:, None]).T @ rows
    ones = np.sum(rows / grow[:, None], axis=0)
    right = np.sum(w * y, axis=0) - np.sum(w * (c * t)[:, None], axis=0) - rows.T @ (d * ts)
    one_one, one_y = float(np.sum(by / grow)), float(np.sum(ts / grow))
    y_y = float(np.sum(w * y**2) - np.sum(c * t**2) - np.sum(d * ts**2))
    inner = np.eye(len(block)) + v["rater"] * block
    solved = v["rater"] * np.linalg.solve(inner, np.stack([ones, right], axis=1))
    one_one -= float(ones @ solved[:, 0])
    one_y -= float(ones @ solved[:, 1])
    y_y -= float(right @ solved[:, 1])
    value += float(np.sum(np.log(spread[seen])) + np.sum(np.log(shrink)) + np.sum(np.log(grow)))
    value += float(np.linalg.slogdet(inner)[1]) + np.log(one_one) + y_y - one_y**2 / one_one
    return float(value)


def _upper_limits(criterion: Callable[[Floats], float], best: Floats) -> Floats:
    """Upper limits of the components at zero (0 for the others)."""
    upper = np.zeros(len(best))
    if (best == 0).any():
        base = float(criterion(best))
        for which in np.flatnonzero(best == 0):
            upper[which] = _upper_limit(criterion, best, int(which), base)
    return upper


def _upper_limit(criterion: Callable[[Floats], float], best: Floats, which: int, base: float) -> float:
    """Where the deviance has risen by 3.84 when a component at zero is made larger."""

    def rise(log: float) -> float:
        place = best.copy()
        place[which] = np.exp(log)
        return float(criterion(place)) - base - float(stats.chi2.ppf(0.95, 1))

    low, high = np.log(_FLOOR), np.log(100.0)
    return float(np.exp(optimize.brentq(rise, low, high, xtol=1e-3))) if rise(low) < 0 < rise(high) else float("nan")


def _component_records(
    fitted: Design, cells: Cells, basis: Basis, method: str, resampling: Resampling
) -> list[Agreement]:
    variances = dict(zip(fitted.names, fitted.values.tolist(), strict=True))
    limits = component_limits(cells, variances, resampling)
    records = []
    absent = {
        "visit": "every subject has one item only: visits cannot be told from subjects",
        "reading": "nobody read anything twice: readings cannot be told from the residual",
    }
    for name in COMPONENTS:
        statistic = f"variance_{name}"
        if name not in fitted.names:
            records += unanswered(basis, [statistic], absent[name], method, _SOURCE)
            continue
        value = variances[name]
        if value == 0:
            how = "REML, at zero; upper limit where the likelihood falls by chi-squared / 2"
            upper = float(fitted.upper_at_zero[fitted.names.index(name)])
            records.append(answered(basis, statistic, (0.0, 0.0, upper), how, _SOURCE))
            continue
        low, high, uneven = limits[name]
        how = f"{method}, widened for uneven spread" if uneven else method
        records.append(answered(basis, statistic, (value, low, high), how, _SOURCE))
    return records


def _design_records(fitted: Design, basis: Basis) -> list[Agreement]:
    """Reliability and error of the mean of so many raters reading so often, if the components stay as they are."""
    v = dict(zip(fitted.names, fitted.values.tolist(), strict=True))
    readings: Sequence[int] = DESIGN_READINGS if "reading" in v else DESIGN_READINGS[:1]
    true = v["subject"] + v.get("visit", 0.0)
    records = []
    for m in readings:
        for k in DESIGN_RATERS:
            error = (v["rater"] + v["residual"]) / k + v.get("reading", 0.0) / (k * m)
            subset = (
                f"raters={k}, readings={m}" if basis.subset is None else f"{basis.subset}; raters={k}, readings={m}"
            )
            part = Basis(subset, basis.n_subjects, basis.n_ratings, basis.n_dropped, basis.notes)
            note = "a prediction from the variance components: it has no interval of its own"
            for name, number in (
                ("design_icc", true / (true + error) if true + error > 0 else np.nan),
                ("design_sem", np.sqrt(error)),
            ):
                records.append(
                    answered(part, name, (float(number), None, None), "decision study", _DESIGN_SOURCE, caution=note)
                )
    return records
