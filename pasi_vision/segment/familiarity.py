"""Is this a photograph of skin as the model knows it? If not (a drawing, a document, a dermoscopic or colourless picture), why not.

Five plain signals, each with a limit in model.json that was set between phantoms and pictures that are no photographs of skin
(`train/strangers.py`), nearer to the latter: real photographs differ from phantoms too, and to refuse a good one costs more than to
look at a strange one. A model without limits refuses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from pasi_vision.segment.layout import REGION_CLASSES

__all__ = ["LEAST_LIMITS", "SIGNALS", "Signals", "signals_of", "why_strange"]

BLACK = 16
"""An 8-bit level below which a pixel is black, as beyond the round field of a dermoscope."""

_GRID = 512
"""Neighbours are compared at about this many places along each side."""


@dataclass(frozen=True)
class Signals:
    """What is looked at; every signal is 0-1 and larger where the picture is stranger.

    Attributes:
        flat: Share of the skin whose pixels equal both their right and lower neighbour: drawings, screens, documents.
        wrong_hue: Share of the skin that is bluer than it is red: negatives, false colours, other things.
        colourless: Share of the skin without colour (channels within 2 levels): redness cannot be told.
        doubt: 1 - mean probability of the likeliest class, over the whole picture.
        round_field: 1 if all four corners are black while the middles of at least three sides are not: a dermoscope, an endoscope.
    """

    flat: float
    wrong_hue: float
    colourless: float
    doubt: float
    round_field: float


SIGNALS: Mapping[str, str] = {
    "flat": "it looks like a drawing, a screen or a document, not like a photograph of skin",
    "wrong_hue": "what might be skin is not of a skin's colour",
    "colourless": "it is without colour, so redness cannot be told",
    "doubt": "it is unlike the photographs that the model knows",
    "round_field": "it looks as if taken through a dermoscope; the model knows photographs from a distance only",
}
"""Signal -> reason in plain words."""


LEAST_LIMITS: Mapping[str, float] = {
    "flat": 0.6,
    "wrong_hue": 0.75,
    "colourless": 0.75,
    "doubt": 0.85,
    "round_field": 0.5,
}
"""No limit is set lower: 74 real photographs reached at most 0.25, 0.52, 0.30, 0.64 and 0, and each of them must pass."""


def signals_of(pixels: NDArray[np.uint8], seen: NDArray[np.float32]) -> Signals:
    """Signals of one photograph.

    Args:
        pixels: (H, W, 3) uint8 sRGB in its own size: shrinking would hide what is flat.
        seen: (11, h, w) what the model says of it.
    """
    height, width = pixels.shape[:2]
    down, right = max(1, height // _GRID), max(1, width // _GRID)
    here = pixels[: height - 1 : down, : width - 1 : right]
    flat = _equal(here, pixels[: height - 1 : down, 1::right][:, : here.shape[1]])
    flat &= _equal(here, pixels[1::down, : width - 1 : right][: here.shape[0]])
    rows = np.linspace(0, seen.shape[1] - 1, here.shape[0]).round().astype(int)
    columns = np.linspace(0, seen.shape[2] - 1, here.shape[1]).round().astype(int)
    skin = seen[0][np.ix_(rows, columns)] < 0.5
    red, green, blue = (np.asarray(here[..., channel][skin], np.int16) for channel in range(3))
    found = len(red) > 0
    return Signals(
        flat=float(flat[skin].mean()) if found else 0.0,
        wrong_hue=float((blue > red + 4).mean()) if found else 0.0,
        colourless=float((_spread(red, green, blue) <= 2).mean()) if found else 0.0,
        doubt=float(1 - seen[:REGION_CLASSES].max(0).mean()),
        round_field=_round_field(pixels),
    )


def why_strange(pixels: NDArray[np.uint8], seen: NDArray[np.float32], limits: Mapping[str, float]) -> str:
    """The reason why nothing should be said about a picture; "" where there is none.

    Args:
        pixels, seen: As for `signals_of`.
        limits: Signal -> value above which a picture is strange; a signal without a limit is not looked at.
    """
    if not limits:
        return ""
    found = asdict(signals_of(pixels, seen))
    return next(
        (SIGNALS[name] for name in SIGNALS if name in limits and found[name] > max(limits[name], LEAST_LIMITS[name])),
        "",
    )


def _equal(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where all three channels are equal; channel by channel, because a sum over an axis of three is slow."""
    same = one == other
    return np.asarray(same[..., 0] & same[..., 1] & same[..., 2], bool)


def _spread(red: NDArray[np.int16], green: NDArray[np.int16], blue: NDArray[np.int16]) -> NDArray[np.int16]:
    """Largest channel less the smallest."""
    most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    return np.asarray(most - least, np.int16)


def _round_field(pixels: NDArray[np.uint8]) -> float:
    height, width = pixels.shape[:2]
    size = max(2, min(height, width) // 25)
    far, low = width - size, height - size
    middle, centre = (width - size) // 2, (height - size) // 2

    def black(top: int, left: int) -> bool:
        return bool(pixels[top : top + size, left : left + size].max() < BLACK)

    corners = sum(black(top, left) for top in (0, low) for left in (0, far))
    sides = sum(not black(top, left) for top, left in ((0, middle), (low, middle), (centre, 0), (centre, far)))
    return float(corners == 4 and sides >= 3)
