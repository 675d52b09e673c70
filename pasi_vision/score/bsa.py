"""BSA: the affected percentage of the body surface, from regions by a named table or from palm prints."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pasi_vision.anatomy import BSA_TABLES, Region
from pasi_vision.errors import InputError
from pasi_vision.score.regions import REGIONS, over_regions

__all__ = ["area_percent_of_palms", "bsa_percent", "bsa_percent_of_palms"]


def bsa_percent(area_percent: ArrayLike, table: str = "pasi") -> NDArray[np.float64]:
    """Affected body surface in percent (0-100) of affected percentages per region, by a table of `anatomy.BSA_TABLES`.

    Args:
        area_percent: (..., 4) percentages in the order of `Region`; NaN (not known) makes the result NaN.
        table: pasi, rule_of_nines, rule_of_nines_obese or measured.

    >>> float(bsa_percent([15, 15, 20, 20]))
    18.5
    """
    if table not in BSA_TABLES:
        raise InputError(f"BSA table {table!r} is not known", fix=f"Use one of {', '.join(BSA_TABLES)}.")
    shares = np.array([BSA_TABLES[table][region] for region in REGIONS]) / 100
    return np.round(over_regions(np.asarray(area_percent, float), shares), 6)


def bsa_percent_of_palms(palms: float, hand_percent: float = 1.0) -> float:
    """Affected body surface in percent of a number of palm prints (fingers included).

    By convention a hand print is 1 % (the "rule of palm"); measured, it is about 0.8 % in men and 0.7 % in women (Rossiter et al.,
    Burns 1996;22:230-231), the palm without fingers about 0.5 %. `hand_percent` says which.

    Raises:
        InputError: A negative number, or more than the whole body.

    >>> bsa_percent_of_palms(12), bsa_percent_of_palms(12, 0.8)
    (12.0, 9.6)
    """
    percent = round(palms * hand_percent, 9)
    if not 0 <= percent <= 100:
        raise InputError(f"{palms:g} palms are {percent:g} % of the body", fix="Count the palm prints again.")
    return percent


def area_percent_of_palms(palms: float, region: Region, hand_percent: float = 1.0, table: str = "pasi") -> float:
    """Affected percentage of one region covered by a number of palm prints.

    Raises:
        InputError: More palms than the region holds, or a negative number.

    >>> area_percent_of_palms(2, Region.UPPER_LIMBS)
    10.0
    """
    percent = round(bsa_percent_of_palms(palms, hand_percent) / BSA_TABLES[table][region] * 100, 9)
    if percent > 100:
        raise InputError(
            f"{palms:g} palms are more than the {region.label.lower()} hold ({BSA_TABLES[table][region]:g} % of the body)",
            fix="Count the palm prints again.",
        )
    return percent
