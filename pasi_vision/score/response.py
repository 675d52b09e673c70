"""Response: change, PASI-k, absolute PASI, best response; in integers, because floating point misjudges scores exactly on the threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["ABSOLUTE_PASI", "RESPONSES", "percent_change", "reaches", "responds"]

RESPONSES = (50, 75, 90, 100)
ABSOLUTE_PASI = (1, 2, 3, 5)


def responds(baseline: float, follow_up: float, k: int = 75) -> bool:
    """Whether a PASI at follow-up is a PASI-k response to a PASI at baseline, exactly.

    Both are taken to thousandths; PASI-k holds when 100 (baseline - follow-up) >= k baseline in integers.

    Raises:
        ValueError: The baseline is 0, to which nothing can respond.

    >>> responds(7.6, 1.9, 75), (7.6 - 1.9) / 7.6 * 100 >= 75
    (True, False)
    """
    before, after = round(baseline * 1000), round(follow_up * 1000)
    if before <= 0:
        raise ValueError("a baseline of 0 leaves nothing to improve")
    return bool(reaches(np.array(before), np.array(after), k))


def reaches(baseline: NDArray[np.int64], follow_up: NDArray[np.int64], k: int) -> NDArray[np.bool_]:
    """PASI-k for arrays of whole thousandths (baseline above 0)."""
    return np.asarray(100 * (baseline - follow_up) >= k * baseline)


def percent_change(baseline: ArrayLike, follow_up: ArrayLike) -> NDArray[np.float64]:
    """100 (follow-up - baseline) / baseline, as CDISC's percent change from baseline: negative is improvement; NaN for baseline 0."""
    before, after = np.asarray(baseline, float), np.asarray(follow_up, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = 100 * (after - before) / before
    return np.where(before > 0, np.round(change, 6), np.nan)
