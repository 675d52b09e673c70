"""Which kind of skin each face of the body is, and which PASI region it belongs to: one label per fine quad.

Labels are found once on the mean body of the baked file, from the skeleton, the geometry and the texture atlas, so that every
body, pose and view shares them. Borders of the regions (Fredriksson & Pettersson 1978 leave them open; these are ours):
the neck ends where the collar bones begin; the axilla and the shoulder belong to the trunk up to the head of the humerus;
the groin belongs to the trunk; the buttocks, from the iliac crest to the gluteal fold, belong to the lower limbs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.body import BodyModel, Floats, body_model
from pasi_vision.phantom.subdivide import triangle_normals
from pasi_vision.phantom.surface import Part

Mask = NDArray[np.bool_]

_HEAD = {Part.SCALP, Part.FACE, Part.LIPS, Part.EYELID, Part.EAR, Part.NECK, Part.BROW, Part.BEARD}
_ARM = {Part.UPPER_ARM, Part.ELBOW, Part.FOREARM, Part.HAND_BACK, Part.PALM, Part.FINGER, Part.FINGERNAIL}
_TRUNK = {
    Part.CHEST,
    Part.AREOLA,
    Part.NIPPLE,
    Part.ABDOMEN,
    Part.NAVEL,
    Part.BACK,
    Part.AXILLA,
    Part.GROIN,
    Part.GENITAL,
}
_LEG = {Part.BUTTOCK, Part.THIGH, Part.KNEE, Part.SHIN, Part.FOOT_BACK, Part.SOLE, Part.TOE, Part.TOENAIL}
_REGION_OF = {part: code for code, parts in enumerate((_HEAD, _ARM, _TRUNK, _LEG), start=1) for part in parts}

# Texture atlas (u to the right, v down) of the MakeHuman base mesh: places read off the CC0 textures.
_MIDLINE_V = 0.517
_LIPS = (0.9105, 0.517, 0.0165, 0.0255)
_EYELIDS = (0.838, 0.0405, 0.0120, 0.0145)  # second: distance of their centres from the midline
_BROWS = (0.8220, 0.040, 0.0036, 0.021)
_NIPPLES = (0.379, 0.0570, 0.302)
_NAVEL = (0.3795, 0.4345, 0.0070)
# Hair line as (distance from the midline in v, u): forehead, temple, over the ear, behind it, nape.
_HAIR_LINE = (
    (0.0, 0.754),
    (0.08, 0.760),
    (0.105, 0.788),
    (0.14, 0.800),
    (0.19, 0.822),
    (0.215, 0.865),
    (0.245, 0.885),
    (0.34, 0.897),
)


@dataclass(frozen=True)
class Atlas:
    """Labels per fine quad (and canonical geometry used to place things on any body).

    Attributes:
        part: uint8 `Part` codes.
        region: uint8; 0 not skin, 1-4.
        centre_mm: (Q, 3) on the mean body.
        normal: (Q, 3) unit, on the mean body.
        uv: (Q, 2) texture coordinates of the centre.
        side: int8; +1 the subject's left, -1 right.
    """

    part: NDArray[np.uint8]
    region: NDArray[np.uint8]
    centre_mm: Floats
    normal: Floats
    uv: Floats
    side: NDArray[np.int8]


@lru_cache(maxsize=1)
def atlas() -> Atlas:
    """The labels (0.1 s, once per process)."""
    faces = _Faces(body_model())
    part = np.full(faces.count, int(Part.NONE), dtype=np.uint8)
    _label_trunk(part, faces)
    _label_legs(part, faces)
    _label_arms(part, faces)
    _label_head(part, faces)
    region = np.array([_REGION_OF.get(Part(code), 0) for code in range(max(Part) + 1)], dtype=np.uint8)[part]
    side = np.where(faces.centre[:, 0] >= 0, 1, -1).astype(np.int8)
    return Atlas(part, region, faces.centre, faces.normal, faces.uv, side)


class _Faces:
    """The mean body's fine quads: centre, normal, texture coordinates, and the share of each bone."""

    def __init__(self, model: BodyModel) -> None:
        mean = model.mean_mm[: model.vertices]
        fine = np.asarray(model.fine.matrix @ mean, dtype=np.float32)
        quads = model.fine.quads
        self.model = model
        self.joints = model.mean_mm[model.vertices :]
        self.count = len(quads)
        self.centre: Floats = fine[quads].mean(axis=1)
        normal = triangle_normals(fine, model.fine.triangles).reshape(-1, 2, 3).sum(axis=1)
        self.normal: Floats = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        self.uv: Floats = model.uv.mean(axis=1)
        self.bones: Floats = np.asarray(model.fine.matrix @ model.skin)[quads].mean(axis=1)

    def share(self, *stems: str) -> Floats:
        """Summed influence of all bones whose name starts so."""
        chosen = [i for i, label in enumerate(self.model.bone_labels) if label.startswith(stems)]
        return np.asarray(self.bones[:, chosen].sum(axis=1))

    def joint(self, label: str) -> Floats:
        return np.asarray(self.joints[self.model.bone(label)])

    def near(self, place: NDArray[Any], radius_mm: float) -> Mask:
        return np.asarray(np.linalg.norm(self.centre - place, axis=1) < radius_mm)


