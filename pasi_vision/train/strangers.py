"""Pictures that are no photographs of skin, drawn to set the limits of `segment/familiarity.py` and to measure what they catch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from pasi_vision.segment.familiarity import LEAST_LIMITS, SIGNALS, Signals

__all__ = ["KINDS", "familiarity_limits", "stranger"]

Pixels = NDArray[np.uint8]

TOWARDS_STRANGE = 0.75
"""Where a limit lies between the strangest phantom (0) and the usual stranger (1)."""

SMALLEST_GAP = 0.05
"""Signals that part phantoms and strangers by less than this get no limit."""

SIDE = 448


def stranger(kind: str, generator: np.random.Generator, photographs: Sequence[Pixels]) -> Pixels:
    """Draw one picture.

    Args:
        kind: One of `KINDS`.
        generator: Decides everything.
        photographs: Of skin; some kinds are made of one of them.

    Returns:
        (H, W, 3) uint8 sRGB.
    """
    return _MAKERS[kind](generator, photographs[int(generator.integers(len(photographs)))])


def familiarity_limits(known: Sequence[Signals], strange: Mapping[str, Sequence[Signals]]) -> dict[str, float]:
    """Limits between photographs of skin and strangers.

    A limit lies beyond every known photograph, three quarters of the way to the median of the strangers that the signal is meant for.

    Args:
        known: Of photographs of skin, of a preset that the model was not trained on.
        strange: Kind -> signals of its pictures.

    Returns:
        Signal -> limit; only for signals that part the two.
    """
    limits: dict[str, float] = {}
    for signal in SIGNALS:
        meant = [asdict(one)[signal] for kind, name in KINDS.items() if name == signal for one in strange.get(kind, ())]
        if not meant or not known:
            continue
        most, usual = max(asdict(one)[signal] for one in known), float(np.median(meant))
        if usual - most >= SMALLEST_GAP:
            limits[signal] = max(round(most + TOWARDS_STRANGE * (usual - most), 4), LEAST_LIMITS[signal])
    return limits


def _drawing(generator: np.random.Generator, _: Pixels) -> Pixels:
    """Flat shapes in the colours of skin and lesions, as an illustration has them."""
    import cv2

    picture = np.full((SIDE, SIDE, 3), _skin_colour(generator), np.uint8)
    for _shape in range(int(generator.integers(3, 12))):
        centre = generator.integers(0, SIDE, 2).tolist()
        axes = generator.integers(15, 120, 2).tolist()
        colour = (_skin_colour(generator) * np.array([1.0, 0.6, 0.6])).astype(int).tolist()
        cv2.ellipse(picture, centre, axes, float(generator.uniform(0, 180)), 0, 360, colour, -1)
    return picture


def _document(generator: np.random.Generator, _: Pixels) -> Pixels:
    """Lines of letters on coloured paper."""
    import cv2

    paper = _skin_colour(generator) if generator.random() < 0.5 else np.full(3, 250)
    picture = np.full((SIDE, SIDE, 3), paper, np.uint8)
    for line in range(30, SIDE - 10, 22):
        words = "".join(generator.choice(list("abcdefgh ijklmnop "), 36))
        cv2.putText(picture, words, (20, line), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (30, 30, 30), 1)
    return picture


def _noise(generator: np.random.Generator, _: Pixels) -> Pixels:
    return generator.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def _colourless(_: np.random.Generator, photograph: Pixels) -> Pixels:
    grey = photograph.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.repeat(grey.round().astype(np.uint8)[..., None], 3, axis=2)


def _negative(_: np.random.Generator, photograph: Pixels) -> Pixels:
    return np.asarray(255 - photograph, np.uint8)


def _swapped(_: np.random.Generator, photograph: Pixels) -> Pixels:
    """Red and blue exchanged: a wrongly written file."""
    return np.ascontiguousarray(photograph[..., ::-1])


def _dermoscopy(generator: np.random.Generator, photograph: Pixels) -> Pixels:
    """A small part of skin, greatly enlarged, in a round field."""
    import cv2

    height, width = photograph.shape[:2]
    side = max(8, min(height, width) // 4)
    top, left = int(generator.integers(0, height - side + 1)), int(generator.integers(0, width - side + 1))
    part = cv2.resize(photograph[top : top + side, left : left + side], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    field = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(field, (SIDE // 2, SIDE // 2), int(SIDE * generator.uniform(0.5, 0.56)), 1, -1)
    return np.asarray(part * field[..., None], np.uint8)


def _skin_colour(generator: np.random.Generator) -> NDArray[np.float64]:
    light = np.array([232.0, 190.0, 165.0])
    return np.asarray(light * generator.uniform(0.3, 1.0), np.float64)


_MAKERS: Mapping[str, Callable[[np.random.Generator, Pixels], Pixels]] = {
    "drawing": _drawing,
    "document": _document,
    "noise": _noise,
    "colourless": _colourless,
    "negative": _negative,
    "swapped colours": _swapped,
    "dermoscopy": _dermoscopy,
}

KINDS: Mapping[str, str] = {
    "drawing": "flat",
    "document": "flat",
    "noise": "doubt",
    "colourless": "colourless",
    "negative": "wrong_hue",
    "swapped colours": "wrong_hue",
    "dermoscopy": "round_field",
}
"""Kind -> the signal that is meant to catch it."""
