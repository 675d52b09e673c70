"""Skin colour from what is in it: melanin and blood absorb, collagen scatters. Reflectance 400-700 nm -> linear sRGB under D65.

Model: light crosses the epidermis twice (absorption by clumps of melanosomes) and is returned by a semi-infinite dermis whose
diffuse reflectance follows from absorption and reduced scattering (Flock, Patterson, Wilson & Wyman, IEEE Trans Biomed Eng
1989;36:1162). Coefficients: Jacques, Phys Med Biol 2013;58:R37 (melanosomes 519 cm-1 at 500 nm falling as lambda^-3.5, scattering
of skin 46 cm-1 x (lambda / 500)^-1.421, absorption of blood-free skin); haemoglobin extinction as tabulated by S. Prahl (Oregon
Medical Laser Center) for 150 g/l; colour matching by Wyman, Sloan & Shirley, J Comput Graph Tech 2013;2:1.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Field = NDArray[np.float32]

WAVELENGTHS_NM: Array = np.arange(400.0, 701.0, 10.0)
EPIDERMIS_CM = 0.006  # 60 um
CLUMPING = 0.5  # squared coefficient of variation of melanin between paths
HORNY_LAYER = 0.022  # light that the horny layer returns uncoloured
#: Oxy- and deoxyhaemoglobin, cm-1 per mol/l, every 10 nm from 400 to 700 nm (Prahl).
# fmt: off
_OXY = (266232, 466840, 480360, 246072, 102580, 62816, 44480, 33209.2, 26629.2, 23684.4, 20932.8, 20035.2, 24202.4, 39956.8, 53236, 43016,
        32613.2, 44496, 50104, 14400.8, 3200, 1506, 942, 610, 442, 368, 319.6, 294, 277.6, 276, 290)
_DEOXY = (223296, 303956, 407560, 528600, 413280, 103292, 23388.8, 16156.4, 14550, 16684, 20862, 25773.6, 31589.6, 39036.4, 46592, 53412,
          53788, 45072, 37020, 28324.4, 14677.2, 9443.6, 6509.6, 5148.8, 4345.2, 3750.12, 3226.56, 2795.12, 2407.92, 2051.96,
          1794.28)
# fmt: on
#: CIE standard illuminant D65, every 10 nm from 400 to 700 nm.
_D65 = (
    82.75,
    91.49,
    93.43,
    86.68,
    104.86,
    117.01,
    117.81,
    114.86,
    115.92,
    108.81,
    109.35,
    107.80,
    104.79,
    107.69,
    104.41,
    104.05,
    100.0,
    96.33,
    95.79,
    88.69,
    90.01,
    89.60,
    87.70,
    83.29,
    83.70,
    80.03,
    80.21,
    82.28,
    78.28,
    69.72,
    71.61,
)  # fmt: skip
_XYZ_TO_RGB = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])

#: Ranges of the look-up table, both axes logarithmic: melanosomes in the epidermis and blood in the dermis, by volume.
MELANIN_RANGE = (0.002, 1.0)
BLOOD_RANGE = (0.0005, 0.40)
_STEPS = 96


def blood_absorption(saturation: float) -> Array:
    """Absorption of whole blood in cm-1 over `WAVELENGTHS_NM` at an oxygen saturation of 0-1 (150 g/l haemoglobin, 64 500 g/mol)."""
    extinction = saturation * np.array(_OXY) + (1.0 - saturation) * np.array(_DEOXY)
    return np.asarray(2.303 * extinction * 150.0 / 64500.0)


def reflectance(melanin: Array, blood: Array, saturation: float, scattering: float = 1.0) -> Array:
    """Diffuse reflectance (..., 31) over `WAVELENGTHS_NM`.

    Args:
        melanin: Volume fraction of melanosomes in the epidermis (light skin about 0.01-0.05, dark 0.2-0.45).
        blood: Volume fraction of blood in the dermis (healthy about 0.01-0.03).
        saturation: Oxygen saturation of that blood, 0-1; low values look violet.
        scattering: Reduced scattering of the dermis relative to healthy skin; swollen, thickened skin returns more light.
    """
    wave = WAVELENGTHS_NM
    bare = 0.244 + 85.3 * np.exp(-(wave - 154.0) / 66.2)  # blood-free skin, cm-1 (Saidi 1992, in Jacques)
    melanosome = 519.0 * (wave / 500.0) ** -3.5
    scatter = scattering * 46.0 * (wave / 500.0) ** -1.421
    volume = np.asarray(blood)[..., None]
    absorb = volume * blood_absorption(saturation) + (1.0 - volume) * bare
    albedo = scatter / (scatter + absorb)
    internal = 0.493  # of diffuse light at n = 1.4
    k = (1.0 + internal) / (1.0 - internal)
    diffuse = albedo / (1.0 + 2.0 * k * (1.0 - albedo) + (1.0 + 2.0 * k / 3.0) * np.sqrt(3.0 * (1.0 - albedo)))
    fraction = np.asarray(melanin)[..., None]
    epidermis = fraction * melanosome + (1.0 - fraction) * bare
    depth = 2.0 * epidermis * EPIDERMIS_CM * 1.3  # 1.3: mean slant of diffuse paths
    # Melanosomes lie in clumps, so light finds gaps (sieve effect): the mean of Beer-Lambert over gamma-distributed amounts
    return np.asarray(HORNY_LAYER + (1.0 - HORNY_LAYER) * diffuse * (1.0 + CLUMPING * depth) ** (-1.0 / CLUMPING))


def _matching() -> Array:
    """CIE 1931 colour matching functions (31, 3) by the analytic fit of Wyman et al."""

    def lobe(centre: float, left: float, right: float) -> Array:
        t = (WAVELENGTHS_NM - centre) * np.where(centre > WAVELENGTHS_NM, left, right)
        return np.asarray(np.exp(-0.5 * t * t))

    x = 0.362 * lobe(442.0, 0.0624, 0.0374) + 1.056 * lobe(599.8, 0.0264, 0.0323) - 0.065 * lobe(501.1, 0.0490, 0.0382)
    y = 0.821 * lobe(568.8, 0.0213, 0.0247) + 0.286 * lobe(530.9, 0.0613, 0.0322)
    z = 1.217 * lobe(437.0, 0.0845, 0.0278) + 0.681 * lobe(459.0, 0.0385, 0.0725)
    return np.stack([x, y, z], -1)


def linear_rgb(spectrum: Array) -> Array:
    """Linear sRGB (..., 3) of reflectances (..., 31) under D65; a perfect white gives 1, 1, 1."""
    light = np.array(_D65)[:, None] * _matching()
    light = light / light.sum(0) * _WHITE  # each tristimulus of white is exactly D65's
    return np.asarray(spectrum @ light @ _XYZ_TO_RGB.T)


def lab_of(rgb: Array) -> Array:
    """CIE Lab (D65) of linear sRGB (..., 3)."""
    xyz = np.asarray(rgb, np.float64) @ np.linalg.inv(_XYZ_TO_RGB).T / _WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(np.maximum(xyz, 1e-12)), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def ita_of(rgb: Array) -> Array:
    """Individual typology angle in degrees, atan((L - 50) / b) (Chardon et al., Int J Cosmet Sci 1991;13:191), of linear sRGB."""
    lab = lab_of(rgb)
    return np.asarray(np.degrees(np.arctan2(lab[..., 0] - 50.0, np.maximum(lab[..., 2], 1e-3))))


@lru_cache(maxsize=8)
def _table(saturation: float) -> Field:
    melanin = np.geomspace(*MELANIN_RANGE, _STEPS)
    blood = np.geomspace(*BLOOD_RANGE, _STEPS)
    rgb = linear_rgb(reflectance(melanin[:, None] + 0.0 * blood, blood[None, :] + 0.0 * melanin[:, None], saturation))
    return np.ascontiguousarray(np.maximum(rgb, 1e-4), dtype=np.float32)


def skin_colour(melanin: Field, blood: Field, saturation: float = 0.7) -> Field:
    """Linear sRGB (H, W, 3) of maps (H, W) of melanin and blood fractions, by a table of `reflectance` (error below 0.2 %).

    Args:
        melanin, blood: Volume fractions, clipped to `MELANIN_RANGE` and `BLOOD_RANGE`.
        saturation: Oxygen saturation 0-1, rounded to 0.05.
    """
    table = _table(round(saturation * 20.0) / 20.0)

    def place(values: Field, limits: tuple[float, float]) -> Field:
        low, high = np.log(limits[0]), np.log(limits[1])
        logs = cv2.log(np.clip(values, limits[0], limits[1]).astype(np.float32))
        return np.asarray((logs - np.float32(low)) * np.float32((_STEPS - 1) / (high - low)), np.float32)

    return np.asarray(
        cv2.remap(
            table,
            place(blood, BLOOD_RANGE),
            place(melanin, MELANIN_RANGE),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )


def melanin_for_ita(ita: float, blood: float = 0.012, saturation: float = 0.7) -> float:
    """Melanosome fraction at which healthy skin has that typology angle (nearest end where out of range)."""
    fractions = np.geomspace(*MELANIN_RANGE, 400)
    angles = ita_of(linear_rgb(reflectance(fractions, np.full_like(fractions, blood), saturation)))
    return float(np.exp(np.interp(-ita, -angles, np.log(fractions))))
