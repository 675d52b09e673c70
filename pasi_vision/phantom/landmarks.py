"""Where a body's eyes, ears and neck are in the rest pose, and where the head of a picture is: what glasses and jewellery hang on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.body import Body, body_model

if TYPE_CHECKING:
    from pasi_vision.phantom.surface import Surface

Points = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Landmarks:
    """Rest-pose places in mm (x to the subject's left, y to the back, z up), the subject's left first where there are two.

    Attributes:
        eyes: (2, 3) middles of the eyeballs.
        ears: (2, 3) where the temples of glasses rest.
        lobes: (2, 3) outer side of the ear lobes.
        neck: (3,) root of the neck, inside.
        arm: (3,) direction of the left forearm and hand.
        age_years: Of the subject.
    """

    eyes: Points
    ears: Points
    lobes: Points
    neck: Points
    arm: Points
    age_years: float


def landmarks_of(body: Body, ear: NDArray[np.bool_]) -> Landmarks:
    """Landmarks of a body; `ear` marks the fine quads of the ears."""
    model = body_model()
    quads = body.rest_mm[model.fine.quads[ear]].mean(axis=1)
    sides = [quads[quads[:, 0] > 0], quads[quads[:, 0] <= 0]]
    joint = {name: body.joints_mm[model.bone(name)] for name in ("eye.L", "eye.R", "neck01", "lowerarm01.L", "wrist.L")}
    along = body.joints_mm[model.bone("finger3-3.L")] - joint["lowerarm01.L"]
    return Landmarks(
        eyes=np.stack([joint["eye.L"], joint["eye.R"]]),
        ears=np.stack([_rest(side) for side in sides]),
        lobes=np.stack([_lobe(side) for side in sides]),
        neck=joint["neck01"],
        arm=along / np.linalg.norm(along),
        age_years=body.shape.age_years,
    )


def _rest(ear: Points) -> Points:
    """Between the upper front of the ear and the skull."""
    top = ear[ear[:, 2] > np.quantile(ear[:, 2], 0.85)]
    place = top[np.abs(top[:, 0]) < np.quantile(np.abs(top[:, 0]), 0.4)].mean(axis=0)
    return np.asarray(place)


def _lobe(ear: Points) -> Points:
    """The outer side of the lower end of the ear."""
    low = ear[ear[:, 2] < np.quantile(ear[:, 2], 0.12)]
    return np.asarray(low[np.abs(low[:, 0]) > np.quantile(np.abs(low[:, 0]), 0.6)].mean(axis=0))


@dataclass(frozen=True)
class Head:
    """How the head lies in a picture: rest-pose places to camera coordinates, and to pixels of the surface."""

    turn: Points
    shift: Points
    focal_px: float
    middle: tuple[float, float]

    def seen(self, rest_mm: Points) -> tuple[Points, Points]:
        """Pixels (N, 2) as x, y, and depth (N,) in mm of places near the head."""
        local = rest_mm @ self.turn.T + self.shift
        depth = np.maximum(local[:, 2], 1.0)
        return local[:, :2] / depth[:, None] * self.focal_px + self.middle, depth


def head_in(surface: Surface, parts: tuple[int, ...], place: Points) -> Head | None:
    """The head's position from what is seen of it; None where too little is. `place` are positions in camera coordinates."""
    rows, columns = np.nonzero(np.isin(surface.part, parts) & (surface.region > 0))
    if rows.size < 150:
        return None
    step = max(1, rows.size // 500)
    rows, columns = rows[::step], columns[::step]
    rest, here = surface.place_mm[rows, columns].astype(np.float64), place[rows, columns].astype(np.float64)
    a, b = rest - rest.mean(axis=0), here - here.mean(axis=0)
    u, size, vt = np.linalg.svd(b.T @ a)
    if size[1] < 1e-2 * size[0]:
        return None
    turn = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    focal = float(np.median(surface.depth_mm[rows, columns] / surface.mm_per_px[rows, columns]))
    height, width = surface.shape
    return Head(turn, here.mean(axis=0) - turn @ rest.mean(axis=0), focal, (width / 2, height / 2))
