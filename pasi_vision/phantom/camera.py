"""From scene light to the stored photograph: exposure, lens, sensor, tone curve, sharpening and JPEG at the camera's own
resolution, then reduction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Rng = np.random.Generator


@dataclass(frozen=True)
class Camera:
    """One photograph's camera and processing.

    Attributes:
        target: Mean of sRGB-encoded grey that the meter aims at, 0-1.
        error_ev: Exposure error in stops.
        balance: Factors on linear R, G, B: what white balance left of the light's colour.
        contrast: Steepness of the tone curve (1 = plain sRGB).
        saturation: Factor on chroma.
        blur_px: Lens blur SD at the point in focus, at camera resolution.
        defocus_px: Additional blur SD at the far end of the focus gradient.
        focus: Place in focus (x, y as shares of the frame) and the radius that is sharp.
        noise: Sensor noise SD at mid grey, of 255.
        sharpen: Strength of unsharp masking.
        quality: JPEG quality (twice where two values).
        black: Lift of the blacks (flare, old scans), 0-0.1.
        chroma_noise: Noise of colour relative to that of brightness.
    """

    target: float
    error_ev: float
    balance: tuple[float, float, float]
    contrast: float
    saturation: float
    blur_px: float
    defocus_px: float
    focus: tuple[float, float, float]
    noise: float
    sharpen: float
    quality: tuple[int, ...]
    black: float
    chroma_noise: float = 0.9


def draw_camera(rng: Rng, cast: float = 1.0) -> Camera:
    """A random camera: casts neutral 65, orange 17, magenta 10, blue 1 % (field guide, section 8), scaled by `cast`."""
    kind = int(rng.choice(5, p=[0.60, 0.20, 0.12, 0.03, 0.05]))
    tint = ((0, 0, 0), (0.16, 0.0, -0.28), (0.10, -0.09, 0.03), (-0.12, 0.0, 0.14), (0.03, 0.05, -0.10))[kind]
    balance = np.array([1.0, 1.0, 1.16]) * np.exp(
        cast * (np.array(tint) * rng.uniform(0.4, 1.3) + rng.normal(0, 0.06, 3))
    )
    return Camera(
        target=float(np.clip(rng.normal(0.455, 0.08), 0.22, 0.6)),
        error_ev=float(np.clip(rng.normal(-0.05, 0.28), -1.0, 0.55)),
        balance=(float(balance[0]), float(balance[1]), float(balance[2])),
        contrast=float(rng.uniform(1.2, 2.5)),
        saturation=float(np.clip(rng.normal(1.0, 0.17), 0.6, 1.5)),
        blur_px=float(np.clip(np.exp(rng.normal(np.log(0.58), 0.5)), 0.3, 2.6)),
        defocus_px=float(rng.exponential(1.7)) if rng.random() < 0.75 else 0.0,
        focus=(float(rng.normal(0.5, 0.12)), float(rng.normal(0.5, 0.12)), float(rng.uniform(0.25, 0.6))),
        noise=float(np.exp(rng.normal(np.log(2.6), 0.55))),
        sharpen=float(rng.choice([0.0, rng.uniform(0.2, 1.4)], p=[0.3, 0.7])),
        quality=tuple(int(q) for q in rng.integers(42, 90, 2 if rng.random() < 0.35 else 1)),
        black=float(rng.uniform(0, 0.05)) if rng.random() < 0.3 else 0.0,
    )


def draw_close_up_camera(rng: Rng, cast: float = 1.0) -> Camera:
    """A random camera of close-ups: exposure, focus, chroma noise and JPEG as measured on atlas photographs (field guide, section 8).

    Median L of the frame 30 / 45 / 62, of skin 39 / 54 / 65 (P10, P50, P90); grid of JPEG 1.1 / 1.4 / 1.9; sharpest tiles have 1.8 / 3.3 /
    15 times the detail of the softest.
    """
    camera = draw_camera(rng, cast)
    return replace(
        camera,
        target=0.472 + 0.75 * (camera.target - 0.455),
        error_ev=0.75 * camera.error_ev,
        saturation=0.94 * camera.saturation,
        noise=0.85 * camera.noise,
        chroma_noise=1.5,
        defocus_px=1.9 * camera.defocus_px,
        quality=tuple(max(value - 10, 30) for value in camera.quality),
    )


def exposed_for(camera: Camera, ita_deg: float, share: float) -> Camera:
    """The camera as it exposes skin of that typology angle: dark skin comes out darker than light skin, but less than it is.

    Args:
        share: By how much the darkest skin is darker (encoded); small where a wall beside it has a say.
    """
    dark = float(np.clip((30.0 - ita_deg) / 80.0, 0.0, 1.0))
    return replace(camera, target=camera.target * (1.0 - share * dark))


def photograph(radiance: Field, camera: Camera, rng: Rng, weight: Field | None = None) -> NDArray[np.uint8]:
    """The stored picture (H, W, 3) uint8 sRGB of linear radiance (H, W, 3) at the camera's resolution.

    Args:
        weight: (H, W); what the exposure meter looks at (skin), the whole frame if not given.
    """
    light = radiance * np.asarray(camera.balance, np.float32)
    light = _lens(light, camera)
    small = cv2.resize(light[..., 1], (48, 48), interpolation=cv2.INTER_AREA)
    heed = np.ones_like(small) if weight is None else cv2.resize(weight, (48, 48), interpolation=cv2.INTER_AREA) + 0.12
    mean = float((small * heed).sum() / heed.sum())
    light = light * np.float32(camera.target**2.2 * 2**camera.error_ev / max(mean, 1e-4))
    shot = rng.standard_normal(light.shape[:2], dtype=np.float32)
    encoded = _tone(light, camera)
    encoded = encoded + _noise(rng, shot, encoded, camera)
    if camera.sharpen:
        soft = cv2.GaussianBlur(encoded, (0, 0), 1.0)
        encoded = np.asarray(cv2.addWeighted(encoded, 1 + camera.sharpen, soft, -camera.sharpen, 0), np.float32)
    return np.asarray(np.clip(encoded * 255 + 0.5, 0, 255).astype(np.uint8))


def stored(picture: NDArray[np.uint8], quality: tuple[int, ...]) -> NDArray[np.uint8]:
    """JPEG with chroma at half resolution, once per given quality."""
    for value in quality:
        flags = [
            cv2.IMWRITE_JPEG_QUALITY,
            value,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        ]
        _, data = cv2.imencode(".jpg", picture[..., ::-1], flags)
        picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    return np.ascontiguousarray(picture)


def reduced(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bring to (height, width) as a careful program does: area averaging."""
    if picture.shape[:2] == size:
        return picture
    return np.asarray(cv2.resize(picture, (size[1], size[0]), interpolation=cv2.INTER_AREA), np.uint8)


