"""Poses: where limbs, hands and fingers point -> the posed mesh, by linear blend skinning.

Every bone may be aimed (its end points along a direction of the room), turned about its own length, or left as its parent
carries it. Directions use the body's axes: x to the subject's left, y to the back, z up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import InputError
from pasi_vision.phantom.body import Body, BodyModel, Floats, body_model
from pasi_vision.phantom.subdivide import vertex_normals

Vector = tuple[float, float, float]
Matrix = NDArray[np.float64]

#: For each bone that can be aimed, the bone whose head is its far end.
_FAR_END = {
    "upperarm01": "lowerarm01",
    "lowerarm01": "wrist",
    "wrist": "finger3-1",
    "upperleg01": "lowerleg01",
    "lowerleg01": "foot",
}
_FAR_END |= {f"metacarpal{i}": f"finger{i + 1}-1" for i in range(1, 5)} | {
    f"finger{i}-1": f"finger{i}-2" for i in range(1, 6)
}
_FAR_END |= {"upperarm02": "lowerarm01", "lowerarm02": "wrist", "upperleg02": "lowerleg01", "lowerleg02": "foot"}
_FAR_END |= {f"finger{i}-2": f"finger{i}-3" for i in range(1, 6)} | {"foot": "toe3-1", "clavicle": "upperarm01"}


@dataclass(frozen=True)
class Pose:
    """A pose of the whole body, by bone name such as "upperarm01.L".

    Attributes:
        aim: Direction of the room in which a bone's far end lies.
        turn: Rotation vector in degrees, in the frame its parent has carried (the body's axes at rest).
        twist: Degrees about the bone's own length, applied after `aim` (its children follow).
    """

    aim: dict[str, Vector] = field(default_factory=dict)
    turn: dict[str, Vector] = field(default_factory=dict)
    twist: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Mesh:
    """A body in one pose: fine vertices and unit normals in millimetres, and each bone's 4 x 4 transform from rest."""

    body: Body
    vertices_mm: Floats
    normals: Floats
    bones: NDArray[np.float64]

    def joint(self, label: str) -> NDArray[np.float64]:
        """Where a bone's head is in this pose, in millimetres."""
        index = body_model().bone(label)
        head = self.body.joints_mm[index]
        return np.asarray(self.bones[index, :3, :3] @ head + self.bones[index, :3, 3], dtype=np.float64)


REST = Pose()


def posed(body: Body, pose: Pose = REST) -> Mesh:
    """Pose a body.

    Raises:
        InputError: The pose names a bone that does not exist or cannot be aimed.
    """
    model = body_model()
    bones = bone_transforms(body, pose, model)
    blended = (model.skin @ bones[:, :3].reshape(len(bones), 12).astype(np.float32)).reshape(-1, 3, 4)
    coarse = np.einsum("vij,vj->vi", blended[..., :3], body.coarse_mm) + blended[..., 3]
    fine = np.asarray(model.fine.matrix @ coarse, dtype=np.float32)
    return Mesh(body, fine, vertex_normals(fine, model.fine), bones)


def bone_transforms(body: Body, pose: Pose, model: BodyModel) -> NDArray[np.float64]:
    """Transforms (J, 4, 4) from the rest pose."""
    _check_names(pose, model)
    heads = body.joints_mm.astype(np.float64)
    result = np.zeros((len(heads), 4, 4))
    for index, label in enumerate(model.bone_labels):
        parent = int(model.bone_parents[index])
        carried = result[parent] if parent >= 0 else np.eye(4)
        rotation = carried[:3, :3]
        if label in pose.turn:
            rotation = rotation @ rotation_of(np.radians(pose.turn[label]))
        if label in pose.aim:
            along = heads[_far_end(label, model)] - heads[index]
            rotation = shortest_rotation(rotation @ along, np.asarray(pose.aim[label])) @ rotation
        if label in pose.twist:
            along = rotation @ (heads[_far_end(label, model)] - heads[index])
            rotation = rotation_of(along / np.linalg.norm(along) * np.radians(pose.twist[label])) @ rotation
        place = carried[:3, :3] @ heads[index] + carried[:3, 3]
        result[index, :3, :3] = rotation
        result[index, :3, 3] = place - rotation @ heads[index]
        result[index, 3, 3] = 1.0
    return result


def rotation_of(vector: NDArray[np.float64]) -> Matrix:
    """Rotation matrix of a rotation vector in radians (Rodrigues)."""
    vector = np.asarray(vector, dtype=np.float64)
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def shortest_rotation(source: NDArray[np.float64], target: NDArray[np.float64]) -> Matrix:
    """The smallest rotation that turns one direction into another."""
    first, second = source / np.linalg.norm(source), target / np.linalg.norm(target)
    axis = np.cross(first, second)
    sine, cosine = float(np.linalg.norm(axis)), float(first @ second)
    if sine < 1e-9:
        return np.eye(3) if cosine > 0 else rotation_of(np.pi * _across(first))
    return rotation_of(axis / sine * np.arctan2(sine, cosine))


def _across(direction: NDArray[np.float64]) -> NDArray[np.float64]:
    axis = np.cross(direction, np.eye(3)[int(np.argmin(np.abs(direction)))])
    return np.asarray(axis / np.linalg.norm(axis))


def _far_end(label: str, model: BodyModel) -> int:
    stem, dot, side = label.partition(".")
    if stem.endswith("-3") or stem not in _FAR_END:
        raise InputError(f"bone {label!r} cannot be aimed or twisted", where="pose", fix="Use `turn` for it.")
    return model.bone(f"{_FAR_END[stem]}{dot}{side}")


def _check_names(pose: Pose, model: BodyModel) -> None:
    for label in {*pose.aim, *pose.turn, *pose.twist} - set(model.bone_labels):
        raise InputError(
            f"unknown bone {label!r}",
            where="pose",
            fix=f"Known bones start with {', '.join(model.bone_labels[:6])} ...",
        )
