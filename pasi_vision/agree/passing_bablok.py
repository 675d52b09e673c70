"""Passing-Bablok regression (1983): a line through the shifted median of all pairwise slopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasi_vision.agree.pairs import Pair, pair_of
from pasi_vision.agree.ratings import Ratings
from pasi_vision.agree.reading import ratings_from
from pasi_vision.agree.record import Agreement, answered, unanswered
from pasi_vision.agree.resample import Resampling

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["passing_bablok", "passing_bablok_of_pair"]

Floats = NDArray[np.float64]

_SOURCE = "Passing & Bablok, J Clin Chem Clin Biochem 1983;21:709-720"
_SAME = 1e-12
_NAMES = ("passing_bablok_slope", "passing_bablok_intercept")
_FEWEST_VALUES = 6
_FEW_ITEMS = 1000
"""Up to here all pairwise slopes are listed; above, ranks are found by counting (Kendall's tau), in n log n steps."""

_MOST_FOR_DESIGN_EFFECT = 1000


def passing_bablok(
    ratings: Ratings | pd.DataFrame, rater: str, reference: str, resampling: Resampling | None = None
) -> list[Agreement]:
    """Passing-Bablok regression rater = intercept + slope x reference (first readings), records of slope and intercept.

    The interval is the paper's (ranks of the slopes); with several items per subject its variance is multiplied by the design effect
    of the ranks.

    Raises:
        InputError: One of them is not a rater.
    """
    return passing_bablok_of_pair(pair_of(ratings_from(ratings), rater, reference), resampling or Resampling())


def passing_bablok_of_pair(pair: Pair, resampling: Resampling) -> list[Agreement]:
    """The same for a pair."""
    method = f"Passing-Bablok regression of {pair.rater} on {pair.reference}, rank interval"
    why_not = pair.obstacle
    if not why_not and (np.ptp(pair.x) == 0 or np.ptp(pair.y) == 0):
        why_not = "no variation: a rater gave one value only"
    if not why_not and pair.n_subjects < 3:
        why_not = f"too few subjects for a line: {pair.n_subjects}"
    if not why_not and len(np.unique(pair.x)) < _FEWEST_VALUES:
        why_not = f"{pair.reference} gave {len(np.unique(pair.x))} different values: too many ties for ranks of slopes"
    if not why_not and not _rise_together(pair):
        why_not = f"{pair.rater} and {pair.reference} do not rise together (Kendall's tau is not positive), as the method supposes"
    if why_not:
        return unanswered(pair.basis, _NAMES, why_not, method, _SOURCE)
    x, y = pair.x, pair.y
    slope = _slopes(pair, resampling)
    ends = (slope[0], slope[2], slope[1])  # a steep line has a low intercept
    intercept = [float(np.median(y - b * x)) if np.isfinite(b) else float("nan") for b in ends]
    if not pair.one_item_each:
        method += " with the design effect of subjects"
    return [
        answered(pair.basis, name, value, method, _SOURCE)
        for name, value in zip(_NAMES, (slope, intercept), strict=True)
    ]


def _rise_together(pair: Pair) -> bool:
    from scipy.stats import kendalltau

    return float(kendalltau(pair.x, pair.y, method="asymptotic").statistic) > 0


def _slopes(pair: Pair, resampling: Resampling) -> tuple[float, float, float]:
    """The shifted median of the slopes and its limits (section 3 of the paper); NaN where a rank lies outside the slopes."""
    n = len(pair.x)
    slopes = _Listed(pair.x, pair.y) if n <= _FEW_ITEMS else _Counted(pair.x, pair.y)
    number, offset = slopes.number, slopes.below_minus_one
    if number == 0:
        return np.nan, np.nan, np.nan
    middle = (number + 1) / 2 + offset
    lower, upper = slopes.at_rank(int(np.floor(middle))), slopes.at_rank(int(np.ceil(middle)))
    value = (lower + upper) / 2
    spread, quantile = np.sqrt(n * (n - 1) * (2 * n + 5) / 18), resampling.z
    if not pair.one_item_each:
        quantile = resampling.t(pair.n_subjects - 1)
        spread *= np.sqrt(_design_effect(pair, value, resampling.seed))
    # As the paper has it; R's mcr does not round here and so may be one rank narrower.
    m1 = round((number - quantile * spread) / 2)
    return value, slopes.at_rank(m1 + offset), slopes.at_rank(number - m1 + 1 + offset)


class _Listed:
    """All pairwise slopes, sorted. A pair of the same point twice or of slope -1 exactly is left out, as the paper has it.

    A vertical pair is infinite; whether it counts as plus or minus infinity depends on the order of the two points, but each minus
    infinity shifts all ranks by one and the offset by one, so that it makes no difference.
    """

    def __init__(self, x: Floats, y: Floats) -> None:
        first, second = np.triu_indices(len(x), 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = (y[first] - y[second]) / (x[first] - x[second])
        self._sorted = np.sort(slope[~np.isnan(slope) & (np.abs(slope + 1) > _SAME)])
        self.number = len(self._sorted)
        self.below_minus_one = int(np.sum(self._sorted < -1))

    def at_rank(self, rank: int) -> float:
        """The slope of that rank (1 is the smallest); NaN outside."""
        return float(self._sorted[rank - 1]) if 1 <= rank <= self.number else float("nan")


class _Counted:
    """The same without listing them: how many slopes lie below b is the number of discordant pairs of x and y - b x (Kendall)."""

    def __init__(self, x: Floats, y: Floats) -> None:
        self._x, self._y = (x - x.mean()) / x.std(), (y - y.mean()) / x.std()
        n = len(x)
        points = np.stack([x, y], axis=1)
        self._pairs, self._same_x = n * (n - 1) // 2, _tied(x)
        self._same_point = _tied(np.unique(points, axis=0, return_inverse=True)[1])
        self._minus_one = _tied(np.round(self._x + self._y, 10)) - self._same_point
        self.number = self._pairs - self._same_point - self._minus_one
        self.below_minus_one = self._below(-1.0 - 1e-9)

    def at_rank(self, rank: int) -> float:
        """The slope of that rank, by halving the angle until two neighbouring numbers are left."""
        if not 1 <= rank <= self.number:
            return float("nan")
        low, high = -np.pi / 2, np.pi / 2
        for _ in range(52):
            middle = (low + high) / 2
            if self._below(float(np.tan(middle))) >= rank:
                high = middle
            else:
                low = middle
        return float(np.tan(high)) if high < np.pi / 2 - 1e-9 else float("nan")

    def _below(self, slope: float) -> int:
        from scipy.stats import kendalltau

        residual = self._y - slope * self._x
        same_residual = _tied(residual)
        # tau-b = (concordant - discordant) / sqrt((pairs - tied in x) (pairs - tied in residual))
        scale = np.sqrt(float(self._pairs - self._same_x) * float(self._pairs - same_residual))
        tau = float(kendalltau(self._x, residual, method="asymptotic").statistic)
        balance = tau * scale if np.isfinite(tau) else 0.0
        strict = self._pairs - self._same_x - same_residual + self._same_point
        discordant = round((strict - balance) / 2)
        return discordant - (self._minus_one if slope > -1 else 0)


def _tied(values: NDArray[np.generic]) -> int:
    counts = np.unique(values, return_counts=True)[1].astype(np.int64)
    return int(np.sum(counts * (counts - 1)) // 2)


def _design_effect(pair: Pair, slope: float, seed: int) -> float:
    """How much more the ranks vary because items of one subject go together: from the projections of the sign statistic.

    Above a thousand items it is worked out on a seeded draw of whole subjects.
    """
    x, y, owner = pair.x, pair.y, pair.owner
    if len(x) > _MOST_FOR_DESIGN_EFFECT:
        order = np.random.default_rng(seed).permutation(pair.n_subjects)
        kept = np.cumsum(np.bincount(owner)[order]) <= _MOST_FOR_DESIGN_EFFECT
        chosen = np.isin(owner, order[kept])
        x, y, owner = x[chosen], y[chosen], owner[chosen]
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.subtract.outer(y, y) / np.subtract.outer(x, x)
    balance = np.sum((slopes > slope) | (slopes < -1), axis=1) - np.sum((slopes >= -1) & (slopes < slope), axis=1)
    centred = balance - balance.mean()
    together = np.bincount(owner, weights=centred)
    single = float(np.sum(centred**2))
    return float(np.sum(together**2) / single) if single > 0 else 1.0