def _label_trunk(part: NDArray[np.uint8], faces: _Faces) -> None:
    x, z = faces.centre[:, 0], faces.centre[:, 2]
    trunk = faces.share("spine", "clavicle", "shoulder", "root", "pelvis") > 0
    front = faces.normal[:, 1] < 0.15
    hip, waist, chest = faces.joint("upperleg01.L"), faces.joint("spine04")[2], faces.joint("spine02")[2]
    part[trunk] = int(Part.BACK)
    part[trunk & front & (z >= chest)] = int(Part.CHEST)
    part[trunk & front & (z < chest)] = int(Part.ABDOMEN)
    u, v = faces.uv[:, 0], faces.uv[:, 1]
    from_nipple = np.hypot(np.abs(u - _NIPPLES[0]) - _NIPPLES[1], v - _NIPPLES[2])
    part[trunk & (from_nipple < 0.0095)] = int(Part.AREOLA)
    part[trunk & (from_nipple < 0.0040)] = int(Part.NIPPLE)
    part[trunk & (np.hypot(u - _NAVEL[0], v - _NAVEL[1]) < _NAVEL[2])] = int(Part.NAVEL)
    crease = z - (hip[2] - 75 + 0.75 * np.abs(x))  # the inguinal line rises to the side
    groin = (
        (np.abs(crease) < 30)
        & (faces.normal[:, 1] < 0.2)
        & (np.abs(x) < 115)
        & (faces.share("pelvis", "root", "upperleg", "spine") > 0.5)
    )
    part[groin] = int(Part.GROIN)
    part[
        (np.abs(x) < 34)
        & (z < waist - 95)
        & (z > hip[2] - 130)
        & (faces.centre[:, 1] < 15)
        & (faces.share("upperleg02") < 0.5)
    ] = int(Part.GENITAL)


