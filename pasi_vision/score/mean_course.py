"""The mean PASI of each arm at each visit, and its change from baseline, from a random-intercept model of the observed visits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.score.missing import MISSING, Schedule
from pasi_vision.score.mixed_model import RandomIntercept, fit

__all__ = ["mean_course"]

_MODEL = (
    "PASI by arm and visit, random intercept per subject, REML; t intervals with subjects minus arms degrees of freedom"
)


def mean_course(plan: Schedule, groups: dict[str, NDArray[np.bool_]], confidence: float = 0.95) -> dict[str, Any]:
    """Fit the model and read off means and changes; JSON-ready, with a reason where there is too little to fit."""
    values = np.concatenate([plan.baseline[:, None], plan.pasi], axis=1)
    arm = np.zeros(len(plan.subjects), np.int64)
    for number, who in enumerate(groups.values()):
        arm[who] = number
    subject, column = np.nonzero(values != MISSING)
    cells, where = np.unique(arm[subject] * values.shape[1] + column, return_inverse=True)
    freedom = len(plan.subjects) - len(groups)
    if len(subject) <= len(cells) or freedom < 1:
        return {"reason": "too few visits for a model"}
    design = np.zeros((len(subject), len(cells)))
    design[np.arange(len(subject)), where] = 1
    model = fit(values[subject, column] / 1000, design, subject)
    names = ("baseline", *plan.visits)
    places = {int(cell): place for place, cell in enumerate(cells)}
    return {
        "model": _MODEL,
        "variance_between": round(model.between, 6),
        "variance_within": round(model.within, 6),
        "arms": {
            name: [
                _visit(model, places, number * len(names), place, visit, (freedom, confidence))
                for place, visit in enumerate(names)
            ]
            for number, name in enumerate(groups)
        },
    }


def _visit(
    model: RandomIntercept, places: dict[int, int], first: int, place: int, visit: str, by: tuple[float, float]
) -> dict[str, Any]:
    """Mean and change of one arm at one visit; `first` is the cell of its baseline."""
    if first + place not in places:
        return {"visit": visit, "mean": None, "reason": "nobody of this arm had this visit"}
    own = np.zeros(len(places))
    own[places[first + place]] = 1
    told: dict[str, Any] = {"visit": visit, **_named("mean", model.contrast(own, *by))}
    if place:
        own[places[first]] -= 1
        told |= _named("change", model.contrast(own, *by))
    return told


def _named(name: str, values: tuple[float, float, float]) -> dict[str, float]:
    return {key: round(value, 6) for key, value in zip((name, f"{name}_low", f"{name}_high"), values, strict=True)}
