"""From a prediction to its interval: residual quantiles that were measured on phantoms of a preset the model did not train on.

Split conformal prediction (Vovk, Gammerman & Shafer 2005; Lei et al., JASA 2018;113:1094): the interval of a prediction is the
prediction plus the low and high quantile of (truth - prediction) on calibration patients. They stand in a model's model.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pasi_vision.anatomy import GRADE_MAX, SCORE_MAX, Sign

__all__ = ["Intervals", "Residuals"]


@dataclass(frozen=True)
class Residuals:
    """Residual quantiles (truth - prediction) of an area_percent or a score.

    Attributes:
        knots: Predictions at which the quantiles hold; between them they are interpolated.
        low, high: The quantiles, in the unit of the prediction.
    """

    knots: tuple[float, ...] = (0.0,)
    low: tuple[float, ...] = (-100.0,)
    high: tuple[float, ...] = (100.0,)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Residuals:
        """Read an entry of `intervals`."""
        return cls(tuple(content["knots"]), tuple(content["low"]), tuple(content["high"]))

    def around(self, value: float, top: float) -> tuple[float, float]:
        """Interval of a prediction on a scale from 0 to `top`."""
        low = value + float(np.interp(value, self.knots, self.low))
        high = value + float(np.interp(value, self.knots, self.high))
        return _within(low, value, high, top)


@dataclass(frozen=True)
class Intervals:
    """What a model knows of its errors.

    Attributes:
        level: Nominal coverage, such as 0.9.
        areas: Of the area_percent of a region.
        scores: Of "pasi" and "bsa_percent" of whole visits, where enough patients told them.
        grades: For each sign the low and high residual quantile in grades.
        grade_lines: For each sign intercept and slope of the line that takes the network's mean grade of a region to the grade that
            calibration patients had there on average; a sign without a line stays as it is.
        detection_limit_percent: A predicted area below it is given as 0 (with its interval): the limit of blank, below which 95 %
            of clear regions are found.
    """

    level: float
    areas: Residuals = Residuals()
    scores: Mapping[str, Residuals] = field(default_factory=dict)
    grades: Mapping[Sign, tuple[float, float]] = field(default_factory=dict)
    grade_lines: Mapping[Sign, tuple[float, float]] = field(default_factory=dict)
    detection_limit_percent: float = 0.0

    @classmethod
    def from_json(cls, content: Mapping[str, Any] | None) -> Intervals:
        """Read the `intervals` of a model.json; without any, the widest intervals (nothing is known about the errors)."""
        content = content or {}
        lines = {Sign(sign): (float(line[0]), float(line[1])) for sign, line in content.get("grade_line", {}).items()}
        if "area_percent" not in content:
            return cls(level=0.0, grade_lines=lines)
        return cls(
            level=float(content["level"]),
            areas=Residuals.from_json(content["area_percent"]),
            scores={name: Residuals.from_json(content[name]) for name in SCORE_MAX if name in content},
            grades={Sign(sign): (float(ends[0]), float(ends[1])) for sign, ends in content.get("grade", {}).items()},
            grade_lines=lines,
            detection_limit_percent=float(content.get("detection_limit_percent", 0.0)),
        )

    def area(self, area_percent: float) -> tuple[float, float]:
        """Interval of an area_percent (0-100)."""
        return self.areas.around(area_percent, 100.0)

    def score(self, name: str, value: float) -> tuple[float, float] | None:
        """Interval of "pasi" (0-72) or "bsa_percent" (0-100) of a visit whose required views were all used; None where none is known."""
        return self.scores[name].around(value, SCORE_MAX[name]) if name in self.scores else None

    def corrected(self, sign: Sign, grade: float) -> float:
        """The network's mean grade of a region on the line of the calibration patients, within 0-4."""
        intercept, slope = self.grade_lines.get(sign, (0.0, 1.0))
        return min(float(GRADE_MAX), max(0.0, intercept + slope * grade))

    def grade(self, sign: Sign, grade: float) -> tuple[float, float]:
        """Interval of a grade (0-4)."""
        low, high = self.grades.get(sign, (-float(GRADE_MAX), float(GRADE_MAX)))
        return _within(grade + low, grade, grade + high, float(GRADE_MAX))


def _within(low: float, value: float, high: float, top: float) -> tuple[float, float]:
    """Clip to the scale and keep the value inside: a biased residual must not push an interval off its own prediction."""
    return max(0.0, min(low, value)), min(top, max(high, value))
