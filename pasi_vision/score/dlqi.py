"""DLQI: arithmetic only. The questionnaire's wording is under copyright and is not in this package.

Notice: Dermatology Life Quality Index (c) A Y Finlay, G K Khan, April 1992, www.dermatology.org.uk. It must not be copied without the
permission of the authors, and the statement must be reprinted at the end of every copy; research use may need a licence.

Sources: Finlay & Khan, Clin Exp Dermatol 1994;19:210-216 (score); Hongbo et al., J Invest Dermatol 2005;125:659-664 (bands); Basra
et al., Dermatology 2015;230:27-33 (minimal clinically important difference 4); Rencz et al., Br J Dermatol 2018;179:1102-1108 (DLQI-R);
the authors' instructions (one unanswered item counts 0; with two or more the questionnaire is not scored).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pasi_vision.errors import InputError

__all__ = ["MCID", "NOTICE", "NOT_RELEVANT", "Dlqi", "band", "dlqi", "improved"]

NOT_RELEVANT: Final = "not_relevant"
"""The answer that items 3 to 10 allow beside 0-3; it scores 0 in the DLQI and is corrected for in the DLQI-R."""
MCID = 4
NOTICE = (
    "Dermatology Life Quality Index \N{COPYRIGHT SIGN} A Y Finlay, G K Khan, April 1992, www.dermatology.org.uk. "
    "Not to be copied without permission."
)

_BANDS = (
    (1, "no effect"),
    (5, "small effect"),
    (10, "moderate effect"),
    (20, "very large effect"),
    (30, "extremely large effect"),
)


@dataclass(frozen=True)
class Dlqi:
    """A scored questionnaire: total (0-30), DLQI-R (0-30), band, unanswered and not relevant items; None with a reason if not scored."""

    total: int | None
    relevant: float | None
    band: str | None
    unanswered: int
    not_relevant: int
    reason: str = ""


def dlqi(items: Sequence[int | str | None]) -> Dlqi:
    """Score ten answers: 0-3, NOT_RELEVANT (items 3 to 10 only), or None for an item left unanswered.

    DLQI-R = total x 10 / (10 - not relevant items). An unanswered item is not a not relevant one.

    Raises:
        InputError: Not ten items, or an answer that the item does not allow.

    >>> score = dlqi([3, 3, NOT_RELEVANT, 2, 1, NOT_RELEVANT, 0, 0, 0, 0])
    >>> score.total, score.relevant, score.band
    (9, 11.25, 'moderate effect')
    """
    if len(items) != 10:
        raise InputError(f"{len(items)} items", fix="The DLQI has ten.")
    for number, answer in enumerate(items, start=1):
        allowed = (
            answer is None
            or (answer == NOT_RELEVANT and number >= 3)
            or (answer in (0, 1, 2, 3) and answer is not True)
        )
        if not allowed:
            raise InputError(
                f"item {number} cannot be {answer!r}", fix="Use 0 to 3, not_relevant (from item 3 on) or nothing."
            )
    unanswered = sum(answer is None for answer in items)
    not_relevant = sum(answer == NOT_RELEVANT for answer in items)
    if unanswered > 1:
        return Dlqi(None, None, None, unanswered, not_relevant, f"{unanswered} items unanswered; at most one may be")
    total = sum(answer for answer in items if isinstance(answer, int))
    return Dlqi(total, round(total * 10 / (10 - not_relevant), 2), band(total), unanswered, not_relevant)


def band(total: int) -> str:
    """The band of a total: 0-1 no, 2-5 small, 6-10 moderate, 11-20 very large, 21-30 extremely large effect (Hongbo 2005).

    >>> [band(total) for total in (1, 2, 10, 11, 21)]
    ['no effect', 'small effect', 'moderate effect', 'very large effect', 'extremely large effect']
    """
    if not 0 <= total <= 30:
        raise InputError(f"DLQI {total} is off the scale", fix="Use 0 to 30.")
    return next(name for most, name in _BANDS if total <= most)


def improved(before: int | None, after: int | None) -> bool | None:
    """Whether a total fell by at least the minimal clinically important difference of 4; None where one is not known.

    A total below 4 cannot fall by 4: that is None too, not False.

    >>> improved(12, 8), improved(12, 9), improved(3, 0)
    (True, False, None)
    """
    if before is None or after is None or before < MCID:
        return None
    return before - after >= MCID
