"""What is allowed in a findings table but looks wrong: told with its row, never corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["doubts"]

_MOST = 10
"""At most so many rows are named."""


def doubts(findings: pd.DataFrame) -> list[str]:
    """Warnings about percentages that may be shares (0-1), which would make nearly everybody nearly clear.

    A row is named when its area lies between 0 and 1. Measured areas, which carry an interval, are not doubted: a photograph can show
    0.4 %.
    """
    if "area_percent" not in findings.columns:
        return []
    area = findings["area_percent"].to_numpy(dtype=float, na_value=np.nan)
    small = (area > 0) & (area < 1)
    if "area_percent_low" in findings.columns:
        small &= findings["area_percent_low"].isna().to_numpy()
    if not small.any():
        return []
    rater = findings["rater"].astype(object).to_numpy()
    known = {name: float(np.nanmax(np.where(rater == name, area, np.nan))) for name in dict.fromkeys(rater[small])}
    rows = np.flatnonzero(small)
    told = [
        f"row {row + 2} column area_percent: {area[row]:g} is below 1 per cent"
        + (
            f"; no area of rater {rater[row]} exceeds 1: are shares (0-1) meant instead of per cent?"
            if known[rater[row]] <= 1
            else ": is a share (0-1) meant instead of per cent?"
        )
        for row in rows[:_MOST]
    ]
    if len(rows) > _MOST:
        told.append(f"{len(rows) - _MOST} more rows have an area below 1 per cent")
    return told
