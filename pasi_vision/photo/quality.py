"""Is a photograph good enough? Each quality measured, compared with its limits in configs/quality.yaml, and put into advice."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pasi_vision.anatomy import View
from pasi_vision.photo.reduced import reduced
from pasi_vision.photo.sharpness import blur_and_noise
from pasi_vision.records import Photo, QualityMeasure, QualityReport, Verdict
from pasi_vision.settings import Settings, load_settings
from pasi_vision.storage import resource

__all__ = ["QualitySettings", "check_photo", "default_quality", "skin_like"]

Range = tuple[float | None, float | None]


class Limit(Settings):
    """Limits of one measure, and what to tell the person with the camera when it is below or above them."""

    unit: str
    warn: Range
    retake: Range
    low: str = ""
    high: str = ""


class LimitOfView(Settings):
    """What replaces a measure's limits when the view is known."""

    warn: Range | None = None
    retake: Range | None = None


class Limits(Settings):
    """The limits of all measures."""

    size: Limit
    sharpness: Limit
    brightness: Limit
    clipping: Limit
    noise: Limit
    colour_cast: Limit
    skin: Limit
    edge: Limit
    centring: Limit


class QualitySettings(Settings):
    """configs/quality.yaml."""

    working_side_px: int = Field(ge=128)
    measures: Limits
    views: Mapping[View, Mapping[str, LimitOfView]] = {}


# Below this share of the frame, "skin" is too little to be measured on, and the whole frame is taken; for brightness its middle, where the
# patient is: dark skin before a bright wall may be too dark to be told from nothing.
_ENOUGH_SKIN = 0.03
_CLIPPED = (
    254  # a channel from this level tells no difference any more: on skin it is red first, the one that erythema needs
)
_WHITE = 250  # a pixel whose three channels all reach this level is burnt out
# Median (a, b) of skin in ordinary light, all tones: the 5th to 95th percentile of 299 atlas photographs, rounded outwards.
_SKIN_A, _SKIN_B = (3.0, 30.0), (2.0, 32.0)


@cache
def default_quality() -> QualitySettings:
    """The packaged limits."""
    return load_settings(QualitySettings, resource("configs", "quality.yaml"))


def check_photo(photo: Photo, view: View | None = None, settings: QualitySettings | None = None) -> QualityReport:
    """Measure a photograph's quality and say what to do: accept, accept with warning, or retake.

    Framing (`edge`, `centring`, and the share of skin as a measure of distance) is judged against the view where one is given.
    """
    settings = settings or default_quality()
    small = reduced(photo.pixels, settings.working_side_px)
    values = {"size": float(min(photo.pixels.shape[:2]))} | _measure(small)
    if view in (None, View.CLOSE_UP):
        del values["edge"], values["centring"]
    changes = settings.views.get(view, {}) if view else {}
    measures = []
    for name, value in values.items():
        limit: Limit = getattr(settings.measures, name)
        change = changes.get(name, LimitOfView())
        measures.append(_judge(name, value, limit, change.warn or limit.warn, change.retake or limit.retake))
    worst = max((m.verdict for m in measures), key=list(Verdict).index)
    return QualityReport(tuple(measures), worst)


def skin_like(lab: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels whose colour may be skin of any tone, lesions included: (H, W, 3) uint8 Lab as OpenCV scales it -> (H, W).

    Hue from -30 to 85 degrees, chroma 5 to 70, L* 6 to 97: wider than the skin of 299 atlas photographs (hue 5 to 66 degrees), because a
    wrong "no skin" costs a visit. Wood, beige walls and cardboard pass too, so a high share proves nothing.
    """
    lightness = lab[..., 0]
    a, b = lab[..., 1].astype(np.int16) - 128, lab[..., 2].astype(np.int16) - 128
    chroma2 = a * a + b * b
    # tan(85 degrees) = 11.4, tan(-30 degrees) = -0.577, in integers that stay within 16 bits
    hue = (a > 0) & (b * 5 <= a * 57) & (b * 26 >= a * -15)
    return np.asarray(hue & (chroma2 >= 25) & (chroma2 <= 4900) & (lightness >= 15) & (lightness <= 247))


def _measure(small: NDArray[np.uint8]) -> dict[str, float]:
    """All measures of the working copy, by the names in configs/quality.yaml."""
    import cv2

    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), dtype=np.uint8)
    skin = skin_like(lab)
    share = float(skin.mean())
    area = skin if share >= _ENOUGH_SKIN else np.ones_like(skin)
    blur, noise = blur_and_noise(small, area)
    a, b = (float(np.median(lab[..., channel][area])) - 128 for channel in (1, 2))
    return {
        "sharpness": blur,
        "brightness": float(np.percentile(lab[..., 0][area if area is skin else _middle(skin.shape)], 90)) / 2.55,
        "clipping": 100 * _burnt_share(small, area),
        "noise": noise,
        "colour_cast": float(np.hypot(_outside(a, _SKIN_A), _outside(b, _SKIN_B))) if area is skin else 0.0,
        "skin": 100 * share,
        "edge": 100 * _edge_share(skin),
        "centring": 100 * _off_centre(skin),
    }


def _middle(shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The innermost fifth of both sides."""
    height, width = shape[:2]
    return np.s_[2 * height // 5 : -(-3 * height // 5), 2 * width // 5 : -(-3 * width // 5)]


def _burnt_share(small: NDArray[np.uint8], area: NDArray[np.bool_]) -> float:
    """Share of the area in which a channel is clipped, counting white pixels in a narrow rim (burnt-out skin is no longer skin-like)."""
    import cv2

    red, green, blue = cv2.split(
        small
    )  # whole planes at a time: a reduction over the last axis takes ten times as long
    white = cv2.min(cv2.min(red, green), blue) >= _WHITE
    clipped = cv2.max(cv2.max(red, green), blue) >= _CLIPPED
    reach = max(3, round(0.015 * max(small.shape[:2])) | 1)
    near = cv2.dilate(area.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    lost = (area & clipped) | (white & near)
    return float(lost.sum() / max(1, int((area | lost).sum())))


def _edge_share(skin: NDArray[np.bool_]) -> float:
    edge = np.concatenate([skin[0], skin[-1], skin[:, 0], skin[:, -1]])
    return float(edge.mean())


def _off_centre(skin: NDArray[np.bool_]) -> float:
    """Distance of the middle of the skin from the middle of the frame as a share of the longer side; 0 without skin."""
    total = int(skin.sum())
    if not total:
        return 0.0
    height, width = skin.shape
    y = float(skin.sum(axis=1) @ np.arange(height)) / total - (height - 1) / 2
    x = float(skin.sum(axis=0) @ np.arange(width)) / total - (width - 1) / 2
    return float(np.hypot(x, y) / max(height, width))


def _outside(value: float, limits: tuple[float, float]) -> float:
    return max(limits[0] - value, 0.0, value - limits[1])


def _judge(name: str, value: float, limit: Limit, warn: Range, retake: Range) -> QualityMeasure:
    """One measure against its limits."""
    below = {kind: low is not None and value < low for kind, (low, _) in (("warn", warn), ("retake", retake))}
    above = {kind: high is not None and value > high for kind, (_, high) in (("warn", warn), ("retake", retake))}
    verdict = Verdict.ACCEPT
    if below["warn"] or above["warn"]:
        verdict = Verdict.WARN
    if below["retake"] or above["retake"]:
        verdict = Verdict.RETAKE
    advice = limit.low if any(below.values()) else limit.high if any(above.values()) else ""
    return QualityMeasure(name, round(value, 2), limit.unit, warn[0], warn[1], verdict, advice)
