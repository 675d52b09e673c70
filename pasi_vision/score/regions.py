"""Findings of many visits as arrays, one row per visit and one column per region: what all formulas of this part work on."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import GRADE_MAX, REGION_WEIGHT_TENTHS, Region
from pasi_vision.errors import InputError

__all__ = ["REGIONS", "WEIGHTS", "Numbers", "RegionArrays", "or_zero", "over_regions"]

REGIONS = tuple(Region)
WEIGHTS = np.array([REGION_WEIGHT_TENTHS[region] for region in REGIONS], np.int16)

Numbers = NDArray[np.float64]


def or_zero(values: Numbers) -> Numbers:
    """Values with 0 where they are not known: for arithmetic whose result is thrown away there."""
    return np.where(np.isnan(values), 0.0, values)


@dataclass(frozen=True)
class RegionArrays:
    """n visits x 4 regions; NaN is "not known" throughout.

    Attributes:
        area: (n, 4) float64, affected percentage of the *seen* skin of the region.
        grades: (n, 4, 3) float64, erythema, induration, scaling (0-4).
        area_score: (n, 4) float64, the area score where a rater gave it (0-6).
        area_low, area_high, grades_low, grades_high: Intervals; None where the findings have none.
        coverage: (n, 4) float64, share (0-1) of the region's surface that was seen; None (or NaN) means all.
        partial: (n, 4) bool: the finding gives bounds only; None where none does.
        not_scorable: (n, 4) bool: the finding says nothing; None where none does.
        present: (n, 4) bool: there is a finding; None where there is one for every region.
    """

    area: Numbers
    grades: Numbers
    area_score: Numbers | None = None
    area_low: Numbers | None = None
    area_high: Numbers | None = None
    grades_low: Numbers | None = None
    grades_high: Numbers | None = None
    coverage: Numbers | None = None
    partial: NDArray[np.bool_] | None = None
    not_scorable: NDArray[np.bool_] | None = None
    present: NDArray[np.bool_] | None = None

    @property
    def has_intervals(self) -> bool:
        """Whether an interval or unseen skin was given anywhere, so that bounds may differ from the value."""
        return any(
            part is not None
            for part in (self.area_low, self.area_high, self.grades_low, self.grades_high, self.coverage)
        )

    def rows(self, which: NDArray[np.bool_] | slice) -> RegionArrays:
        """The same for some of the visits."""
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: part[which] for name, part in parts.items() if part is not None})

    def check(self) -> None:
        """Refuse values off their scale and intervals that are upside down or leave their value out.

        Raises:
            InputError: With the first such value.
        """
        scales = (
            ("area_percent", 100, self.area_low, self.area, self.area_high),
            ("grade", GRADE_MAX, self.grades_low, self.grades, self.grades_high),
            ("area_score", 6, None, self.area_score, None),
            ("coverage", 1, None, self.coverage, None),
        )
        for name, most, low, value, high in scales:
            for part in (low, value, high):
                wrong = None if part is None else (part < 0) | (part > most) | np.isinf(part)
                if part is not None and wrong is not None and wrong.any():
                    raise InputError(f"{name} {part[wrong][0]:g} is off the scale", fix=f"Use 0 to {most}.")
            for lower, upper in ((low, high), (low, value), (value, high)):
                if lower is not None and upper is not None and (lower > upper).any():
                    first = tuple(np.argwhere(lower > upper)[0])
                    raise InputError(
                        f"{name}: {lower[first]:g} stands as a lower end but exceeds {upper[first]:g}",
                        fix="An interval must hold its value: low <= value <= high.",
                    )


def over_regions(values: Numbers, weights: Numbers) -> Numbers:
    """The weighted sum (...) over regions of (..., 4), always in their order.

    A product of matrices would add in another order for a table than for a row (and on another processor), and what lies half-way would be
    rounded now up, now down.
    """
    head, arms, trunk, legs = (values[..., place] * weights[place] for place in range(4))
    return np.asarray(head + arms + trunk + legs, np.float64)
