"""One photograph's masks -> what it shows of each region: visible skin, affected share by both conventions, grades of the signs."""

from __future__ import annotations

import numpy as np

from pasi_vision.anatomy import Region, Sign
from pasi_vision.records import SIGN_LEVELS_PER_GRADE, Masks, RegionMeasurement

__all__ = ["measure_photo"]


def measure_photo(masks: Masks, *, minimum_skin_share: float = 0.002) -> list[RegionMeasurement]:
    """Measure every region that a photograph shows.

    Args:
        masks: Of one photograph.
        minimum_skin_share: A region with less skin than this share of the picture is not counted as shown: a few stray pixels
            are no view of a region.

    Returns:
        One measurement per region shown, in the order of `Region`; empty where no skin was found.
    """
    smallest = max(1.0, minimum_skin_share * masks.regions.size)
    skin_px = np.bincount(masks.regions.ravel(), minlength=6)
    outline_px = np.bincount(masks.regions[masks.outline], minlength=6)
    affected = masks.regions[masks.lesion]
    lesion_px = np.bincount(affected, minlength=6)
    signs = masks.signs[masks.lesion]
    levels = {sign: np.bincount(affected, weights=signs[:, channel], minlength=6) for channel, sign in enumerate(Sign)}
    measured = []
    for region in Region:
        skin = int(skin_px[region.code])
        if skin < smallest:
            continue
        lesion = int(lesion_px[region.code])
        measured.append(
            RegionMeasurement(
                region=region,
                skin_px=skin,
                lesion_percent=100.0 * lesion / skin,
                outline_percent=100.0 * int(outline_px[region.code]) / skin,
                lesion_px=lesion,
                grades={
                    sign: float(levels[sign][region.code]) / (SIGN_LEVELS_PER_GRADE * lesion) if lesion else 0.0
                    for sign in Sign
                },
            )
        )
    return measured
