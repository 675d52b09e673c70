"""Rays from a camera onto a posed body: what each pixel shows of it, as a `Surface`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import InputError
from pasi_vision.phantom.atlas import atlas
from pasi_vision.phantom.body import Floats, body_model
from pasi_vision.phantom.landmarks import Landmarks, landmarks_of
from pasi_vision.phantom.pose import Mesh
from pasi_vision.phantom.surface import Part, Surface

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in the body's room (x to the subject's left, y to the back, z up; millimetres).

    Attributes:
        place_mm: Optical centre.
        axes: (3, 3); rows are the picture's right, down and forward directions.
        focal_px: Focal length in pixels.
        width, height: Size of the picture in pixels.
    """

    place_mm: Vector
    axes: Vector
    focal_px: float
    width: int
    height: int

    def resized(self, share: float) -> Camera:
        """The same camera with `share` times as many pixels across."""
        width, height = max(1, round(self.width * share)), max(1, round(self.height * share))
        return replace(self, focal_px=self.focal_px * width / self.width, width=width, height=height)

    def pixel_of(self, points_mm: Floats) -> tuple[Vector, Vector]:
        """Where points (N, 3) fall: pixel coordinates (N, 2) as x, y, and depth in mm (N,)."""
        local = (np.asarray(points_mm, dtype=np.float64) - self.place_mm) @ self.axes.T
        depth = local[:, 2]
        centre = np.array([self.width / 2, self.height / 2])
        return centre + self.focal_px * local[:, :2] / np.where(np.abs(depth) < 1e-9, 1e-9, depth)[:, None], depth


def look_at(
    place_mm: Vector,
    target_mm: Vector,
    size: tuple[int, int],
    focal_px: float,
    *,
    up: Vector | None = None,
    roll_deg: float = 0.0,
) -> Camera:
    """A camera at `place_mm` that looks at `target_mm`; `size` is (width, height); `up` is what points up in the picture.

    Raises:
        InputError: Camera and target coincide.
    """
    forward = np.asarray(target_mm, dtype=np.float64) - place_mm
    length = float(np.linalg.norm(forward))
    if length < 1e-6:
        raise InputError("camera and target are at the same place", where="camera", fix="Move the camera away.")
    forward = forward / length
    upward = np.array([0.0, 0.0, 1.0]) if up is None else np.asarray(up, dtype=np.float64)
    right = np.cross(forward, upward)
    if np.linalg.norm(right) < 1e-3:
        right = np.cross(forward, np.array([0.0, -1.0, 0.0]))
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    cosine, sine = np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))
    axes = np.stack([cosine * right + sine * down, cosine * down - sine * right, forward])
    return Camera(np.asarray(place_mm, dtype=np.float64), axes, float(focal_px), int(size[0]), int(size[1]))


@dataclass(frozen=True)
class Hits:
    """Where rays first meet the body; `triangle` is -1 where they miss. (N,) each, distances in mm along the unit ray."""

    triangle: NDArray[np.int64]
    u: Floats
    v: Floats
    distance_mm: Floats


