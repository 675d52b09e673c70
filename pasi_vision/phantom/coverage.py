"""What the protocol's views show of a body's surface: which skin each view sees, cut into cells by the set of views that see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import Region, View
from pasi_vision.phantom.atlas import atlas
from pasi_vision.phantom.body import Body, body_model
from pasi_vision.phantom.plaques import Plaque
from pasi_vision.phantom.rays import Camera, Scene, quad_areas_mm2
from pasi_vision.phantom.surface import Part
from pasi_vision.phantom.views import VIEW_PLANS, Shot

#: Skin that turns away from the camera by more than about 80 degrees shows nothing.
GRAZING = 0.17


@dataclass(frozen=True)
class Shown:
    """Pixels of one region in one view: skin, lesion, and the same weighed by 1 / cosine (foreshortening undone)."""

    skin_px: float
    lesion_px: float
    skin_area: float
    lesion_area: float


def visible_quads(scene: Scene, camera: Camera, *, hair: bool) -> NDArray[np.bool_]:
    """Which fine quads the camera sees (their centre, from outside, in frame, bare); with `hair` the scalp is hidden."""
    quads = body_model().fine.quads
    centres = scene.mesh.vertices_mm[quads].mean(axis=1)
    normals = scene.mesh.normals[quads].mean(axis=1)
    place, depth = camera.pixel_of(centres)
    inside = (depth > 0) & (place >= 0).all(axis=1) & (place[:, 0] < camera.width) & (place[:, 1] < camera.height)
    way = centres - camera.place_mm.astype(np.float32)
    length = np.linalg.norm(way, axis=1, keepdims=True)
    way = way / length
    facing = -np.einsum("ij,ij->i", way, normals) > GRAZING
    seen = inside & facing & ~scene.clothes
    if hair:
        seen &= atlas().part != int(Part.SCALP)
    asked = np.flatnonzero(seen)
    hits = scene.shoot(np.broadcast_to(camera.place_mm, (len(asked), 3)), way[asked])
    seen[asked[(hits.triangle < 0) | (np.abs(hits.distance_mm - length[asked, 0]) > 6.0)]] = False
    return np.asarray(seen, dtype=np.bool_)


def seen_by(shots: Sequence[Shot], *, hair: bool) -> NDArray[np.int64]:
    """For each fine quad the set of shots that see it, as bits in their order."""
    bits = np.zeros(len(atlas().part), dtype=np.int64)
    for index, shot in enumerate(shots):
        bits |= visible_quads(shot.scene, shot.camera, hair=hair).astype(np.int64) << index
    return bits


def cells(body: Body, bits: NDArray[np.int64]) -> Mapping[Region, Mapping[int, float]]:
    """Share (0-1) of each region's surface by the set of views that see it."""
    area = quad_areas_mm2(body.rest_mm)
    region = atlas().region
    result: dict[Region, dict[int, float]] = {}
    for name in Region:
        here = region == name.code
        values, index = np.unique(bits[here], return_inverse=True)
        share = np.bincount(index, area[here]) / area[here].sum()
        result[name] = {int(value): float(part) for value, part in zip(values, share, strict=True)}
    return result


def shown_in(shot: Shot, plaques: Sequence[Plaque], *, hair: bool) -> Mapping[Region, Shown]:
    """What a perfect segmentation would count in one photograph, by region."""
    from pasi_vision.phantom.bodyphoto import maps_on

    surface = shot.scene.view(shot.camera)
    skin = surface.skin & ~((surface.part == int(Part.SCALP)) & hair)
    lesion = maps_on(surface, plaques).lesion & skin
    x = (np.arange(shot.camera.width) + 0.5 - shot.camera.width / 2) / shot.camera.focal_px
    y = (np.arange(shot.camera.height) + 0.5 - shot.camera.height / 2) / shot.camera.focal_px
    ray = np.stack(np.broadcast_arrays(x[None, :], y[:, None], 1.0), axis=-1)
    cosine = -np.einsum("ijk,ijk->ij", ray / np.linalg.norm(ray, axis=-1, keepdims=True), surface.normal)
    weight = surface.mm_per_px**2 / np.clip(cosine, GRAZING, 1.0)
    result = {}
    for name in Region:
        here = surface.region == name.code
        result[name] = Shown(
            float((here & skin).sum()),
            float((here & lesion).sum()),
            float(weight[here & skin].sum()),
            float(weight[here & lesion].sum()),
        )
    return result


PROTOCOL_VIEWS: tuple[View, ...] = tuple(VIEW_PLANS)
