"""Regions, signs, views, weights, area bands and body surface tables: pure, cited data and the few lines that read them.

Sources: Fredriksson & Pettersson, Dermatologica 1978;157:238-244 (PASI); Feldman & Krueger, Ann Rheum Dis 2005;64(Suppl
II):ii65-ii68 (area bands as half-open intervals); Wallace, Lancet 1951;257:501-504 (rule of nines).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

__all__ = [
    "AREA_BANDS",
    "AREA_CONTINUOUS_PERCENT",
    "AREA_THRESHOLDS",
    "BSA_TABLES",
    "GRADE_MAX",
    "GRADE_THRESHOLDS",
    "OTHER_SKIN",
    "REGION_WEIGHT_TENTHS",
    "SCORE_MAX",
    "AreaBand",
    "Region",
    "Sign",
    "View",
]


class Region(StrEnum):
    """The four body regions of the PASI, in the order of their codes in region masks (1-4)."""

    HEAD_NECK = "head_neck"
    UPPER_LIMBS = "upper_limbs"
    TRUNK = "trunk"
    LOWER_LIMBS = "lower_limbs"

    @property
    def code(self) -> int:
        """Value in a region mask: 1-4 (0 is not skin, 5 other skin)."""
        return list(Region).index(self) + 1

    @property
    def label(self) -> str:
        """The region's name in a sentence, such as "Head and neck"."""
        return {
            "head_neck": "Head and neck",
            "upper_limbs": "Upper limbs",
            "trunk": "Trunk",
            "lower_limbs": "Lower limbs",
        }[self.value]


OTHER_SKIN = 5
"""Code in region masks of skin that belongs to no region of this subject that could be told."""


class Sign(StrEnum):
    """The three signs of the PASI, each graded 0-4 per region, in the order of the channels of a signs mask."""

    ERYTHEMA = "erythema"
    INDURATION = "induration"
    SCALING = "scaling"


GRADE_MAX = 4
"""Grades run 0 none, 1 slight, 2 moderate, 3 severe, 4 very severe (Fredriksson & Pettersson 1978)."""
SCORE_MAX = {"pasi": 72.0, "bsa_percent": 100.0}
"""Of the scores of a visit: every region wholly affected, every sign at its greatest grade."""


class View(StrEnum):
    """A pose of the photographic protocol; `configs/protocol.yaml` says how each is taken and which a visit needs."""

    HEAD_FRONT = "head_front"
    HEAD_BACK = "head_back"
    HEAD_LEFT = "head_left"
    HEAD_RIGHT = "head_right"
    TRUNK_FRONT = "trunk_front"
    TRUNK_BACK = "trunk_back"
    UPPER_LIMBS_FRONT = "upper_limbs_front"
    UPPER_LIMBS_BACK = "upper_limbs_back"
    LOWER_LIMBS_FRONT = "lower_limbs_front"
    LOWER_LIMBS_BACK = "lower_limbs_back"
    PALMS = "palms"
    SOLES = "soles"
    CLOSE_UP = "close_up"

    @property
    def label(self) -> str:
        """The view's name in a table, such as "Trunk front"."""
        return self.value.replace("_", " ").capitalize()

    @property
    def region(self) -> Region | None:
        """The region this view is taken for; None for a close-up, which may show any."""
        by_prefix = {
            "head": Region.HEAD_NECK,
            "trunk": Region.TRUNK,
            "upper": Region.UPPER_LIMBS,
            "palms": Region.UPPER_LIMBS,
            "lower": Region.LOWER_LIMBS,
            "soles": Region.LOWER_LIMBS,
        }
        return by_prefix.get(self.value.split("_")[0])


REGION_WEIGHT_TENTHS = MappingProxyType(
    {Region.HEAD_NECK: 1, Region.UPPER_LIMBS: 2, Region.TRUNK: 3, Region.LOWER_LIMBS: 4}
)
"""PASI weight of each region in tenths: 0.1, 0.2, 0.3, 0.4 (Fredriksson & Pettersson 1978)."""


@dataclass(frozen=True)
class AreaBand:
    """One area band: `low <= area_percent < high`, but band 0 is exactly 0, band 1 excludes 0 and band 6 includes 100."""

    area_score: int
    low_percent: float
    high_percent: float


AREA_BANDS = (
    AreaBand(0, 0.0, 0.0),
    AreaBand(1, 0.0, 10.0),
    AreaBand(2, 10.0, 30.0),
    AreaBand(3, 30.0, 50.0),
    AreaBand(4, 50.0, 70.0),
    AreaBand(5, 70.0, 90.0),
    AreaBand(6, 90.0, 100.0),
)
"""Area bands as half-open intervals (Feldman & Krueger 2005)."""

_EDGES = tuple(band.low_percent for band in AREA_BANDS[2:])

AREA_THRESHOLDS = MappingProxyType(
    {
        "half_open": (5e-324, *_EDGES),  # the smallest positive number stands for "above 0"
        "round_half_up": (0.5, *(edge - 0.5 for edge in _EDGES)),
        "floor": (1.0, *_EDGES),
    }
)
"""The smallest percentage of each area score 1-6 under each band policy: half-open bands, or the printed bands (1-9, 10-29 ...) after
rounding to a whole per cent, halves up, or after cutting to one."""

AREA_CONTINUOUS_PERCENT = (0.0, *_EDGES, 100.0)
"""Percentages at which the area score without steps is 0, 1 ... 6 (PrecisePASI, Dermatology 2017)."""

GRADE_THRESHOLDS = (0.5, 1.5, 2.5, 3.5)
"""The smallest mean grade that is written as 1, 2, 3, 4: the nearest, halves up."""


BSA_TABLES = MappingProxyType(
    {
        # Share of body surface in percent, as the PASI's weights take it.
        "pasi": MappingProxyType(
            {Region.HEAD_NECK: 10.0, Region.UPPER_LIMBS: 20.0, Region.TRUNK: 30.0, Region.LOWER_LIMBS: 40.0}
        ),
        # Wallace 1951: head and neck 9, each arm 9, trunk 36 (+1 genitals), each leg 18. Buttocks belong to the trunk here.
        "rule_of_nines": MappingProxyType(
            {Region.HEAD_NECK: 9.0, Region.UPPER_LIMBS: 18.0, Region.TRUNK: 37.0, Region.LOWER_LIMBS: 36.0}
        ),
        # Livingston & Lee, J Surg Res 2000;91:106-110, above 80 kg: head 2, each arm 5, trunk 50, each leg 20. These rounded
        # figures sum to 102; they are used as shares of 102, so that the whole body is 100 %.
        "rule_of_nines_obese": MappingProxyType(
            {
                Region.HEAD_NECK: 100 * 2 / 102,
                Region.UPPER_LIMBS: 100 * 10 / 102,
                Region.TRUNK: 100 * 50 / 102,
                Region.LOWER_LIMBS: 100 * 40 / 102,
            }
        ),
        # Measured surface: Lund & Browder, Surg Gynecol Obstet 1944;79:352-358, adult column: head 7, neck 2; arms, forearms and
        # hands 8 + 6 + 5; trunk front and back 26, genitals 1; buttocks 5, thighs 19, legs 14, feet 7. Buttocks are of the lower
        # limbs, as in the PASI.
        "measured": MappingProxyType(
            {Region.HEAD_NECK: 9.0, Region.UPPER_LIMBS: 19.0, Region.TRUNK: 27.0, Region.LOWER_LIMBS: 45.0}
        ),
    }
)
"""Named tables of each region's share of the body surface in percent; each sums to 100."""