def _lens(light: Field, camera: Camera) -> Field:
    sharp = cv2.GaussianBlur(light, (0, 0), camera.blur_px) if camera.blur_px > 0.33 else light
    if camera.defocus_px < 0.4:
        return np.asarray(sharp, np.float32)
    height, width = light.shape[:2]
    soft = cv2.GaussianBlur(sharp, (0, 0), camera.defocus_px)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    away = np.hypot(x / width - camera.focus[0], (y / height - camera.focus[1]) * height / width)
    share = np.clip((away - camera.focus[2] * 0.6) / 0.35, 0, 1)[..., None].astype(np.float32)
    return np.asarray(sharp + (soft - sharp) * share, np.float32)


_CURVE_SIZE = 4096


def _tone(light: Field, camera: Camera) -> Field:
    """Linear to encoded: sRGB, then an S-curve about mid grey with a soft shoulder, then saturation."""
    x = np.linspace(0, 1.0, _CURVE_SIZE) ** 2 * 4.0  # table over the square root of light 0-4
    encoded = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-9) ** (1 / 2.4) - 0.055)
    shoulder = np.where(encoded > 0.75, 0.75 + 0.25 * np.tanh((encoded - 0.75) / 0.25), encoded)
    mixed = np.where(encoded > 1.2, shoulder, 0.35 * encoded + 0.65 * shoulder)
    pivot = 0.48
    curved = np.where(
        mixed < pivot,
        pivot * (np.maximum(mixed, 0) / pivot) ** camera.contrast,
        1 - (1 - pivot) * np.maximum((1 - mixed) / (1 - pivot), 0) ** camera.contrast,
    )
    table = (camera.black + (1 - camera.black) * curved).astype(np.float32)
    index = np.sqrt(np.clip(light, 0, 4.0)) * np.float32((_CURVE_SIZE - 1) / 2.0)
    out = table[index.astype(np.int32)]
    grey = out @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray(grey[..., None] + (out - grey[..., None]) * np.float32(camera.saturation), np.float32)


def _noise(rng: Rng, shot: Field, encoded: Field, camera: Camera) -> Field:
    height, width = shot.shape
    level = np.float32(camera.noise / 255) * (0.6 + 0.8 * (1 - encoded[..., 1]))
    coarse = rng.standard_normal((height // 2 + 1, width // 2 + 1, 3), dtype=np.float32)
    colour = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray((shot[..., None] + np.float32(camera.chroma_noise) * colour) * level[..., None], np.float32)
