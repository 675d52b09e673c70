"""Simple body surfaces of close-ups: curved patches, limbs and unions of rounded parts, each as a `Surface` seen from straight above.

They are drawn at half the camera's resolution (everything in them is smooth) and their address (`place_mm`) is the unrolled surface itself,
so that an area on it is an area of skin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.surface import Part, Surface

Field = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Canvas:
    """The frame in mm: pixel grids and how many mm a pixel spans. The origin is the middle of the frame."""

    height: int
    width: int
    mm_per_px: float

    def grid(self) -> tuple[Field, Field]:
        """x (right) and y (down) in mm of every pixel centre."""
        x = (np.arange(self.width, dtype=np.float32) - (self.width - 1) / 2) * np.float32(self.mm_per_px)
        y = (np.arange(self.height, dtype=np.float32) - (self.height - 1) / 2) * np.float32(self.mm_per_px)
        grid = np.meshgrid(x, y)
        return grid[0], grid[1]

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height of the frame in mm."""
        return self.width * self.mm_per_px, self.height * self.mm_per_px


@dataclass
class Shell:
    """A surface while it is being built; grows into a `Surface`.

    Attributes:
        inside_mm: Signed distance to the silhouette, positive on skin.
        elevation_mm: Height towards the camera.
        chart_mm: (H, W, 2) unrolled coordinates.
        part, region: Codes per pixel.
        limb: Which connected piece a pixel belongs to (0, 1 ...): pieces never share lesions.
        melanin, blood: Factors on the person's own, anatomical (palms, lips, areolae ...).
        relief_mm: Anatomical creases and folds, added height.
        gloss: Factor on shine.
        pixel_mm: Size of a pixel.
        paint: Overlays that are not skin (nails, eyes ...): list of (alpha, linear RGB) drawn in order.
        axis: Direction of skin tension lines in the chart, radians.
    """

    inside_mm: Field
    elevation_mm: Field
    chart_mm: Field
    part: NDArray[np.uint8]
    region: NDArray[np.uint8]
    limb: NDArray[np.uint8]
    melanin: Field
    blood: Field
    relief_mm: Field
    gloss: Field
    pixel_mm: float = 1.0
    axis: float = 0.0
    paint: list[tuple[Field, tuple[float, float, float]]] = field(default_factory=list)


def blank(canvas: Canvas, part: Part, region: int) -> Shell:
    """A flat shell that fills the frame."""
    x, y = canvas.grid()
    ones = np.ones_like(x)
    return Shell(
        inside_mm=ones * 1e3,
        elevation_mm=0.0 * ones,
        chart_mm=np.stack([x, y], -1),
        part=np.full(x.shape, int(part), np.uint8),
        region=np.full(x.shape, region, np.uint8),
        limb=np.zeros(x.shape, np.uint8),
        melanin=ones.copy(),
        blood=ones.copy(),
        relief_mm=0.0 * ones,
        gloss=ones.copy(),
        pixel_mm=canvas.mm_per_px,
    )


def surface_of(shell: Shell, canvas: Canvas, tilt: tuple[float, float] = (0.0, 0.0)) -> Surface:
    """The finished surface; `tilt` inclines the whole by these slopes against the camera axis."""
    pixel = np.float32(canvas.mm_per_px)
    down, right = np.gradient(shell.elevation_mm, pixel)
    right, down = right + np.float32(tilt[0]), down + np.float32(tilt[1])
    steep = np.sqrt(right * right + down * down)
    limit = np.minimum(1.0, 2.5 / np.maximum(steep, 1e-6))
    normal = np.stack([-right * limit, -down * limit, np.full_like(right, -1.0)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    skin = shell.inside_mm > 0
    place = np.concatenate([shell.chart_mm, (shell.limb.astype(np.float32) * 2000.0)[..., None]], -1)
    rest = np.zeros((*skin.shape, 3), np.float32)
    rest[..., 2] = -1.0
    return Surface(
        region=np.where(skin, shell.region, 0).astype(np.uint8),
        part=np.where(skin, shell.part, 0).astype(np.uint8),
        place_mm=np.where(skin[..., None], place, -1e5).astype(np.float32),
        chart_mm=shell.chart_mm.astype(np.float32),
        uv=np.zeros((*skin.shape, 2), np.float32),
        normal=normal.astype(np.float32),
        rest_normal=rest,
        depth_mm=(500.0 - shell.elevation_mm).astype(np.float32),
        mm_per_px=np.full(skin.shape, pixel, np.float32),
    )


def turned(x: Field, y: Field, angle: float, centre: tuple[float, float] = (0.0, 0.0)) -> tuple[Field, Field]:
    """Coordinates along and across an axis through `centre` at `angle` (radians, clockwise on the screen)."""
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
    return dx * cos + dy * sin, dy * cos - dx * sin


def cone(
    x: Field, y: Field, start: Sequence[float], end: Sequence[float], radii: tuple[float, float]
) -> tuple[Field, Field, Field]:
    """A tapered capsule in the picture plane: signed distance (positive inside), share along it 0-1, radius there. All in mm."""
    ax, ay = float(start[0]), float(start[1])
    bx, by = float(end[0]) - ax, float(end[1]) - ay
    length2 = max(bx * bx + by * by, 1e-6)
    along = np.clip(((x - ax) * bx + (y - ay) * by) / np.float32(length2), 0.0, 1.0)
    radius = radii[0] + along * np.float32(radii[1] - radii[0])
    distance = np.hypot(x - ax - along * np.float32(bx), y - ay - along * np.float32(by))
    return (radius - distance).astype(np.float32), along.astype(np.float32), radius.astype(np.float32)


def dome(inside: Field, radius: Field | float) -> Field:
    """Height of a round cross-section of `radius` at a depth `inside` from its silhouette."""
    share = np.clip(inside / radius, 0.0, 1.0)
    return np.asarray(radius * np.sqrt(np.maximum(share * (2.0 - share), 0.0)), np.float32)


def smooth_max(a: Numbers, b: Numbers, width: float) -> Field:
    """Maximum with a rounded seam of `width` mm."""
    h = np.clip(0.5 + 0.5 * (a - b) / np.float32(width), 0.0, 1.0)
    return np.asarray(b + (a - b) * h + np.float32(width) * h * (1.0 - h), np.float32)