def _label_legs(part: NDArray[np.uint8], faces: _Faces) -> None:
    y, z = faces.centre[:, 1], faces.centre[:, 2]
    hip = faces.joint("upperleg01.L")
    leg = faces.share("upperleg", "lowerleg", "foot", "toe") > 0.5
    free = ~np.isin(part, [int(Part.GROIN), int(Part.GENITAL)])
    part[leg & free] = int(Part.THIGH)
    seat = (
        (faces.share("root", "pelvis", "upperleg", "spine05") > 0.5)
        & (y > hip[1] + 12)
        & (z < hip[2] + 95)
        & (z > hip[2] - 95)
        & free
    )
    part[seat & (faces.normal[:, 1] > -0.3)] = int(Part.BUTTOCK)
    for side in "LR":
        knee, ankle = faces.joint(f"lowerleg01.{side}"), faces.joint(f"foot.{side}")
        this = (faces.centre[:, 0] > 0) == (side == "L")
        part[leg & this & (z < knee[2]) & free] = int(Part.SHIN)
        part[
            leg & this & faces.near(knee + np.array([0, -35, 10], dtype=np.float32), 72) & (faces.normal[:, 1] < -0.15)
        ] = int(Part.KNEE)
        foot = leg & this & (faces.share("foot", "toe") > 0.5) & (z < ankle[2])
        part[foot] = int(Part.FOOT_BACK)
        part[foot & (faces.share("toe") > 0.5)] = int(Part.TOE)
        part[foot & (faces.normal[:, 2] < -0.35) & (z < ankle[2] - 30)] = int(Part.SOLE)
        for toe in range(1, 6):
            last, before = (
                (f"toe1-2.{side}", f"toe1-1.{side}") if toe == 1 else (f"toe{toe}-3.{side}", f"toe{toe}-2.{side}")
            )
            up = np.array([0.0, -0.25, 1.0], dtype=np.float32)
            part[_nail(faces, last, before, up, 0.35, 0.93, 0.72)] = int(Part.TOENAIL)


def _label_arms(part: NDArray[np.uint8], faces: _Faces) -> None:
    arm = faces.share("upperarm", "lowerarm", "wrist", "metacarpal", "finger") > 0.5
    part[arm] = int(Part.UPPER_ARM)
    for side in "LR":
        this = arm & ((faces.centre[:, 0] > 0) == (side == "L"))
        shoulder, elbow, wrist = (faces.joint(f"{bone}.{side}") for bone in ("upperarm01", "lowerarm01", "wrist"))
        part[this & (faces.share("lowerarm", "wrist", "metacarpal", "finger") > 0.5)] = int(Part.FOREARM)
        outer = elbow - (shoulder + wrist) / 2
        outer = np.asarray(outer / np.linalg.norm(outer), dtype=np.float32)
        part[this & faces.near(elbow + np.float32(18) * outer, 52) & (faces.normal @ outer > 0.1)] = int(Part.ELBOW)
        _label_hand(part, faces, side, this)
        pit = shoulder + np.array([-12.0 if side == "L" else 12.0, 12.0, -68.0], dtype=np.float32)
        part[faces.near(pit, 44) & (faces.normal[:, 2] < 0.35)] = int(Part.AXILLA)


def _label_hand(part: NDArray[np.uint8], faces: _Faces, side: str, arm: Mask) -> None:
    back = hand_back(faces.joints, side)
    hand = arm & (faces.share("wrist", "metacarpal", "finger") > 0.5)
    finger = hand & (faces.share("finger") > 0.5)
    part[hand] = int(Part.HAND_BACK)
    part[hand & (faces.normal @ back < -0.12)] = int(Part.PALM)
    part[finger & (faces.normal @ back >= -0.12)] = int(Part.FINGER)
    for number in range(1, 6):
        up = finger_back(faces.joints, side, number)
        this = finger & (faces.share(f"finger{number}-") > 0.5)
        part[this] = np.where(faces.normal[this] @ up < -0.12, int(Part.PALM), int(Part.FINGER))
        part[_nail(faces, f"finger{number}-3.{side}", f"finger{number}-2.{side}", up, 0.42, 1.0, 0.72)] = int(
            Part.FINGERNAIL
        )


def hand_back(joints: Floats, side: str) -> Floats:
    """Unit normal of the back of a hand in the rest pose."""
    model = body_model()
    wrist, index, little = (joints[model.bone(f"{bone}.{side}")] for bone in ("wrist", "finger2-1", "finger5-1"))
    across = np.cross(index - wrist, little - wrist) * (1.0 if side == "L" else -1.0)
    return np.asarray(across / np.linalg.norm(across), dtype=np.float32)


