"""Split conformal intervals for predictions of whole patients: valid for the next patient, however alike one patient's regions are.

Sources: Vovk, Gammerman & Shafer 2005 and Lei et al., JASA 2018;113:1094 (split conformal); Romano, Patterson & Candes, NeurIPS 2019
(conformalized quantile regression: intervals as wide as the error is at that prediction); Lee, Barber & Willett, arXiv 2306.06342 (every
patient counts once, and the patient to come stands for an error without limit).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "area_intervals",
    "detection_limit",
    "grade_interval",
    "hierarchical_quantile",
    "residual_interval",
    "transferred_area_intervals",
]

Floats = NDArray[np.float64]

KNOTS = (0.0, 0.5, 1.0, 2.0, 4.0, 7.0, 11.0, 16.0, 22.0, 30.0, 40.0, 52.0, 66.0, 82.0, 100.0)
"""Predicted area_percent at which residual quantiles are stated: denser where bands are narrow and regions many."""

_NEIGHBOURS = 40
"""Least number of findings from which a local quantile is taken."""

_NARROWEST = 0.25
"""Local widths below this (per cent points) are taken as this: rounding and pixels alone make such errors."""


_NOTHING_KNOWN = {"knots": [0.0], "low": [-100.0], "high": [100.0]}


def hierarchical_quantile(scores: Floats, patients: Sequence[str] | NDArray[Any], level: float) -> float:
    """The score that the next patient's stays under with probability `level` at least.

    Every patient has the weight 1 / (K + 1), spread over its scores; the patient to come has as much at infinity.

    Args:
        scores: (n,) float64.
        patients: (n,) whose they are.
        level: 0-1.

    Returns:
        One of the scores; infinity where there are too few patients for this level.
    """
    _, index, counts = np.unique(np.asarray(patients), return_inverse=True, return_counts=True)
    order = np.argsort(scores, kind="stable")
    weight = 1.0 / ((len(counts) + 1) * counts[index][order])
    reached = np.cumsum(weight) >= level - 1e-12
    return float(scores[order][np.argmax(reached)]) if reached.any() else float("inf")


def residual_interval(
    residuals: Floats, patients: Sequence[str] | NDArray[Any], level: float, widest: float
) -> tuple[float, float]:
    """Low and high quantile of (truth - prediction), each side with half of the error; at most `widest` where patients are too few."""
    side = 1 - (1 - level) / 2
    high = min(hierarchical_quantile(residuals, patients, side), widest)
    low = -min(hierarchical_quantile(-residuals, patients, side), widest)
    return min(low, high), max(low, high)


def area_intervals(
    predicted: Floats, true: Floats, patients: Sequence[str] | NDArray[Any], level: float, *, seed: int = 0
) -> dict[str, list[float]]:
    """Residual quantiles of area_percent at knots of the predicted area, in the form that `measure.Intervals` reads.

    On one half of the patients (drawn by `seed`) the quantiles are fitted near each knot; on the other half they are widened or
    narrowed, in proportion to their width, until the next patient is covered with probability `level`.

    Args:
        predicted, true: (n,) area_percent.
        patients: (n,) whose they are.
        level: Nominal coverage.
        seed: Draws the halves.

    Returns:
        `knots`, `low` and `high`, each ascending in the predicted area; +-100 where patients are too few.
    """
    names = np.asarray(patients)
    fitting = np.isin(names, _half_of(names, seed))
    rest = ~fitting
    if not rest.any():
        return dict(_NOTHING_KNOWN)
    shape = (predicted[fitting], true[fitting])
    return transferred_area_intervals(*shape, predicted[rest], true[rest], names[rest], level)


def transferred_area_intervals(
    shape_predicted: Floats,
    shape_true: Floats,
    predicted: Floats,
    true: Floats,
    patients: Sequence[str] | NDArray[Any],
    level: float,
) -> dict[str, list[float]]:
    """The same with the shape of the error learnt from other findings, such as single photographs.

    The coverage is that of `patients`, who are not used for the shape; nine of them are enough for 90 %.

    Args:
        shape_predicted, shape_true: (m,) area_percent from which the quantiles near each knot are fitted.
        predicted, true, patients: (n,) what they are widened or narrowed on.
        level: Nominal coverage.
    """
    fitted = _local_quantiles(shape_predicted, shape_true - shape_predicted, level)
    if fitted is None:
        return dict(_NOTHING_KNOWN)
    low, high = fitted
    residual = true - predicted
    low_here, high_here = np.interp(predicted, KNOTS, low), np.interp(predicted, KNOTS, high)
    width = np.maximum(high_here - low_here, _NARROWEST)
    miss = np.maximum(low_here - residual, residual - high_here) / width
    factor = hierarchical_quantile(miss, patients, level)
    if not np.isfinite(factor):
        return dict(_NOTHING_KNOWN)
    width = np.maximum(high - low, _NARROWEST)
    low, high = low - factor * width, high + factor * width
    middle = (low + high) / 2
    low, high = np.minimum(low, middle), np.maximum(high, middle)  # a negative factor must not turn them around
    return {
        "knots": list(KNOTS),
        "low": [round(float(x), 3) for x in np.clip(low, -100, 100)],
        "high": [round(float(x), 3) for x in np.clip(high, -100, 100)],
    }


def grade_interval(
    shape: Floats, residuals: Floats, patients: Sequence[str] | NDArray[Any], level: float, widest: float
) -> tuple[float, float]:
    """Low and high quantile of (truth - prediction) of other findings, widened or narrowed until `patients` are covered."""
    low, high = (float(end) for end in np.quantile(shape, [(1 - level) / 2, (1 + level) / 2]))
    width = max(high - low, 0.1)
    factor = hierarchical_quantile(np.maximum(low - residuals, residuals - high) / width, patients, level)
    if not np.isfinite(factor):
        return -widest, widest
    low, high = max(low - factor * width, -widest), min(high + factor * width, widest)
    middle = (low + high) / 2
    return min(low, middle), max(high, middle)


def detection_limit(predicted: Floats, true: Floats, *, share: float = 0.95, largest: float = 1.0) -> float:
    """The limit of blank (CLSI EP17-A2): area_percent below which the given share of clear regions are found.

    A find below it is what clear skin gives, whatever share of patients has mild disease. Of the (1/2 + n share)-th of n ordered
    clear regions; with fewer than n = 1 / (2 (1 - share)), ten for 95 %, there is no such region and no limit.

    Args:
        predicted, true: (n,) area_percent; clear regions are those with a truth of 0.
        share: Of clear regions, 0-1.
        largest: Upper end of the limit, so that mild disease is never called clear.
    """
    clear = np.sort(predicted[true == 0])
    rank = 0.5 + len(clear) * share
    if rank > len(clear):
        return 0.0
    limit = float(np.interp(rank, np.arange(1, len(clear) + 1), clear))
    return min(largest, float(np.ceil(limit * 1e4) / 1e4))


def _half_of(names: NDArray[Any], seed: int) -> NDArray[Any]:
    patients = np.unique(names)
    return np.random.default_rng(seed).permutation(patients)[: len(patients) // 2]


def _local_quantiles(predicted: Floats, residual: Floats, level: float) -> tuple[Floats, Floats] | None:
    """Quantiles of the residuals of the findings nearest to each knot; None where there are fewer than ten findings.

    Large areas are rare, so their neighbours lie lower, where errors are smaller: residuals are compared in units of the spread that
    is usual at their own area. Nearness is on the scale of square roots.
    """
    if len(predicted) < 10:
        return None
    spread = _spread(predicted, np.abs(residual))
    scaled = residual / spread(predicted)
    tail = (1 - level) / 2
    count = min(len(predicted), max(_NEIGHBOURS, len(predicted) // 8))
    knots = np.array(KNOTS)
    low, high = np.empty(len(knots)), np.empty(len(knots))
    for at, knot in enumerate(knots):
        distance = np.abs(np.sqrt(predicted) - np.sqrt(knot))
        near = np.argsort(distance, kind="stable")[:count]
        low[at], high[at] = np.quantile(scaled[near], [tail, 1 - tail])
    here = spread(knots)
    return _smoothed(low) * here, _smoothed(high) * here


def _spread(predicted: Floats, size: Floats) -> Callable[[Floats], Floats]:
    """Usual size of an error at an area: a constant, a part that grows with the area's root and one that grows with the area."""
    from scipy.optimize import nnls

    def terms(area: Floats) -> Floats:
        return np.stack([np.ones_like(area), np.sqrt(area), area], axis=-1)

    # Weighted so that the many small areas and the few large ones are fitted alike in proportion.
    weight = 1.0 / (1.0 + 0.1 * predicted)
    parts, _ = nnls(terms(predicted) * weight[:, None], size * weight)
    return lambda area: np.maximum(terms(area) @ parts, 0.02)


def _smoothed(values: Floats) -> Floats:
    """A running mean of three: neighbouring knots share most of their findings anyway."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    return np.asarray((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4, np.float64)
