"""Photo -> CalibratedImage: colours and scale from a 24-patch card, or a stated fallback.

White balance, exposure and camera colours are one 3 x 3 matrix in linear light (without offsets, so black stays black). A fit that does not
explain the card is reported and the colours are left as they are: a wrong correction does more harm than none.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pasi_vision.anatomy import View
from pasi_vision.photo.card import Card, find_card
from pasi_vision.photo.card_colours import CardEdition, reference_linear
from pasi_vision.photo.colour import apply_matrix, ciede2000, lab_of_linear, srgb_to_linear
from pasi_vision.records import CalibratedImage, Calibration, CalibrationStatus, Photo, QualityReport
from pasi_vision.settings import Settings

__all__ = ["CalibrationSettings", "calibrate"]


class CalibrationSettings(Settings):
    """How photographs are calibrated.

    Attributes:
        card_edition: When the study's card was made (printed on it).
        card: Its format, for millimetres per pixel; null where other formats or none are used.
        card_pitch_mm: Instead of `card`: distance between the middles of neighbouring patches, measured with a ruler over the six
            patches of a row and divided by five.
        max_residual_de2000: Mean CIEDE2000 over the card's patches above which a fit is not used.
        find_card: Whether to look for a card at all.
    """

    card_edition: CardEdition = CardEdition.AFTER_NOVEMBER_2014
    card: Literal["passport", "mini"] | None = None
    card_pitch_mm: float | None = Field(default=None, gt=0)
    max_residual_de2000: float = Field(default=6.0, gt=0)
    find_card: bool = True


# Patch pitch in mm, read off the millimetre scale printed on these cards (two photographs, +-1 %).
_PITCH_MM = {"passport": 14.9, "mini": 14.8}

_CLIPPED, _CRUSHED = 250.0, 4.0  # levels beyond which a patch says nothing about the light
_FEWEST_PATCHES = 18
_UNEVEN = 40.0  # levels of spread within a patch from which something covers it or the grid is not on it
_MOST_UNEVEN = 2
_FOURTH_WORST_DE2000 = (
    9.0  # a genuine card has an odd patch (glare, or cyan, which sRGB cannot hold); a look-alike has many
)
_MAX_GAIN = 3.0  # of the grey patches: beyond, the card is lit so differently that it does not speak for the skin


def calibrate(
    photo: Photo,
    quality: QualityReport,
    view: View | None = None,
    settings: CalibrationSettings | None = None,
) -> CalibratedImage:
    """Bring a photograph's colours to sRGB under D65 by the card in it, and find its scale.

    Without a card the colours stay as the camera made them (status `fallback`): guessing the light from a picture full of skin takes the
    skin's own colour for a cast, and what that costs was measured (docs/photographs.md).
    """
    settings = settings or CalibrationSettings()
    card = find_card(photo.pixels) if settings.find_card else None
    if card is None:
        reason = "no colour card found: colours as the camera made them, no scale"
        return _uncorrected(photo, quality, view, Calibration(CalibrationStatus.FALLBACK, np.eye(3), reason=reason))
    calibration = _fit(card, photo.pixels.shape[:2], settings)
    if calibration.status is not CalibrationStatus.CARD:
        return _uncorrected(photo, quality, view, calibration)
    return CalibratedImage(apply_matrix(photo.pixels, calibration.matrix), photo, quality, calibration, view)


def _uncorrected(photo: Photo, quality: QualityReport, view: View | None, calibration: Calibration) -> CalibratedImage:
    return CalibratedImage(photo.pixels, photo, quality, calibration, view)


def _fit(card: Card, size: tuple[int, int], settings: CalibrationSettings) -> Calibration:
    """The card's matrix, residual and scale; or why it cannot be used."""
    reference = reference_linear(settings.card_edition)
    measured = srgb_to_linear(card.levels / 255)
    usable = (card.levels.max(axis=1) < _CLIPPED) & (card.levels.max(axis=1) > _CRUSHED) & (card.spread < _UNEVEN)
    target = lab_of_linear(reference)
    before = float(ciede2000(lab_of_linear(measured), target).mean())
    reason = _unusable(card, size, measured, usable)
    residual = None
    matrix = np.eye(3)
    if not reason:
        matrix = _matrix(measured[usable], reference[usable])
        differences = ciede2000(lab_of_linear(measured @ matrix.T), target)
        residual = float(differences.mean())
        gain = float(np.median(reference[19:23].mean(axis=1) / measured[19:23].mean(axis=1)))
        reason = _bad_fit(matrix, gain, differences, settings)
    if reason:
        return Calibration(
            CalibrationStatus.UNCALIBRATED,
            np.eye(3),
            residual_de2000=residual,
            residual_before_de2000=before,
            reason=f"{reason}: colours as the camera made them, no scale",
            card_edition=settings.card_edition,
            card_corners=card.corners,
        )
    pitch_mm = settings.card_pitch_mm or _PITCH_MM.get(settings.card or "")
    return Calibration(
        CalibrationStatus.CARD,
        matrix,
        residual_de2000=residual,
        residual_before_de2000=before,
        mm_per_px=pitch_mm / card.pitch_px if pitch_mm else None,
        reason=f"24-patch card: mean CIEDE2000 {before:.1f} before, {residual:.1f} after",
        card_edition=settings.card_edition,
        card_corners=card.corners,
    )


