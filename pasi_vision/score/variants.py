"""Relatives of the PASI on the same engine: mPASI, SPASI, PGA x BSA, PSSI, NAPSI. Each is exact and refuses what is off its scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pasi_vision.anatomy import GRADE_MAX, Region
from pasi_vision.errors import InputError
from pasi_vision.score.bands import BandPolicy, area_score
from pasi_vision.score.visits import pasi_tenths

__all__ = ["mpasi_tenths", "napsi", "pga_bsa", "pssi", "spasi"]


def mpasi_tenths(regions: Mapping[Region, tuple[int, int, int, int]]) -> int:
    """Modified PASI in tenths: the PASI without the head and neck, weights unchanged, 0-64.8 (as in the calcipotriol trials).

    Some authors call other things mPASI (a PASI whose weights are stretched to 72, or whose area is a percentage): name it in a paper.

    >>> mpasi_tenths({region: (4, 4, 4, 6) for region in Region})
    648
    """
    without_head = dict(regions)
    without_head[Region.HEAD_NECK] = (0, 0, 0, 0)
    return pasi_tenths(without_head)


def spasi(grades: tuple[int, int, int], bsa_percent: float, policy: BandPolicy = BandPolicy.HALF_OPEN) -> int:
    """Simplified PASI (0-72): the average erythema, induration and scaling of all lesions, summed, times the area score of the whole body.

    Source: Louden, Pearce, Lang, Feldman, Dermatol Online J 2004;10(2):7.

    >>> spasi((2, 2, 2), 15)
    12
    """
    _check(grades, bsa_percent)
    return sum(grades) * int(area_score(bsa_percent, policy))


def pssi(grades: tuple[int, int, int], scalp_percent: float, policy: BandPolicy = BandPolicy.HALF_OPEN) -> int:
    """Psoriasis Scalp Severity Index (0-72): (E + I + S) times the area score of the scalp (Thaçi et al., Dermatology 2001;203:153-156).

    >>> pssi((4, 4, 4), 95)
    72
    """
    _check(grades, scalp_percent)
    return sum(grades) * int(area_score(scalp_percent, policy))


def pga_bsa(pga: float, bsa_percent: float, pga_max: int = 5) -> float:
    """Product of the Physician Global Assessment and BSA (Walsh, McFadden, Woodcock et al., J Am Acad Dermatol 2013;69:931-937).

    Args:
        pga: 0 to `pga_max`: 5 in the source, 4 for an IGA. Products on different scales must not be compared.
        bsa_percent: 0-100.

    >>> pga_bsa(3, 12)
    36.0
    """
    if not 0 <= pga <= pga_max or not 0 <= bsa_percent <= 100:
        raise InputError(f"PGA {pga:g} and BSA {bsa_percent:g} are off the scale", fix=f"PGA 0-{pga_max}, BSA 0-100.")
    return round(float(pga * bsa_percent), 9)


def napsi(nails: Sequence[tuple[int, int]]) -> int:
    """Nail Psoriasis Severity Index: quadrants (0-4) with matrix disease plus quadrants with bed disease, summed over nails.

    Ten fingernails give 0-80, with toenails 0-160 (Rich & Scher, J Am Acad Dermatol 2003;49:206-212).

    Args:
        nails: (matrix quadrants, bed quadrants) of each nail, at most twenty.

    >>> napsi([(4, 4)] * 10), napsi([(4, 4)] * 20)
    (80, 160)
    """
    if len(nails) > 20 or any(not 0 <= quadrants <= 4 for nail in nails for quadrants in nail):
        raise InputError(
            f"{len(nails)} nails {list(nails)[:3]} ... are off the scale", fix="At most 20 nails of 0 to 4 quadrants."
        )
    return sum(matrix + bed for matrix, bed in nails)


def _check(grades: tuple[int, int, int], percent: float) -> None:
    if any(g not in range(GRADE_MAX + 1) for g in grades) or not 0 <= percent <= 100:
        raise InputError(
            f"grades {grades} and area {percent:g} % are off the scale", fix="Grades 0 to 4, area 0 to 100."
        )
