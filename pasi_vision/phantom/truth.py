"""The exact truth of a phantom: what share of each region's surface is affected, by dense samples of the mesh's faces.

Two conventions (design, section 6): `lesion`, the affected skin exactly; `outline`, what a pen would enclose on the skin itself:
the lesions with their holes, neighbours nearer than `MERGE_GAP_MM` joined and the whole grown by `GROWTH_MM`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import Region, Sign
from pasi_vision.errors import InputError
from pasi_vision.phantom.atlas import atlas
from pasi_vision.phantom.body import Body, Floats, body_model
from pasi_vision.phantom.plaques import LesionMaps, Plaque, lesion_maps
from pasi_vision.phantom.rays import quad_areas_mm2

GROWTH_MM = 2.5
MERGE_GAP_MM = 9.0
BEYOND = 0.3


@dataclass(frozen=True)
class RegionTruth:
    """One region: its surface, how much of it is affected (both conventions) and the mean grades over the affected skin."""

    surface_mm2: float
    lesion_mm2: float
    outline_mm2: float
    grades: Mapping[Sign, float]

    @property
    def lesion_percent(self) -> float:
        """Exactly affected share of the region's surface, 0-100."""
        return 100.0 * self.lesion_mm2 / self.surface_mm2

    @property
    def outline_percent(self) -> float:
        """Outlined share of the region's surface, 0-100."""
        return 100.0 * self.outline_mm2 / self.surface_mm2


@dataclass(frozen=True)
class SkinSamples:
    """Points spread evenly over faces: rest-pose place (N, 3), unit normal (N, 3), the skin each stands for (mm2), its fine quad."""

    place_mm: Floats
    normal: Floats
    area_mm2: NDArray[np.float64]
    quad: NDArray[np.int64]


def skin_samples(body: Body, quads: NDArray[np.int64], spacing_mm: float) -> SkinSamples:
    """Sample fine quads of the rest body so that neighbours lie about `spacing_mm` apart.

    Raises:
        InputError: The spacing is not above zero.
    """
    if not spacing_mm > 0:
        raise InputError(
            f"spacing {spacing_mm} mm is impossible", where="truth", fix="Give a spacing above 0, such as 2."
        )
    corners = body_model().fine.quads[quads]
    area = quad_areas_mm2(body.rest_mm)[quads]
    steps = np.maximum(np.ceil(np.sqrt(area) / spacing_mm), 1).astype(np.int64)
    places, normals, areas, owners = [], [], [], []
    for step in np.unique(steps):
        here = steps == step
        middle = (np.arange(step, dtype=np.float32) + 0.5) / step
        s, t = (grid.ravel() for grid in np.meshgrid(middle, middle))
        weights = np.stack([(1 - s) * (1 - t), s * (1 - t), s * t, (1 - s) * t])  # bilinear
        place = np.einsum("qck,cp->qpk", body.rest_mm[corners[here]], weights).reshape(-1, 3)
        normal = np.einsum("qck,cp->qpk", body.rest_normals[corners[here]], weights).reshape(-1, 3)
        places.append(place)
        normals.append(normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9))
        areas.append(np.repeat(area[here] / step**2, step**2))
        owners.append(np.repeat(quads[here], step**2))
    if not places:
        return SkinSamples(
            np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32), np.zeros(0), np.zeros(0, np.int64)
        )
    return SkinSamples(
        np.concatenate(places).astype(np.float32),
        np.concatenate(normals).astype(np.float32),
        np.concatenate(areas),
        np.concatenate(owners),
    )


def region_surfaces_mm2(body: Body) -> dict[Region, float]:
    """Surface of each region on this body, in mm2."""
    sums = np.bincount(atlas().region, quad_areas_mm2(body.rest_mm), 6)
    return {region: float(sums[region.code]) for region in Region}


def true_regions(body: Body, plaques: Sequence[Plaque], *, spacing_mm: float = 1.5) -> dict[Region, RegionTruth]:
    """Truth of every region; only faces that a plaque can reach are sampled."""
    samples, maps = affected_samples(body, plaques, spacing_mm)
    outlined = outline_on_skin(samples, maps, plaques, spacing_mm)
    region = atlas().region[samples.quad]
    surfaces = region_surfaces_mm2(body)
    result = {}
    for name in Region:
        here = region == name.code
        lesion = float(samples.area_mm2[here & maps.lesion].sum())
        weight = np.where(here & maps.lesion, samples.area_mm2, 0.0)
        signs = (maps.erythema, maps.induration, maps.scaling)
        grades = {
            sign: float((values * weight).sum() / lesion) if lesion else 0.0
            for sign, values in zip(Sign, signs, strict=True)
        }
        result[name] = RegionTruth(surfaces[name], lesion, float(samples.area_mm2[here & outlined].sum()), grades)
    return result


def affected_samples(body: Body, plaques: Sequence[Plaque], spacing_mm: float) -> tuple[SkinSamples, LesionMaps]:
    """Samples of all skin that a plaque (or its outline) can reach, and what each carries."""
    quads = _reachable_quads(body, [plaque for plaque in plaques if plaque.active], GROWTH_MM + MERGE_GAP_MM)
    samples = skin_samples(body, quads, spacing_mm)
    return samples, lesion_maps(plaques, samples.place_mm, samples.normal)


def outline_on_skin(
    samples: SkinSamples, maps: LesionMaps, plaques: Sequence[Plaque], spacing_mm: float
) -> NDArray[np.bool_]:
    """Which samples a pen would enclose: dilated by growth and half the gap, then eroded by half the gap (distances in space)."""
    from scipy.spatial import cKDTree

    alive = np.array([plaque.active for plaque in plaques] + [False])
    inside = maps.lesion | ((maps.distance_mm > 0) & alive[maps.plaque])
    if not inside.any():
        return np.asarray(inside, dtype=np.bool_)
    # The border runs between samples: the nearest sample beyond it lies that much farther than the border itself.
    beyond = BEYOND * spacing_mm
    reach = GROWTH_MM + MERGE_GAP_MM / 2 + beyond
    outside = np.flatnonzero(~inside)
    gap, _ = cKDTree(samples.place_mm[inside]).query(samples.place_mm[outside], distance_upper_bound=reach)
    swollen = inside.copy()
    swollen[outside[np.isfinite(gap)]] = True
    rest = np.flatnonzero(~swollen)
    if not len(rest):
        return np.asarray(swollen, dtype=np.bool_)
    candidates = np.flatnonzero(swollen & ~inside)
    to_rest, _ = cKDTree(samples.place_mm[rest]).query(
        samples.place_mm[candidates], distance_upper_bound=MERGE_GAP_MM / 2 + beyond
    )
    result = inside.copy()
    result[candidates[~np.isfinite(to_rest)]] = True
    return np.asarray(result, dtype=np.bool_)


def _reachable_quads(body: Body, plaques: Sequence[Plaque], margin_mm: float) -> NDArray[np.int64]:
    from scipy.spatial import cKDTree

    if not plaques:
        return np.zeros(0, dtype=np.int64)
    corners = body.rest_mm[body_model().fine.quads]
    centres = corners.mean(axis=1)
    radius = float(np.linalg.norm(corners - centres[:, None], axis=2).max())
    bare = np.flatnonzero(atlas().region > 0)
    tree = cKDTree(centres[bare])
    reach = [plaque.reach_mm + margin_mm + radius for plaque in plaques]
    found = tree.query_ball_point(np.array([plaque.centre_mm for plaque in plaques]), reach)
    return np.asarray(
        bare[np.unique(np.concatenate([np.asarray(indices, dtype=np.int64) for indices in found]))], dtype=np.int64
    )