def _unusable(card: Card, size: tuple[int, int], measured: NDArray[np.float64], usable: NDArray[np.bool_]) -> str:
    """Why a card cannot even be fitted; "" if it can."""
    height, width = size
    slack = card.pitch_px / 4
    x, y = card.corners[:, 0], card.corners[:, 1]
    if min(x.min(), y.min()) < -slack or x.max() > width + slack or y.max() > height + slack:
        return "the colour card is cut off by the picture's edge"
    if int((card.spread >= _UNEVEN).sum()) > _MOST_UNEVEN:
        return "the colour card is partly covered, in shadow or glare, or not a 24-patch ColorChecker"
    if int(usable.sum()) < _FEWEST_PATCHES:
        return f"only {int(usable.sum())} of the colour card's 24 patches are neither burnt out nor black"
    greys = measured[18:].mean(axis=1)
    if not (np.diff(greys) < 0).all():
        return "what looks like a colour card has no row from white to black: another card, or partly covered"
    return ""


def _bad_fit(
    matrix: NDArray[np.float64], gain: float, differences: NDArray[np.float64], settings: CalibrationSettings
) -> str:
    """Why a fit is not to be used; "" if it is."""
    residual = float(differences.mean())
    fourth = float(np.sort(differences)[-4])
    if residual > settings.max_residual_de2000 or fourth > _FOURTH_WORST_DE2000:
        return (
            f"the colour card does not fit (CIEDE2000 after the fit: mean {residual:.1f}, limit {settings.max_residual_de2000:g}; "
            f"fourth worst patch {fourth:.1f}, limit {_FOURTH_WORST_DE2000:g}): another card or edition, partly covered, "
            "or a filter on the picture"
        )
    if not 1 / _MAX_GAIN <= gain <= _MAX_GAIN:
        return f"the colour card would change the brightness {gain:.2g}-fold: it is lit unlike the skin, or the picture badly exposed"
    if np.linalg.det(matrix) <= 0:
        return "the colour card gives a matrix that cannot be a camera's"
    return ""


def _matrix(measured: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """The (3, 3) matrix that takes measured to reference linear light (N, 3 each) with the least squared Lab difference.

    Least squares in linear light, where bright patches outweigh, is only the start; a few Gauss-Newton steps in Lab do the rest.
    """
    matrix: NDArray[np.float64] = np.asarray(np.linalg.lstsq(measured, reference, rcond=None)[0].T, dtype=np.float64)
    target = lab_of_linear(reference)

    def difference(candidate: NDArray[np.float64]) -> NDArray[np.float64]:
        return (lab_of_linear(measured @ candidate.T) - target).ravel()

    now = difference(matrix)
    for _ in range(10):
        slopes = np.empty((now.size, 9))
        for index in range(9):
            nudged = matrix.copy()
            nudged.flat[index] += 1e-5
            slopes[:, index] = (difference(nudged) - now) / 1e-5
        step = np.linalg.lstsq(slopes, -now, rcond=None)[0].reshape(3, 3)
        candidate: NDArray[np.float64] = np.asarray(matrix + step, dtype=np.float64)
        changed = difference(candidate)
        if changed @ changed >= now @ now * (1 - 1e-6):
            break
        matrix, now = candidate, changed
    return matrix
