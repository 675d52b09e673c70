"""Colour arithmetic: sRGB and linear light, CIE Lab, CIEDE2000, and a colour matrix over a whole photograph.

Sources: IEC 61966-2-1 (sRGB); CIE 15:2018 (Lab); Sharma, Wu & Dalal, Color Res Appl 2005;30:21-30 (CIEDE2000).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ADOBE_RGB_TO_SRGB",
    "apply_matrix",
    "ciede2000",
    "lab_of_linear",
    "linear_of_lab_d50",
    "srgb_to_linear",
    "transform_pixels",
]

_WHITE_D65 = np.array([0.95047, 1.0, 1.08883])
_WHITE_D50 = np.array([0.96422, 1.0, 0.82521])
_XYZ_OF_LINEAR = np.array(  # IEC 61966-2-1: linear sRGB -> XYZ (D65)
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_XYZ_OF_ADOBE = np.array(  # Adobe RGB (1998) Color Image Encoding, version 2005-05, section 4.3.5.3
    [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
)
ADOBE_RGB_TO_SRGB = np.linalg.inv(_XYZ_OF_LINEAR) @ _XYZ_OF_ADOBE
"""Linear Adobe RGB (1998) -> linear sRGB; both have a D65 white. Its tone curve is the power 563/256."""

_STRIP_ROWS = 128  # small enough that a strip's intermediate arrays stay in the processor's cache


def srgb_to_linear(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """sRGB values in 0-1 -> linear light in 0-1, element by element."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _linear_to_srgb(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * np.maximum(values, 0) ** (1 / 2.4) - 0.055)


def lab_of_linear(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear sRGB (..., 3), 0-1 (values outside are allowed) -> CIE Lab under D65 (..., 3)."""
    return _lab_of_relative(linear @ _XYZ_OF_LINEAR.T / _WHITE_D65)


def linear_of_lab_d50(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE Lab under D50 (N, 3), as card makers publish it -> linear sRGB (N, 3), adapted to D65 by Bradford, not clipped."""
    y = (lab[:, 0] + 16) / 116
    f = np.stack([y + lab[:, 1] / 500, y, y - lab[:, 2] / 200], axis=1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * _WHITE_D50
    gain = (_BRADFORD @ _WHITE_D65) / (_BRADFORD @ _WHITE_D50)
    adapted = xyz @ (np.linalg.inv(_BRADFORD) @ np.diag(gain) @ _BRADFORD).T
    return np.asarray(adapted @ np.linalg.inv(_XYZ_OF_LINEAR).T)


def ciede2000(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colour difference CIEDE2000 between Lab colours (..., 3), with kL = kC = kH = 1 (Sharma et al. 2005)."""
    l1, a1, b1 = np.moveaxis(np.asarray(first, float), -1, 0)
    l2, a2, b2 = np.moveaxis(np.asarray(second, float), -1, 0)
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(mean_c7 / (mean_c7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    turn = np.where(c1 * c2 == 0, 0.0, (h2 - h1 + 180) % 360 - 180)
    far = np.abs(h1 - h2) > 180
    mean_h = (h1 + h2) / 2 + np.where(far, np.where(h1 + h2 < 360, 180, -180), 0)
    mean_h = np.where(c1 * c2 == 0, h1 + h2, mean_h)
    d_l, d_c = l2 - l1, c2 - c1
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * np.cos(np.radians(mean_h - 30))
        + 0.24 * np.cos(np.radians(2 * mean_h))
        + 0.32 * np.cos(np.radians(3 * mean_h + 6))
        - 0.20 * np.cos(np.radians(4 * mean_h - 63))
    )
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    r_c = 2 * np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7))
    r_t = -r_c * np.sin(np.radians(60 * np.exp(-(((mean_h - 275) / 25) ** 2))))
    parts = (d_l / s_l) ** 2 + (d_c / s_c) ** 2 + (d_h / s_h) ** 2 + r_t * (d_c / s_c) * (d_h / s_h)
    return np.asarray(np.sqrt(np.maximum(parts, 0)))


def apply_matrix(pixels: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Multiply every pixel by a (3, 3) matrix in linear light: (H, W, 3) uint8 sRGB -> new array of the same kind, clipped."""
    return transform_pixels(pixels, matrix, _curve_of_srgb())


def transform_pixels(
    pixels: NDArray[np.uint8], matrix: NDArray[np.float64], curve: NDArray[np.uint16]
) -> NDArray[np.uint8]:
    """As `apply_matrix`, for pixels of any RGB space: `curve` (256,) uint16 gives each level's linear light in 1/65535."""
    import cv2

    result = np.empty_like(pixels)
    levels = _srgb_levels()
    table = np.repeat(curve[:, None], 3, axis=1)[None]
    for top in range(0, len(pixels), _STRIP_ROWS):
        linear = cv2.LUT(pixels[top : top + _STRIP_ROWS], table)
        result[top : top + _STRIP_ROWS] = levels[np.asarray(cv2.transform(linear, matrix), dtype=np.uint16)]
    return result


@cache
def _curve_of_srgb() -> NDArray[np.uint16]:
    return np.round(srgb_to_linear(np.arange(256) / 255) * 65535).astype(np.uint16)


@cache
def _srgb_levels() -> NDArray[np.uint8]:
    """(65536,) the 8-bit sRGB level of each 16-bit linear value."""
    return np.round(_linear_to_srgb(np.arange(65536) / 65535) * 255).astype(np.uint8)


def _lab_of_relative(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)
