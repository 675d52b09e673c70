"""Crops and what may happen to a photograph between a skin and a file. The only file that uses albumentations.

Geometry moves pixels and masks by one transform; light, colour, blur, noise and compression change pixels only, so masks and
grades stay true. What a colour change would turn into another grade (a strong shift of red against skin) is left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pasi_vision.anatomy import View
from pasi_vision.settings import Settings

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for a newer version
import albumentations

__all__ = ["Augmentation", "AugmentationSettings"]


class AugmentationSettings(Settings):
    """How strongly crops are changed.

    Attributes:
        zoom: Least and most factor of the working size.
        whole_views: Share of the crops of a view that show it whole, as the model's first look does: which region a stretch of skin
            belongs to is told by the body around it.
        rotation_degrees: Of a view, either way; a close-up is turned by any angle in half of the cases.
        strength: 0 leaves light, colour, blur and compression alone, 1 is the tried strength.
        occlusion: Share of crops over which something is laid that is not skin.
        clutter: Share of crops whose surroundings are replaced by coloured clutter: real rooms and streets are not plain.
        dyed: Share of crops whose surroundings keep their light and folds and take other colours, often those of skin and plaques, with
            blots or without: cloth may be pink and patterned.
        no_skin: Share of crops that are clutter only.
    """

    zoom: tuple[float, float] = (0.55, 1.5)
    whole_views: float = Field(0.0, ge=0, le=1)
    rotation_degrees: float = Field(15.0, ge=0, le=180)
    strength: float = Field(1.0, ge=0, le=2)
    occlusion: float = Field(0.15, ge=0, le=1)
    clutter: float = Field(0.35, ge=0, le=1)
    dyed: float = Field(0.0, ge=0, le=1)
    no_skin: float = Field(0.04, ge=0, le=1)


@dataclass(frozen=True)
class _Place:
    """Where a crop lies: centre in the source, its angle, and source pixels per crop pixel along both sides (negative: mirrored)."""

    centre: tuple[float, float]
    angle: float
    step: tuple[float, float]


class Augmentation:
    """Cuts a square crop out of a cached photograph and changes it.

    Args:
        settings: How strongly.
        crop_px: Side of the crop; labels come at half of it.
        view_side, close_up_side: Longer sides at which the model will look at views and at close-ups: zoom is relative to them.
    """

    def __init__(self, settings: AugmentationSettings, crop_px: int, *, view_side: int, close_up_side: int) -> None:
        self._settings, self._crop = settings, crop_px
        self._sides = {True: close_up_side, False: view_side}
        self._pixelwise = _pixelwise(settings.strength)

    def __call__(
        self, cached: NDArray[np.uint8], view: View, generator: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """A crop.

        Args:
            cached: (H, W, 9) uint8 of `dataset.PixelCache`.
            view: Of the photograph.
            generator: The one source of chance.

        Returns:
            Pixels (S, S, 3) uint8 and labels (S / 2, S / 2, 6) uint8: regions, lesion, outline, three signs.
        """
        close = view is View.CLOSE_UP
        whole = not close and generator.random() < self._settings.whole_views
        low, high = (0.85, 1.35) if whole else self._settings.zoom
        side = (self._crop if whole else self._sides[close]) * float(
            np.exp(generator.uniform(np.log(low), np.log(high)))
        )
        source, factor = _shrunk(cached, side / max(cached.shape[:2]))
        place = self._place(source, factor, close, generator)
        pixels = _cut(source[..., :3], place, self._crop, cv2.INTER_LINEAR)
        codes = _cut(source[..., [3, 6, 7, 8]], place, self._crop // 2, cv2.INTER_NEAREST, 2)
        shares = _cut(source[..., [4, 5]], place, self._crop // 2, cv2.INTER_LINEAR, 2)
        labels = np.concatenate([codes[..., :1], shares, codes[..., 1:]], 2)
        if generator.random() < self._settings.clutter:
            pixels = _surrounded(pixels, labels, lambda: clutter(self._crop, generator))
        if self._settings.dyed and generator.random() < self._settings.dyed:
            light = pixels
            pixels = _surrounded(pixels, labels, lambda: _dyed(light, generator))
        if generator.random() < self._settings.no_skin:
            pixels, labels = clutter(self._crop, generator), np.zeros_like(labels)
        if generator.random() < self._settings.occlusion:
            pixels, labels = _occluded(pixels, labels, generator)
        return self._changed(pixels, generator), labels

    def whole(
        self, cached: NDArray[np.uint8], _: View, generator: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The whole photograph inside a crop, its edge repeated around it; labels as for a crop. For scores of whole regions."""
        height, width = cached.shape[:2]
        source, factor = _shrunk(cached, self._crop / max(height, width))
        mirrored = -1.0 if generator.random() < 0.5 else 1.0
        centre = ((source.shape[1] - 1) / 2, (source.shape[0] - 1) / 2)
        place = _Place(
            centre, generator.uniform(-1, 1) * 0.3 * self._settings.rotation_degrees, (mirrored / factor, 1 / factor)
        )
        pixels = _cut(source[..., :3], place, self._crop, cv2.INTER_LINEAR)
        labels = _cut(source[..., [3, 4, 5, 6]], place, self._crop // 2, cv2.INTER_NEAREST, 2)
        signs = _cut(source[..., [7, 8]], place, self._crop // 2, cv2.INTER_NEAREST, 2)
        return self._changed(pixels, generator), np.concatenate([labels, signs], 2)

    def _place(self, source: NDArray[np.uint8], factor: float, close: bool, generator: np.random.Generator) -> _Place:
        """A place that shows something: often skin, sometimes a lesion, never mostly beyond the picture's edge."""
        height, width = source.shape[:2]
        turned = generator.uniform(-180, 180) if close and generator.random() < 0.5 else 0.0
        angle = turned + generator.uniform(-1, 1) * self._settings.rotation_degrees
        stretch = float(np.exp(generator.uniform(-0.12, 0.12)))
        mirrored = -1.0 if generator.random() < 0.5 else 1.0
        step = (mirrored / factor * stretch, 1 / factor / stretch)
        y, x = generator.uniform(0, height), generator.uniform(0, width)
        wanted = generator.random()
        if wanted < 0.65:
            layer = source[::4, ::4, 5] > 127 if wanted < 0.3 else (source[::4, ::4, 3] > 0) & (source[::4, ::4, 3] < 6)
            found = np.flatnonzero(layer)
            if found.size:
                at = int(found[generator.integers(found.size)])
                spread = self._crop / factor / 6
                y = at // layer.shape[1] * 4 + generator.normal(0, spread)
                x = at % layer.shape[1] * 4 + generator.normal(0, spread)
        margin = 0.42 * self._crop / factor
        y = np.clip(y, min(margin, height / 2), max(height - margin, height / 2))
        x = np.clip(x, min(margin, width / 2), max(width - margin, width / 2))
        return _Place((float(x), float(y)), float(angle), step)

    def _changed(self, pixels: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
        if self._settings.strength == 0:
            return pixels
        if generator.random() < 0.4:
            pixels = _uneven_light(pixels, 0.25 * self._settings.strength, generator)
        self._pixelwise.set_random_seed(int(generator.integers(2**31)))
        return np.asarray(self._pixelwise(image=pixels)["image"], np.uint8)


def _pixelwise(strength: float) -> Any:
    a, s = albumentations, strength
    return a.Compose(
        [
            a.RandomBrightnessContrast(brightness_limit=0.3 * s, contrast_limit=0.25 * s, p=0.6),
            a.RandomGamma(gamma_limit=(max(20, int(100 - 35 * s)), int(100 + 45 * s)), p=0.3),
            a.HueSaturationValue(
                hue_shift_limit=int(7 * s), sat_shift_limit=int(35 * s), val_shift_limit=int(15 * s), p=0.5
            ),
            a.OneOf(
                [
                    a.PlanckianJitter(p=1.0),
                    a.RGBShift(r_shift_limit=int(18 * s), g_shift_limit=int(12 * s), b_shift_limit=int(18 * s), p=1.0),
                ],
                p=0.45,
            ),
            a.CLAHE(clip_limit=(1, 2.5), p=0.08),
            a.Sharpen(alpha=(0.1, 0.4), p=0.15),
            a.OneOf(
                [
                    a.GaussianBlur(blur_limit=(3, 7), p=1.0),
                    a.MotionBlur(blur_limit=(3, 7), p=1.0),
                    a.Defocus(radius=(1, 3), p=1.0),
                    a.Downscale(scale_range=(0.4, 0.8), p=1.0),
                ],
                p=0.35,
            ),
            a.OneOf([a.GaussNoise(std_range=(0.01, 0.06), p=1.0), a.ISONoise(p=1.0)], p=0.35),
            a.ImageCompression(quality_range=(35, 95), p=0.45),
        ]
    )


def _shrunk(cached: NDArray[np.uint8], factor: float) -> tuple[NDArray[np.uint8], float]:
    """Averages first where a crop would skip pixels. Returns the source and the factor that is left to do."""
    if factor >= 0.75:
        return cached, factor
    height, width = cached.shape[:2]
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    colours = cv2.resize(np.ascontiguousarray(cached[..., :3]), size, interpolation=cv2.INTER_AREA)
    shares = cv2.resize(np.ascontiguousarray(cached[..., 4:6]), size, interpolation=cv2.INTER_AREA)
    copied = cv2.resize(np.ascontiguousarray(cached[..., [3, 6, 7, 8]]), size, interpolation=cv2.INTER_NEAREST)
    layers = [part.reshape(size[1], size[0], -1) for part in (colours, copied[..., :1], shares, copied[..., 1:])]
    return np.concatenate(layers, 2).astype(np.uint8, copy=False), 1.0


def _cut(layers: NDArray[np.uint8], place: _Place, size: int, how: int, coarser: int = 1) -> NDArray[np.uint8]:
    """(size, size, C) of the place, at pixels `coarser` times those of the crop."""
    turn = np.deg2rad(place.angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = rotation @ np.diag(place.step) * coarser
    offset = np.asarray(place.centre) - matrix @ np.array([(size - 1) / 2, (size - 1) / 2])
    affine = np.column_stack([matrix, offset])
    flags = how | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(
        np.ascontiguousarray(layers), affine, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(cut, np.uint8).reshape(size, size, -1)


def _uneven_light(pixels: NDArray[np.uint8], spread: float, generator: np.random.Generator) -> NDArray[np.uint8]:
    """A smooth field of light, with a little colour of its own."""
    size = pixels.shape[:2]
    bright = generator.normal(0, spread, (3, 3, 1)) + generator.normal(0, spread / 6, (3, 3, 3))
    field = cv2.resize(bright.astype(np.float32), size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(pixels * np.exp(np.clip(field, -0.7, 0.5)), 0, 255).astype(np.uint8)


def _surrounded(
    pixels: NDArray[np.uint8], labels: NDArray[np.uint8], surroundings: Callable[[], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """The skin before other surroundings; its edge stays soft."""
    skin = (labels[..., 0] > 0).astype(np.float32)
    if skin.mean() > 0.98:
        return pixels
    share = cv2.resize(skin, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)[..., None]
    return np.clip(pixels * share + surroundings() * (1 - share), 0, 255).astype(np.uint8)


def _dyed(pixels: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    """The picture's light in two other colours: one throughout, the other in blots, whose share, size and sharpness vary."""
    size = pixels.shape[1::-1]
    light = pixels.astype(np.float32).mean(2, keepdims=True) * generator.uniform(0.7, 1.6) + generator.uniform(0, 60)
    cells = int(np.exp(generator.uniform(np.log(3), np.log(size[0] / 6))))
    field = cv2.resize(generator.normal(0, 1, (cells, cells)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    blots = np.clip((field - generator.uniform(0, 2.5)) * np.exp(generator.uniform(0, 4)) + 0.5, 0, 1)[..., None]
    ground, other = (_cloth_colour(generator) for _ in range(2))
    tint = ground * (1 - blots) + (ground + (other - ground) * generator.uniform(0.2, 1)) * blots
    return np.asarray(np.clip(light * tint, 0, 255), np.uint8)


def _cloth_colour(generator: np.random.Generator) -> NDArray[np.float64]:
    """Relative to its light: any colour, or one between those of skin and of plaques."""
    if generator.random() < 0.4:
        colour = _any_colour(generator) + 20
    else:
        colour = _SKIN_LIKE + generator.uniform(0, 1) * (_PLAQUE_LIKE - _SKIN_LIKE) + generator.normal(0, 12, 3)
    colour = np.clip(colour, 5, 255)
    return np.asarray(colour / colour.mean(), np.float64)


def clutter(size: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """(size, size, 3) of coloured patches, shapes, stripes and grain at several scales; nothing in it is skin."""
    picture = _any_colour(generator) + np.zeros((size, size, 3), np.float32)
    for _ in range(int(generator.integers(1, 4))):
        cells = int(np.exp(generator.uniform(np.log(2), np.log(size / 3))))
        patches = generator.normal(0, generator.uniform(5, 60), (cells, cells, 1)) + generator.normal(
            0, generator.uniform(0, 25), (cells, cells, 3)
        )
        how = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC)[int(generator.integers(3))]
        picture += cv2.resize(patches.astype(np.float32), (size, size), interpolation=how).reshape(size, size, -1)
    canvas = np.clip(picture, 0, 255).astype(np.uint8)
    for _ in range(int(generator.integers(0, 25))):
        colour = _any_colour(generator) if generator.random() < 0.7 else generator.uniform(0.5, 1.3) * _SKIN_LIKE
        x, y, reach = generator.uniform(0, size), generator.uniform(0, size), size * np.exp(generator.uniform(-4.5, -1))
        kind = generator.integers(3)
        if kind == 0:
            axes = (int(reach) + 1, int(reach * generator.uniform(0.2, 1)) + 1)
            cv2.ellipse(canvas, (int(x), int(y)), axes, generator.uniform(0, 180), 0, 360, colour.tolist(), -1)
        elif kind == 1:
            corners = np.array([x, y]) + generator.normal(0, reach, (int(generator.integers(3, 7)), 2))
            cv2.fillPoly(canvas, [np.round(corners).astype(np.int32)], colour.tolist())
        else:
            end = (int(x + generator.normal(0, size / 2)), int(y + generator.normal(0, size / 2)))
            cv2.line(canvas, (int(x), int(y)), end, colour.tolist(), int(reach / 6) + 1, cv2.LINE_AA)
    grain = generator.normal(0, generator.uniform(0, 12), (size, size, 1))
    return np.clip(canvas + grain, 0, 255).astype(np.uint8)


def _any_colour(generator: np.random.Generator) -> NDArray[np.float64]:
    """Mostly dull, sometimes bright."""
    return np.clip(generator.uniform(0, 255) + generator.normal(0, generator.choice([8, 30, 80]), 3), 0, 255)


_SKIN_LIKE = np.array([190.0, 140.0, 115.0])
"""Wood, sand and cloth have it too: colour alone is no skin."""

_PLAQUE_LIKE = np.array([190.0, 95.0, 95.0])
"""Cloth has it too."""


def _occluded(
    pixels: NDArray[np.uint8], labels: NDArray[np.uint8], generator: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Something of one colour, with a little noise, lies over the skin: neither skin nor lesion."""
    size = labels.shape[0]
    centre, reach = generator.uniform(0, size, 2), generator.uniform(0.05, 0.22) * size
    angles = np.sort(generator.uniform(0, 2 * np.pi, int(generator.integers(3, 9))))
    radii = reach * generator.uniform(0.5, 1.3, len(angles))
    corners = centre + radii[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    small = cv2.fillPoly(np.zeros((size, size), np.uint8), [np.round(corners).astype(np.int32)], 1)
    large = cv2.resize(small, pixels.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    colour = generator.uniform(0, 255, 3) + generator.normal(0, generator.uniform(2, 20), (*pixels.shape[:2], 1))
    covered = np.where(large[..., None] > 0, np.clip(colour, 0, 255), pixels).astype(np.uint8)
    return covered, np.where(small[..., None] > 0, 0, labels).astype(np.uint8)
