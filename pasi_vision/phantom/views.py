"""Cameras: of the protocol's views, and of close-ups aimed at any site of the body."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.errors import InputError
from pasi_vision.phantom.atlas import atlas
from pasi_vision.phantom.body import Body, body_model
from pasi_vision.phantom.pose import posed
from pasi_vision.phantom.postures import ARMS_OUT, PALMS, STANDING, Posture, chance_posture, posture_pose
from pasi_vision.phantom.rays import Camera, Scene, look_at, quad_areas_mm2
from pasi_vision.phantom.surface import Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HEAD = (Part.SCALP, Part.FACE, Part.EAR, Part.NECK, Part.LIPS)
_TRUNK = (Part.CHEST, Part.ABDOMEN, Part.BACK, Part.AREOLA)
_ARMS = (Part.UPPER_ARM, Part.ELBOW, Part.FOREARM, Part.HAND_BACK, Part.PALM, Part.FINGER)
_LEGS = (Part.THIGH, Part.KNEE, Part.SHIN, Part.FOOT_BACK, Part.TOE, Part.SOLE)


@dataclass(frozen=True)
class ViewPlan:
    """How a view of the protocol is taken: posture, camera direction from the subject, what fills the frame.

    Attributes:
        towards: Direction from the subject to the camera (x subject's left, y back, z up).
        distance_cm: Camera to skin, as `configs/protocol.yaml`.
        framed: Parts that must lie in the frame.
        aspect: Width over height.
    """

    posture: Posture
    towards: tuple[float, float, float]
    distance_cm: float
    framed: tuple[Part, ...]
    aspect: float
    up: tuple[float, float, float] = (0.0, 0.0, 1.0)

    def long_side_px(self, megapixels: float) -> int:
        """The longer side of a photograph of so many million pixels."""
        return round(1000.0 * math.sqrt(megapixels * max(self.aspect, 1 / self.aspect)))


VIEW_PLANS: Mapping[View, ViewPlan] = {
    View.HEAD_FRONT: ViewPlan(STANDING, (0, -1, 0), 90, _HEAD, 3 / 4),
    View.HEAD_BACK: ViewPlan(STANDING, (0, 1, 0), 90, _HEAD, 3 / 4),
    View.HEAD_LEFT: ViewPlan(STANDING, (1, 0, 0), 90, _HEAD, 3 / 4),
    View.HEAD_RIGHT: ViewPlan(STANDING, (-1, 0, 0), 90, _HEAD, 3 / 4),
    View.TRUNK_FRONT: ViewPlan(STANDING, (0, -1, 0), 170, (*_TRUNK, Part.GROIN), 3 / 4),
    View.TRUNK_BACK: ViewPlan(STANDING, (0, 1, 0), 170, (*_TRUNK, Part.BUTTOCK), 3 / 4),
    View.UPPER_LIMBS_FRONT: ViewPlan(ARMS_OUT, (0, -1, 0), 200, _ARMS, 2.0),
    View.UPPER_LIMBS_BACK: ViewPlan(ARMS_OUT, (0, 1, 0), 200, _ARMS, 2.0),
    View.LOWER_LIMBS_FRONT: ViewPlan(STANDING, (0, -1, 0.05), 220, (*_LEGS, Part.GROIN), 2 / 3),
    View.LOWER_LIMBS_BACK: ViewPlan(STANDING, (0, 1, 0.05), 220, (*_LEGS, Part.BUTTOCK), 2 / 3),
    View.PALMS: ViewPlan(PALMS, (0, -1, 0), 60, (Part.PALM,), 4 / 3),
    View.SOLES: ViewPlan(Posture(legs_apart_mm=170), (0, 0.12, -1), 60, (Part.SOLE,), 4 / 3, (0.0, -1.0, 0.0)),
}


@dataclass(frozen=True)
class Shot:
    """A scene and a camera in it."""

    scene: Scene
    camera: Camera


def protocol_shot(
    body: Body,
    view: View,
    *,
    long_side_px: int = 1152,
    rng: np.random.Generator | None = None,
    clothes: NDArray[np.bool_] | None = None,
    scene: Scene | None = None,
) -> Shot:
    """The photograph of one view: posture, distance and framing of the protocol, with a person's small errors if `rng` is given.

    A `scene` in this view's posture may be handed in, so that several cameras share it.

    Raises:
        InputError: The view is a close-up, which has no plan.
    """
    if view not in VIEW_PLANS:
        raise InputError(f"view {view.value!r} has no fixed camera", where="view", fix="Use `close_up_camera`.")
    plan = VIEW_PLANS[view]
    if scene is None:
        scene = Scene(posed(body, posture_pose(body, plan.posture, rng)), clothes)
    return Shot(scene, _protocol_camera(scene, plan, long_side_px, rng))


def protocol_shots(
    body: Body, views: Sequence[View], *, long_side_px: int, rng: np.random.Generator, clothes: NDArray[np.bool_]
) -> dict[View, Shot]:
    """Shots of several views; those of one posture share a scene, which saves most of the time."""
    scenes: dict[Posture, Scene] = {}
    shots = {}
    for view in views:
        posture = VIEW_PLANS[view].posture
        shots[view] = protocol_shot(
            body, view, long_side_px=long_side_px, rng=rng, clothes=clothes, scene=scenes.get(posture)
        )
        scenes[posture] = shots[view].scene
    return shots


def _protocol_camera(scene: Scene, plan: ViewPlan, long_side_px: int, rng: np.random.Generator | None) -> Camera:
    quads = np.isin(atlas().part, [int(part) for part in plan.framed])
    points = scene.mesh.vertices_mm[np.unique(body_model().fine.quads[quads])]
    if Part.NECK in plan.framed:
        points = points[points[:, 2] > points[:, 2].min() + 40]
    target = (points.min(axis=0) + points.max(axis=0)).astype(np.float64) / 2
    towards = np.asarray(plan.towards, dtype=np.float64)
    margin, roll, distance = 1.10, 0.0, plan.distance_cm * 10.0
    if rng is not None:
        towards = towards / np.linalg.norm(towards) + rng.normal(0, 0.05, 3)
        margin, roll = float(rng.uniform(1.02, 1.22)), float(rng.normal(0, 1.5))
        distance *= float(rng.uniform(0.85, 1.2))
    towards /= np.linalg.norm(towards)
    front = float(((points - target) @ towards).max())
    size = (long_side_px, max(1, round(long_side_px / plan.aspect)))
    if plan.aspect < 1:
        size = (max(1, round(long_side_px * plan.aspect)), long_side_px)
    up = np.asarray(plan.up)
    trial = look_at(target + towards * (distance + front), target, size, 1000.0, up=up, roll_deg=roll)
    # Fill the frame: shift the aim to the middle of the projected parts, then choose the focal length.
    place, _ = trial.pixel_of(points)
    shift = (place.min(axis=0) + place.max(axis=0)) / 2 - np.array(size) / 2
    per_px = (distance + front) / 1000.0
    offset = (trial.axes[0] * shift[0] + trial.axes[1] * shift[1]) * per_px
    camera = look_at(trial.place_mm + offset, target + offset, size, 1000.0, up=up, roll_deg=roll)
    half = np.abs(camera.pixel_of(points)[0] - np.array(size) / 2).max(axis=0)
    focal = 1000.0 * float((np.array(size) / 2 / (half * margin)).min())
    return Camera(camera.place_mm, camera.axes, focal, size[0], size[1])


#: How often close-ups aim at each part (field guide section 1: trunk 32, arm and elbow 31, leg and knee 8, face and ear 8, palm 6,
#: sole 6, folds 6, scalp 2 %), with hands and feet raised to a third of all.
SITE_SHARES: Mapping[Part, float] = {
    Part.CHEST: 6, Part.ABDOMEN: 8, Part.BACK: 12, Part.BUTTOCK: 3, Part.AREOLA: 1, Part.NAVEL: 1, Part.AXILLA: 2, Part.GROIN: 1,
    Part.UPPER_ARM: 5, Part.ELBOW: 9, Part.FOREARM: 7, Part.HAND_BACK: 7, Part.PALM: 9, Part.FINGER: 4,
    Part.THIGH: 4, Part.KNEE: 6, Part.SHIN: 6, Part.FOOT_BACK: 5, Part.SOLE: 7, Part.TOE: 2,
    Part.FACE: 6, Part.EAR: 2, Part.SCALP: 3, Part.NECK: 2, Part.LIPS: 0.5,
}  # fmt: skip


def chance_scene(body: Body, rng: np.random.Generator, clothes: NDArray[np.bool_] | None = None) -> Scene:
    """The body in a chance posture, ready for close-ups (reuse it for several: building costs 0.15 s)."""
    return Scene(posed(body, posture_pose(body, chance_posture(rng), rng)), clothes)


def close_up_camera(
    scene: Scene,
    rng: np.random.Generator,
    *,
    site: Part | None = None,
    place_mm: NDArray[np.float64] | None = None,
    distance_mm: tuple[float, float] = (50.0, 600.0),
    size: tuple[int, int] = (448, 448),
) -> Camera:
    """A camera 5-60 cm from the skin that looks at a site (a part, or the skin nearest a rest-pose address; by default drawn).

    It looks along the skin's normal within a spread of about 25 degrees, at any roll; the frame shows 3 to 45 cm of it.

    Raises:
        InputError: The site has no skin that a camera can see (after 60 trials).
    """
    labels = atlas()
    centres = scene.mesh.vertices_mm[body_model().fine.quads].mean(axis=1)
    for _ in range(60):
        quad = _site_quad(scene, rng, site, place_mm)
        target = centres[quad].astype(np.float64)
        normal = scene.mesh.normals[body_model().fine.quads[quad]].mean(axis=0).astype(np.float64)
        towards = normal / np.linalg.norm(normal) + rng.normal(0, 0.33, 3)
        towards /= np.linalg.norm(towards)
        distance = float(np.exp(rng.uniform(*np.log(distance_mm))))
        width_mm = float(np.clip(distance * rng.uniform(0.55, 1.0), 30.0, 450.0))
        if not _in_sight(scene, target + towards * distance, target):
            continue
        target = target + rng.normal(0, 0.12 * width_mm, 3) * (1 - np.abs(towards))
        roll = (
            float(rng.uniform(0, 360))
            if labels.part[quad] not in _UPRIGHT
            else float(rng.normal(0, 20) + 90 * rng.choice([0, 1, 3], p=[0.8, 0.1, 0.1]))
        )
        return look_at(target + towards * distance, target, size, distance * max(size) / width_mm, roll_deg=roll)
    raise InputError(
        f"no camera sees {site.name if site else 'this site'} in this pose",
        where="close-up",
        fix="Choose another site or pose.",
    )


def distant_camera(
    scene: Scene, rng: np.random.Generator, *, distance_mm: tuple[float, float], size: tuple[int, int]
) -> Camera:
    """A camera at the height of a person who stands some metres away, from any side; the frame shows 0.6 to 2.3 m of the body."""
    points = scene.mesh.vertices_mm
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    height_mm = float(rng.uniform(600.0, 2300.0))
    middle = (low + high) / 2
    room = max(0.0, (high[2] - low[2] - 0.9 * height_mm) / 2)
    target = np.array([middle[0] + rng.normal(0, 60), middle[1], middle[2] + rng.uniform(-room, room)])
    turn, distance = float(rng.normal(0, 1.0)), float(np.exp(rng.uniform(*np.log(distance_mm))))
    towards = np.array([np.sin(turn), -np.cos(turn), float(rng.normal(0.05, 0.12))])
    towards /= np.linalg.norm(towards)
    focal = distance * size[1] / height_mm
    return look_at(target + towards * distance, target, size, focal, roll_deg=float(rng.normal(0, 2)))


_UPRIGHT = {
    int(part)
    for part in (
        Part.FACE,
        Part.EAR,
        Part.SCALP,
        Part.LIPS,
        Part.NECK,
        Part.CHEST,
        Part.ABDOMEN,
        Part.BACK,
        Part.BUTTOCK,
    )
}


def _site_quad(scene: Scene, rng: np.random.Generator, site: Part | None, place_mm: NDArray[np.float64] | None) -> int:
    labels = atlas()
    rest = scene.mesh.body.rest_mm
    if place_mm is not None:
        centres = rest[body_model().fine.quads].mean(axis=1)
        return int(np.argmin(np.linalg.norm(centres - place_mm, axis=1)))
    if site is None:
        parts = list(SITE_SHARES)
        shares = np.array([SITE_SHARES[part] for part in parts])
        site = parts[int(rng.choice(len(parts), p=shares / shares.sum()))]
    chosen = np.flatnonzero((labels.part == int(site)) & ~scene.clothes)
    if not len(chosen):
        raise InputError(f"no bare skin of part {site.name}", where="close-up", fix="Choose another site.")
    areas = quad_areas_mm2(rest)[chosen]
    return int(rng.choice(chosen, p=areas / areas.sum()))


def _in_sight(scene: Scene, eye: NDArray[np.float64], target: NDArray[np.float64]) -> bool:
    """Whether the first thing on the way from the camera to the target is the target itself, seen from outside."""
    way = target - eye
    length = float(np.linalg.norm(way))
    direction = (way / length).astype(np.float32)
    hit = scene.shoot(eye[None].astype(np.float32), direction[None])
    triangle = int(hit.triangle[0])
    if triangle < 0 or abs(float(hit.distance_mm[0]) - length) > 8.0:
        return False
    outward = scene.mesh.normals[body_model().fine.triangles[triangle]].mean(axis=0)
    return bool(outward @ direction < -0.15)
