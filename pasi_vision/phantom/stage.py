"""The picture while things are laid into it that are neither the patient's skin nor disease: what they hide is kept beside it.

Places on the body are found from what the camera sees (position and normals), so that the same code serves flat close-ups and bodies.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.light import Light, falloff_map, shade
from pasi_vision.phantom.surface import Surface, at_size

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]
Rng = np.random.Generator
Spot = tuple[int, int]


@dataclass
class Stage:
    """All (H, W) at the picture's resolution; the surface may be coarser.

    Attributes:
        radiance: (H, W, 3) linear light, changed in place.
        cover: 0-1; how far the patient is hidden by things.
        others: 0-1; skin of somebody else.
        surface: What the camera sees of the patient.
        normal: (H, W, 3) in camera coordinates.
        mm: Size of a pixel at the skin.
        light: Of the photograph.
        beyond: 0-1; things that stand off the body and hide what is behind it, too.
    """

    radiance: Field
    cover: Field
    others: Field
    surface: Surface
    normal: Field
    mm: float
    light: Light
    beyond: Field

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture."""
        return self.cover.shape[0], self.cover.shape[1]

    def enlarged(self, values: Field) -> Field:
        """A map of the surface at the picture's resolution."""
        return at_size(values, self.size)


def stage_for(radiance: Field, surface: Surface, normal: Field, mm: float, light: Light) -> Stage:
    """A stage on which nothing has been laid yet."""
    size = radiance.shape[:2]
    nothing = (np.zeros(size, np.float32) for _ in range(3))
    return Stage(radiance, next(nothing), next(nothing), surface, normal, mm, light, next(nothing))


def positions(surface: Surface) -> Field:
    """(H, W, 3) where each pixel's skin is, mm in camera coordinates; far away where there is none."""
    height, width = surface.shape
    x = (np.arange(width, dtype=np.float32) - np.float32(width / 2))[None, :] * surface.mm_per_px
    y = (np.arange(height, dtype=np.float32) - np.float32(height / 2))[:, None] * surface.mm_per_px
    found = np.stack([x, y, surface.depth_mm], -1)
    found[surface.region == 0] = 1e5
    return np.asarray(found, np.float32)


def axis_near(surface: Surface, place: Field, spot: Spot, reach_mm: float) -> NDArray[np.float64] | None:
    """Direction of the limb or finger at a spot: the one to which all normals around are square; None on flat skin."""
    near = np.linalg.norm(place - place[spot], axis=-1) < reach_mm
    if int(near.sum()) < 12:
        return None
    normals = surface.normal[near].astype(np.float64)
    values, vectors = np.linalg.eigh(normals.T @ normals / len(normals))
    return None if values[1] < 0.02 else np.asarray(vectors[:, 0])


def around(surface: Surface, spot: Spot, axis: NDArray[np.float64], reach_mm: float) -> tuple[Field, Field, Mask]:
    """Coordinates in mm along `axis` and across it on the skin near a spot, and where they hold (one connected piece)."""
    place = positions(surface)
    offset = place - place[spot]
    normal = surface.normal[spot].astype(np.float64)
    aside = np.cross(axis, normal)
    aside /= max(float(np.linalg.norm(aside)), 1e-6)
    along = offset @ axis.astype(np.float32)
    across = offset @ aside.astype(np.float32)
    near = (np.linalg.norm(offset, axis=-1) < reach_mm) & (surface.region > 0)
    _, pieces = cv2.connectedComponents(near.astype(np.uint8), connectivity=4)
    own = near & (pieces == pieces[spot])
    far = np.float32(1e4)
    return (
        np.where(own, along, far).astype(np.float32),
        np.where(own, across, far).astype(np.float32),
        np.asarray(own, np.bool_),
    )


def lay(stage: Stage, alpha: Field, colour: Field, height_mm: Field | None = None, gloss: float = 0.3) -> None:
    """Lay something on the skin: lit like the skin under it, with a thin shadow around, and noted as hiding it.

    Args:
        alpha: (H, W) opacity.
        colour: (H, W, 3) or (3,) linear reflectance.
        height_mm: (H, W) its relief.
        gloss: Factor on shine.
    """
    rows, columns = np.nonzero(alpha > 0.003)
    if not rows.size:
        return
    edge = int(np.ceil(2.5 / stage.mm)) + 4
    top, left = max(int(rows.min()) - edge, 0), max(int(columns.min()) - edge, 0)
    box = np.s_[top : int(rows.max()) + edge, left : int(columns.max()) + edge]
    here = alpha[box]
    relief = here * np.float32(0.6) if height_mm is None else height_mm[box] * here
    diffuse, specular = shade(
        stage.normal[box], np.asarray(relief, np.float32), stage.mm, stage.light, np.full(here.shape, gloss, np.float32)
    )
    fall = falloff_map(stage.light, stage.size)[box][..., None]
    paint = colour[box] if colour.ndim == 3 else colour
    lit = (paint * diffuse[..., None] + specular[..., None]) * fall
    around_it = cv2.GaussianBlur(here, (0, 0), max(0.8, 0.7 / stage.mm))
    below = stage.radiance[box] * (1 - np.float32(0.45) * np.clip(around_it, 0, 1)[..., None])
    stage.radiance[box] = below + here[..., None] * (lit - below)
    stage.cover[box] = np.maximum(stage.cover[box], here)