def finger_back(joints: Floats, side: str, number: int) -> Floats:
    """Unit normal of the back of a finger's last joint in the rest pose; the thumb is turned about its length."""
    model = body_model()
    first, last = (joints[model.bone(f"finger{number}-{bone}.{side}")] for bone in (2, 3))
    along = (last - first) / np.linalg.norm(last - first)
    back = hand_back(joints, side)
    if number == 1:
        index, little = (joints[model.bone(f"finger{n}-1.{side}")] for n in (2, 5))
        outward = (index - little) / np.linalg.norm(index - little)
        back = 0.55 * back + 0.83 * outward
    back = back - (back @ along) * along
    return np.asarray(back / np.linalg.norm(back), dtype=np.float32)


def _nail(faces: _Faces, last: str, before: str, up: Floats, start: float, end: float, spread: float) -> Mask:
    """Faces of the nail plate: on the back of the last joint, from `start` to `end` of its length, within `spread` of its width."""
    this = faces.bones[:, faces.model.bone(last)] > 0.5
    along = faces.joint(last) - faces.joint(before)
    along = along / np.linalg.norm(along)
    up = up - (up @ along) * along
    up = up / np.linalg.norm(up)
    offset = faces.centre - faces.joint(last)
    reach, across = offset @ along, offset @ np.cross(along, up)
    length, width = reach[this].max(), np.abs(across[this] - np.median(across[this])).max()
    place = reach / length
    middle = np.abs(across - np.median(across[this])) / width
    return np.asarray(this & (faces.normal @ up > 0.35) & (place > start) & (place < end) & (middle < spread))


def _label_head(part: NDArray[np.uint8], faces: _Faces) -> None:
    u, v = faces.uv[:, 0], faces.uv[:, 1]
    aside = np.abs(v - _MIDLINE_V)
    head = faces.share("head", "eye") > 0.5
    neck = (faces.share("neck") + faces.share("head", "eye") > 0.5) & ~head
    part[neck] = int(Part.NECK)
    part[head] = int(Part.FACE)
    chin = faces.joint("head")[2] - 12
    part[head & (faces.centre[:, 2] < chin) & (faces.centre[:, 1] > faces.joint("head")[1] - 60)] = int(Part.NECK)
    island = (u > 0.62) & (v > 0.14) & (v < 0.87)
    line = np.interp(aside, [point[0] for point in _HAIR_LINE], [point[1] for point in _HAIR_LINE])
    part[(head | neck) & island & (u < line)] = int(Part.SCALP)
    part[head & island & _ellipse(u, aside, _BROWS)] = int(Part.BROW)
    part[head & island & _ellipse(u, aside, _EYELIDS)] = int(Part.EYELID)
    part[head & island & _ellipse(u, v, _LIPS)] = int(Part.LIPS)
    part[head & island & (aside > 0.118) & (aside < 0.205) & (u > 0.812) & (u < 0.885) & _sticks_out(faces)] = int(
        Part.EAR
    )
    part[head & (u > 0.735) & (u < 0.83) & (v < 0.08)] = int(Part.EYE)
    part[head & (u > 0.6) & (u < 0.67) & (v < 0.09)] = int(Part.MOUTH)
    part[head & (u > 0.75) & (v > 0.86)] = int(Part.MOUTH)
    part[head & (u < 0.16) & (v > 0.35) & (v < 0.46)] = int(Part.NONE)


def _ellipse(u: Floats, v: Floats, place: tuple[float, float, float, float]) -> Mask:
    return np.asarray(((u - place[0]) / place[2]) ** 2 + ((v - place[1]) / place[3]) ** 2 < 1)


def _sticks_out(faces: _Faces) -> Mask:
    """Faces that stand off the side of the skull: the ears."""
    return np.asarray(np.abs(faces.centre[:, 0]) > 60)
