"""Which regions a view of the protocol can show; where the view is known, the others are ruled out."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import OTHER_SKIN, Region, View

__all__ = ["POSSIBLE_REGIONS", "allowed_codes"]

_HEAD, _ARMS, _TRUNK, _LEGS = Region

POSSIBLE_REGIONS = MappingProxyType(
    {
        # A portrait shows the shoulders, never a leg.
        **dict.fromkeys((View.HEAD_FRONT, View.HEAD_BACK, View.HEAD_LEFT, View.HEAD_RIGHT), (_HEAD, _ARMS, _TRUNK)),
        **dict.fromkeys((View.TRUNK_FRONT, View.TRUNK_BACK), tuple(Region)),
        **dict.fromkeys((View.UPPER_LIMBS_FRONT, View.UPPER_LIMBS_BACK), tuple(Region)),
        # Hands hang beside the thighs; the head is far away.
        **dict.fromkeys((View.LOWER_LIMBS_FRONT, View.LOWER_LIMBS_BACK), (_ARMS, _TRUNK, _LEGS)),
        # Who shows the palms stands behind them; who shows the soles, hands and legs beside them.
        View.PALMS: (_HEAD, _ARMS, _TRUNK),
        View.SOLES: (_ARMS, _LEGS),
        View.CLOSE_UP: tuple(Region),
    }
)
"""Region by view; a view that is not known allows all."""


def allowed_codes(view: View | None) -> NDArray[np.bool_]:
    """(6,) bool: which codes of a region mask a view allows. Not skin and other skin are always allowed."""
    regions = tuple(Region) if view is None else POSSIBLE_REGIONS[view]
    allowed = np.zeros(6, bool)
    allowed[0] = True
    allowed[[region.code for region in regions]] = True
    allowed[OTHER_SKIN] = True
    return allowed