class Scene:
    """A posed body ready for rays. Building takes 0.1 s; keep it for all cameras of one pose.

    `clothes` marks the fine quads that a garment covers: their pixels have region 0 and depth > 0; the hem is smoothed over a few quads.
    """

    def __init__(self, mesh: Mesh, clothes: NDArray[np.bool_] | None = None) -> None:
        self.mesh = mesh
        quads = body_model().fine.quads
        self.clothes = np.zeros(len(quads), dtype=bool) if clothes is None else clothes

    @cached_property
    def _tracer(self) -> object:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        scene = EmbreeScene()
        TriangleMesh(scene, self.mesh.vertices_mm[body_model().fine.triangles])
        return scene

    @cached_property
    def _corners(self) -> Floats:
        """Per fine vertex: posed normal, rest position, rest normal, cover by cloth (V, 10), gathered together."""
        body = self.mesh.body
        return np.concatenate(
            [self.mesh.normals, body.rest_mm, body.rest_normals, _smoothed(self.clothes)[:, None]], axis=1
        )

    @cached_property
    def chart_scale_mm(self) -> Floats:
        """Millimetres per unit of the texture atlas on this body, per fine quad: constant on each island of the atlas."""
        return chart_scale(self.mesh.body.rest_mm)

    @cached_property
    def _landmarks(self) -> Landmarks:
        return landmarks_of(self.mesh.body, atlas().part == int(Part.EAR))

    def shoot(self, origins_mm: Floats, directions: Floats) -> Hits:
        """First hits of rays (N, 3) with unit directions."""
        result = self._tracer.run(  # type: ignore[attr-defined]
            np.ascontiguousarray(origins_mm, dtype=np.float32),
            np.ascontiguousarray(directions, dtype=np.float32),
            query="INTERSECT",
            output=1,
        )
        triangle = result["primID"].astype(np.int64)
        triangle[(triangle < 0) | (triangle >= len(body_model().fine.triangles))] = -1
        return Hits(triangle, result["u"], result["v"], result["tfar"])

    def view(self, camera: Camera) -> Surface:
        """What the camera sees."""
        x = (np.arange(camera.width, dtype=np.float32) + 0.5 - camera.width / 2) / camera.focal_px
        y = (np.arange(camera.height, dtype=np.float32) + 0.5 - camera.height / 2) / camera.focal_px
        axes = camera.axes.astype(np.float32)
        rays = x[None, :, None] * axes[0] + y[:, None, None] * axes[1] + axes[2]
        cosine = 1 / np.sqrt(1 + x[None, :] ** 2 + y[:, None] ** 2)
        rays *= cosine[..., None]
        origins = np.broadcast_to(camera.place_mm.astype(np.float32), rays.shape).reshape(-1, 3)
        hits = self.shoot(origins, rays.reshape(-1, 3))
        return self._surface(camera, hits, cosine.reshape(-1).astype(np.float32))

    def _surface(self, camera: Camera, hits: Hits, cosine: Floats) -> Surface:
        labels, model = atlas(), body_model()
        seen = np.flatnonzero(hits.triangle >= 0)
        triangle, u, v = hits.triangle[seen], hits.u[seen, None], hits.v[seen, None]
        corner = model.fine.triangles[triangle]
        values = np.take(self._corners, corner[:, 0], axis=0) * (1 - u - v)
        values += np.take(self._corners, corner[:, 1], axis=0) * u
        values += np.take(self._corners, corner[:, 2], axis=0) * v
        normal, rest_normal = _unit(values[:, :3] @ camera.axes.T.astype(np.float32)), _unit(values[:, 6:9])
        quad = triangle // 2
        first = np.zeros_like(quad)
        second, third = np.where(triangle % 2 == 0, 1, 2), np.where(triangle % 2 == 0, 2, 3)
        uv = model.uv[quad, first] * (1 - u - v) + model.uv[quad, second] * u + model.uv[quad, third] * v
        depth = hits.distance_mm[seen] * cosine[seen]
        bare = values[:, 9] < 0.5
        shape = (camera.height, camera.width)

        source = np.full(
            shape[0] * shape[1], len(seen), dtype=np.int64
        )  # pixels that hit nothing take the row of zeros
        source[seen] = np.arange(len(seen))

        def spread(values: NDArray[Any]) -> NDArray[Any]:
            padded = np.concatenate([values, np.zeros((1, *values.shape[1:]), dtype=values.dtype)])
            return np.take(padded, source, axis=0).reshape(*shape, *values.shape[1:])

        return Surface(
            region=spread(np.where(bare, labels.region[quad], 0).astype(np.uint8)),
            part=spread(np.where(bare, labels.part[quad], 0).astype(np.uint8)),
            place_mm=spread(values[:, 3:6]),
            chart_mm=spread((uv * self.chart_scale_mm[quad][:, None]).astype(np.float32)),
            uv=spread(uv.astype(np.float32)),
            normal=spread(normal),
            rest_normal=spread(rest_normal),
            depth_mm=spread(depth.astype(np.float32)),
            mm_per_px=spread((depth / camera.focal_px).astype(np.float32)),
            landmarks=self._landmarks,
        )


def _smoothed(clothes: NDArray[np.bool_]) -> Floats:
    """Cover (0-1) per fine vertex of a mask of fine quads: averaged over its neighbours four times."""
    fine = body_model().fine
    value = np.zeros(fine.matrix.shape[0], dtype=np.float32)
    if not clothes.any():
        return value
    count = np.bincount(fine.quads.ravel(), minlength=len(value))
    quad = clothes.astype(np.float64)
    for _ in range(4):
        mean = np.bincount(fine.quads.ravel(), np.repeat(quad, 4), len(value)) / np.maximum(count, 1)
        quad = mean[fine.quads].mean(axis=1)
    return np.asarray(mean, dtype=np.float32)


def chart_scale(rest_mm: Floats) -> Floats:
    """Millimetres per unit of the texture atlas, per fine quad: root of area over atlas area, by island."""
    model = body_model()
    area = quad_areas_mm2(rest_mm)
    corner = model.uv
    diagonal, other = corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1]
    flat = np.abs(diagonal[:, 0] * other[:, 1] - diagonal[:, 1] * other[:, 0]) / 2
    u, v = corner.mean(axis=1).T
    hands, feet = (v > 0.79) & (u > 0.36) & (u < 0.77), (v > 0.82) & (u < 0.37)
    island = np.select([(u > 0.62) & (v > 0.14) & (v < 0.87) & ~hands, hands, feet], [1, 2, 3], default=0)
    area_of, flat_of = np.bincount(island, area, 4), np.bincount(island, flat, 4)
    return np.asarray(np.sqrt(area_of / np.maximum(flat_of, 1e-12))[island], dtype=np.float32)


def quad_areas_mm2(vertices_mm: Floats) -> NDArray[np.float64]:
    """Area of each fine quad (two triangles) in mm2."""
    corners = vertices_mm[body_model().fine.triangles].astype(np.float64)
    double = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return np.asarray(double.reshape(-1, 2).sum(axis=1) / 2)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)
