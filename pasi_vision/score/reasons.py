"""Why a region gives no value, as a number in arrays and as a sentence in tables."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from pasi_vision.anatomy import Region

__all__ = ["Problem", "sentence"]


class Problem(IntEnum):
    """What is wrong with a region's finding, from nothing to everything; those from NO_ROW on leave nothing to say."""

    NONE = 0
    GRADES_WITHOUT_AREA = 1  # noted, still scored: area 0 with grades above 0
    AREA_WITHOUT_GRADES = 2  # noted, still scored: area above 0 with all grades 0
    AREA_AS_SCORE = 3  # scored; no percentage, so no continuous PASI and no BSA
    SCORE_CONTRADICTS = 4
    LITTLE_SEEN = 5
    GRADES_UNKNOWN = 6
    AREA_UNKNOWN = 7
    BOUNDS_ONLY = 8
    NO_ROW = 9
    NOT_SCORABLE = 10


_SAYS = {
    Problem.GRADES_WITHOUT_AREA: "area 0 with grades above 0 counts as clear",
    Problem.AREA_WITHOUT_GRADES: "affected area with all grades 0 counts as 0",
    Problem.AREA_AS_SCORE: "area given as a score, so no continuous PASI and no BSA",
    Problem.SCORE_CONTRADICTS: "area_score and area_percent contradict each other",
    Problem.LITTLE_SEEN: "too little of the region was seen",
    Problem.GRADES_UNKNOWN: "a grade is not known",
    Problem.AREA_UNKNOWN: "the area is not known",
    Problem.BOUNDS_ONLY: "only bounds are known",
    Problem.NO_ROW: "no finding",
    Problem.NOT_SCORABLE: "not scorable",
}


def sentence(problems: Sequence[int], reasons: Sequence[str] = ("", "", "", "")) -> str:
    """The reason of a score: each region with a problem and what it is; "" when there is none.

    >>> sentence([0, 9, 0, 10], ["", "", "", "no photograph was accepted"])
    'Upper limbs: no finding. Lower limbs: not scorable (no photograph was accepted).'
    """
    parts = []
    for region, problem, reason in zip(Region, problems, reasons, strict=True):
        if problem == Problem.NONE:
            continue
        own = f" ({reason.strip().rstrip('.')})" if reason and problem >= Problem.SCORE_CONTRADICTS else ""
        parts.append(f"{region.label}: {_SAYS[Problem(problem)]}{own}.")
    return " ".join(parts)
