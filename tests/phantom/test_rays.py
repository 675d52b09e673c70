"""Rays: depths and scales that geometry predicts, areas that agree with the mesh, addresses that do not depend on the view."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from pasi_vision.errors import InputError
from pasi_vision.phantom.atlas import atlas
from pasi_vision.phantom.body import Body, BodyShape, body_model, make_body
from pasi_vision.phantom.garments import covered
from pasi_vision.phantom.pose import posed
from pasi_vision.phantom.postures import ARMS_OUT, STANDING, posture_pose
from pasi_vision.phantom.rays import Scene, look_at, quad_areas_mm2


@pytest.fixture(scope="module")
def body() -> Body:
    return make_body(BodyShape(stature_cm=175))


@pytest.fixture(scope="module")
def scene(body: Body) -> Scene:
    return Scene(posed(body, posture_pose(body, STANDING)))


def _front(scene: Scene, size: tuple[int, int] = (300, 400), distance: float = 3000.0):
    middle = (scene.mesh.vertices_mm.min(axis=0) + scene.mesh.vertices_mm.max(axis=0)).astype(float) / 2
    return look_at(middle + np.array([0, -distance, 0]), middle, size, 0.9 * size[1] * distance / 1750)


def test_what_a_pixel_says_projects_back_to_that_pixel(scene: Scene) -> None:
    camera = _front(scene)
    surface = scene.view(camera)
    rows, columns = np.nonzero(surface.region > 0)
    pick = np.random.default_rng(0).integers(0, len(rows), 200)
    rows, columns = rows[pick], columns[pick]
    depth = surface.depth_mm[rows, columns]
    local = (
        np.stack(
            [
                (columns + 0.5 - camera.width / 2) * depth,
                (rows + 0.5 - camera.height / 2) * depth,
                camera.focal_px * depth,
            ],
            axis=1,
        )
        / camera.focal_px
    )
    world = local @ camera.axes + camera.place_mm
    place, far = camera.pixel_of(world.astype(np.float32))
    assert np.allclose(place, np.stack([columns + 0.5, rows + 0.5], axis=1), atol=0.05)
    assert np.allclose(far, depth, rtol=1e-4)
    assert cKDTree(scene.mesh.vertices_mm).query(world)[0].max() < 25  # every point seen lies on the body


def test_area_by_rays_agrees_with_area_by_mesh_faces(scene: Scene) -> None:
    """Parallel-like rays: sum of pixel area / cosine over faces that are wholly seen equals their mesh area within 0.5 %."""
    camera = _front(scene, (900, 1200), 60000.0)
    surface = scene.view(camera)
    cosine = -np.einsum("ijk,ijk->ij", surface.normal, _rays(camera))
    labels = atlas()
    # A patch of the chest and belly that faces the camera, away from any outline.
    quads = np.flatnonzero((labels.normal[:, 1] < -0.85) & (np.abs(labels.centre_mm[:, 0]) < 60) & (labels.region == 3))
    hit = _quads_hit(scene, camera)
    inside = np.isin(hit, quads)
    area = (surface.mm_per_px[inside] ** 2 / _flat_cosine(scene, camera, hit)[inside]).sum()
    assert cosine[inside].min() > 0.4
    assert area == pytest.approx(quad_areas_mm2(scene.mesh.vertices_mm)[quads].sum(), rel=0.005)


def test_an_address_is_the_same_in_every_pose_and_view(body: Body, scene: Scene) -> None:
    other = Scene(posed(body, posture_pose(body, ARMS_OUT)))
    for each in (scene, other):
        surface = each.view(_front(each))
        seen = surface.region > 0
        assert cKDTree(body.rest_mm).query(surface.place_mm[seen])[0].max() < 25
        assert np.allclose(np.linalg.norm(surface.rest_normal[seen], axis=-1), 1, atol=1e-4)
        assert (surface.normal[seen][:, 2] < 0.2).mean() > 0.99  # what is seen faces the camera


def test_pixels_without_skin_are_finite_zeros(scene: Scene) -> None:
    surface = scene.view(_front(scene))
    empty = surface.depth_mm == 0
    assert empty.any()
    for name in ("place_mm", "chart_mm", "uv", "normal", "mm_per_px"):
        assert not getattr(surface, name)[empty].any()
        assert np.isfinite(getattr(surface, name)).all()


def test_clothes_hide_skin_but_are_solid(body: Body) -> None:
    mesh = posed(body, posture_pose(body, STANDING))
    bare, dressed = Scene(mesh), Scene(mesh, covered(("shorts",)))
    camera = _front(bare)
    first, second = bare.view(camera), dressed.view(camera)
    lost = (first.region > 0) & (second.region == 0)
    assert 0.02 < lost.sum() / (first.region > 0).sum() < 0.15
    assert np.array_equal(first.depth_mm, second.depth_mm)


def test_camera_on_its_target_is_refused() -> None:
    with pytest.raises(InputError, match="same place"):
        look_at(np.zeros(3), np.zeros(3), (10, 10), 100.0)


def _rays(camera):
    x = (np.arange(camera.width) + 0.5 - camera.width / 2) / camera.focal_px
    y = (np.arange(camera.height) + 0.5 - camera.height / 2) / camera.focal_px
    ray = np.stack(np.broadcast_arrays(x[None, :], y[:, None], 1.0), axis=-1)
    return ray / np.linalg.norm(ray, axis=-1, keepdims=True)


def _quads_hit(scene: Scene, camera):
    directions = (_rays(camera) @ camera.axes).reshape(-1, 3).astype(np.float32)
    hits = scene.shoot(np.broadcast_to(camera.place_mm.astype(np.float32), directions.shape), directions)
    return np.where(hits.triangle >= 0, hits.triangle // 2, -1).reshape(camera.height, camera.width)


def _flat_cosine(scene: Scene, camera, hit):
    """Cosine between each pixel's ray and the flat normal of the triangle pair it hits (exact for the mesh, unlike smooth normals)."""
    quads = body_model().fine.quads
    corner = scene.mesh.vertices_mm[quads].astype(float)
    normal = np.cross(corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    world = _rays(camera) @ camera.axes
    return np.where(hit >= 0, -np.einsum("ijk,ijk->ij", world, normal[hit]), 1.0)
