"""A 24-patch colour card in the picture, in the same light and through the same camera as the skin.

Colours: X-Rite, ColorChecker Classic made from November 2014 on (CIE Lab, D50), as linear sRGB under D65.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.light import Light, falloff_map

Field = NDArray[np.float32]
Rng = np.random.Generator

PITCH_MM = 14.9  # of the passport-sized card
_GAP = 0.14  # share of the pitch between patches
BORDER_MM = 5.0
SMALLEST_PX = 90.0  # across; a smaller card cannot be read
#: Linear sRGB in reading order, from "dark skin" to "black"; cyan lies outside the gamut and keeps its negative red.
PATCHES = (
    (0.1737, 0.0788, 0.0528), (0.5599, 0.2774, 0.2109), (0.1042, 0.1889, 0.3289), (0.1058, 0.1507, 0.0508),
    (0.2275, 0.2124, 0.4264), (0.1153, 0.5074, 0.4111), (0.7460, 0.2021, 0.0298), (0.0587, 0.1012, 0.3877),
    (0.5602, 0.0801, 0.1146), (0.1092, 0.0420, 0.1381), (0.3328, 0.4973, 0.0426), (0.7711, 0.3578, 0.0204),
    (0.0209, 0.0475, 0.2841), (0.0461, 0.2920, 0.0615), (0.4462, 0.0364, 0.0405), (0.8418, 0.5743, 0.0046),
    (0.5224, 0.0778, 0.2893), (-0.0439, 0.2337, 0.3772), (0.8797, 0.8849, 0.8342), (0.5846, 0.5921, 0.5844),
    (0.3578, 0.3670, 0.3652), (0.1901, 0.1908, 0.1898), (0.0859, 0.0887, 0.0898), (0.0314, 0.0315, 0.0323),
)  # fmt: skip


def lay_card(
    radiance: Field, busy: NDArray[np.bool_], mm_per_px: float, light: Light, rng: Rng
) -> tuple[Field, NDArray[np.bool_]]:
    """Put a card beside the body, if there is room for one.

    Args:
        radiance: (H, W, 3) of the scene.
        busy: (H, W); where the body is.
        mm_per_px: At the body, beside which the card is held.
        light: Of the photograph.
        rng: Tilts and shifts the card.

    Returns:
        The scene with the card, and where the card is (H, W).
    """
    height, width = busy.shape
    across, down = (6 * PITCH_MM + 2 * BORDER_MM) / mm_per_px, (4 * PITCH_MM + 2 * BORDER_MM) / mm_per_px
    corners = _place(busy, across, down, rng)
    if corners is None:
        return radiance, np.zeros(busy.shape, bool)
    face, scale = card_face(across)
    source = (
        np.array([[0, 0], [face.shape[1], 0], [face.shape[1], face.shape[0]], [0, face.shape[0]]], np.float32) - 0.5
    )
    moved = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    laid = cv2.warpPerspective(
        cv2.GaussianBlur(face, (0, 0), 0.35 * scale), moved, (width, height), flags=cv2.INTER_LINEAR
    )
    alpha = cv2.warpPerspective(np.ones(face.shape[:2], np.float32), moved, (width, height), flags=cv2.INTER_LINEAR)
    facing = max((-light.direction[2] + 0.15) / 1.15, 0.0)
    lit = np.float32(light.ambient + (1 - light.ambient) * facing) * falloff_map(light, busy.shape)
    card = laid * lit[..., None]
    return np.asarray(radiance + alpha[..., None] * (card - radiance), np.float32), np.asarray(alpha > 0.01)


def card_face(across_px: float) -> tuple[Field, float]:
    """The card seen from the front at about twice the resolution needed, and how many of its pixels one pixel of the picture spans."""
    pitch = max(24, int(2 * across_px / 6.7))
    border = round(pitch * BORDER_MM / PITCH_MM)
    face = np.full((4 * pitch + 2 * border, 6 * pitch + 2 * border, 3), 0.012, np.float32)
    gap = round(_GAP * pitch / 2)
    for index, colour in enumerate(PATCHES):
        top, left = border + pitch * (index // 6), border + pitch * (index % 6)
        face[top + gap : top + pitch - gap, left + gap : left + pitch - gap] = np.maximum(colour, 0.0)
    return face, face.shape[1] / across_px


def _place(busy: NDArray[np.bool_], across: float, down: float, rng: Rng) -> NDArray[np.float64] | None:
    """Corners (4, 2) of the card: along the frame's sides where it covers the least of the body, slightly turned and tilted.

    None where it would be too small to be read, or nowhere leaves most of the body free.
    """
    height, width = busy.shape
    margin = 0.03 * min(height, width) + 0.06 * across
    best, least = (margin, margin), np.inf
    for left in (margin, width - margin - across):
        for top in np.linspace(margin, max(height - margin - down, margin), 7):
            rows, columns = slice(int(max(top, 0)), int(top + down)), slice(int(max(left, 0)), int(left + across))
            covered = float(busy[rows, columns].sum())
            if covered < least - 1:
                best, least = (left, float(top)), covered
    if across < SMALLEST_PX or least > 0.2 * across * down or across > 0.45 * width:
        return None
    corners = np.array([[0, 0], [across, 0], [across, down], [0, down]], dtype=np.float64)
    centre = np.array([across, down]) / 2
    angle = np.radians(rng.normal(0, 4))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    tilted = (corners - centre) @ turn.T * (1 - np.abs(rng.normal(0, 0.02, 2))) + centre
    return np.asarray(tilted + best + rng.normal(0, 0.008 * across, (4, 2)))
