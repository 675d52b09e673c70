"""Which PASI can be: 697 of the 721 tenths from 0 to 72; 67.7, for one, follows from no grades."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pasi_vision.score.regions import WEIGHTS

__all__ = ["attainable_tenths", "is_attainable"]


@lru_cache(maxsize=1)
def attainable_tenths() -> frozenset[int]:
    """Every PASI that integer grades and area scores can give, in tenths.

    >>> len(attainable_tenths()), 677 in attainable_tenths()
    (697, False)
    """
    products = sorted({grades * area for grades, area in product(range(13), range(7))})
    totals = {0}
    for weight in WEIGHTS:
        totals = {total + int(weight) * value for total in totals for value in products}
    return frozenset(totals)


def is_attainable(pasi: ArrayLike) -> NDArray[np.bool_]:
    """Whether each PASI (0-72) can follow from integer grades; False for NaN and for more than one decimal."""
    values = np.asarray(pasi, float)
    tenths = np.rint(np.where(np.isnan(values), -1, values) * 10).astype(np.int64)
    possible = np.zeros(722, bool)
    possible[list(attainable_tenths())] = True
    inside = (tenths >= 0) & (tenths <= 720)
    return np.asarray(inside & possible[np.clip(tenths, 0, 721)] & (np.abs(values * 10 - tenths) < 1e-6))
