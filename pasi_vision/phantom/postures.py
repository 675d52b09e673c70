"""How a subject stands and holds arms, hands and feet: the protocol's postures and chance ones, built as `Pose`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.atlas import hand_back
from pasi_vision.phantom.body import Body, body_model
from pasi_vision.phantom.pose import Pose, Vector, bone_transforms, rotation_of

#: Shares of a turn of the hand about the forearm's length, from the upper arm to the wrist.
_SUPINATION = {"upperarm02": 0.2, "lowerarm01": 0.3, "lowerarm02": 0.35, "wrist": 0.15}


@dataclass(frozen=True)
class Posture:
    """Angles in degrees; sides are mirrored.

    Attributes:
        arm_raise: Upper arm from hanging (0) to the side (90).
        arm_forward: Upper arm turned to the front.
        elbow: Bend of the elbow.
        forearm_up: Whether a bent forearm points up (else to the front).
        palm: Direction of the left palm (right one mirrored); None leaves it as it hangs.
        curl: Bend of each finger joint; 0 flat.
        spread: Fan of the fingers beyond the rest pose.
        legs_apart_mm: Distance between the ankles.
        knee: Bend of both knees.
    """

    arm_raise: float = 30.0
    arm_forward: float = 0.0
    elbow: float = 8.0
    forearm_up: bool = False
    palm: Vector | None = None
    curl: float = 8.0
    spread: float = 0.0
    legs_apart_mm: float = 220.0
    knee: float = 0.0


STANDING = Posture()
ARMS_OUT = Posture(arm_raise=86, elbow=4, palm=(0.0, -1.0, 0.0), curl=3, spread=4)
PALMS = Posture(arm_raise=20, arm_forward=30, elbow=128, forearm_up=True, palm=(0.0, -1.0, 0.0), curl=2, spread=6)


def posture_pose(body: Body, posture: Posture, rng: np.random.Generator | None = None) -> Pose:
    """The pose of a posture; with a generator, joints vary by a few degrees and sides differ."""
    aim: dict[str, Vector] = {}
    twist: dict[str, float] = {}
    turn: dict[str, Vector] = {}
    for side in "LR":
        _aim_leg(aim, body, posture, side, rng)
        _aim_arm(aim, turn, posture, side, rng)
    if rng is not None:
        for bone in ("neck01", "spine03", "head"):
            turn[bone] = _vector(rng.normal(0, 2.5, 3))
    pose = Pose(aim=aim, turn=turn, twist=twist)
    for side in "LR":
        if posture.palm is not None:
            jitter = np.zeros(3) if rng is None else rng.normal(0, 0.12, 3)
            palm = np.array([_sign(side) * posture.palm[0], posture.palm[1], posture.palm[2]]) + jitter
            pose = _turn_palm(body, pose, side, palm)
        pose = _finger_pose(body, pose, side, posture, rng)
    return pose


def chance_posture(rng: np.random.Generator) -> Posture:
    """A posture for close-ups: anything people hold out to a camera."""
    kind = rng.choice(["hang", "out", "bent", "up"], p=[0.35, 0.2, 0.3, 0.15])
    palm: Vector | None = None
    if rng.random() < 0.7:
        palm = _vector(rng.normal(0, 1, 3) + np.array([0.0, -0.8, 0.0]))
    base = {
        "hang": Posture(arm_raise=rng.uniform(18, 40), elbow=rng.uniform(2, 30)),
        "out": Posture(arm_raise=rng.uniform(60, 95), elbow=rng.uniform(2, 30)),
        "bent": Posture(arm_raise=rng.uniform(20, 70), arm_forward=rng.uniform(0, 50), elbow=rng.uniform(40, 110)),
        "up": Posture(
            arm_raise=rng.uniform(15, 45), arm_forward=rng.uniform(15, 45), elbow=rng.uniform(95, 130), forearm_up=True
        ),
    }[str(kind)]
    curl = float(rng.choice([2.0, 10.0, 22.0, 45.0, 70.0], p=[0.35, 0.3, 0.2, 0.1, 0.05]) * rng.uniform(0.7, 1.3))
    return replace(
        base,
        palm=palm,
        curl=curl,
        spread=float(rng.uniform(-2, 10)),
        legs_apart_mm=float(rng.uniform(150, 420)),
        knee=float(rng.uniform(0, 25)),
    )


def _sign(side: str) -> float:
    return 1.0 if side == "L" else -1.0


def _vector(values: NDArray[np.float64]) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])


def _noise(rng: np.random.Generator | None, degrees: float) -> float:
    return 0.0 if rng is None else float(rng.normal(0.0, degrees))


def _aim_arm(
    aim: dict[str, Vector], turn: dict[str, Vector], posture: Posture, side: str, rng: np.random.Generator | None
) -> None:
    sign = _sign(side)
    lift = np.radians(posture.arm_raise + _noise(rng, 3))
    front = np.radians(posture.arm_forward + _noise(rng, 3))
    upper = np.array([np.sin(lift), 0.0, -np.cos(lift)])
    upper = rotation_of(np.array([-front, 0.0, 0.0])) @ upper
    bend = np.radians(max(posture.elbow + _noise(rng, 3), 0.0))
    towards = np.array([0.15, -0.35, 1.0]) if posture.forearm_up else np.array([-0.1, -1.0, 0.1])
    across = towards - (towards @ upper) * upper
    across /= np.linalg.norm(across)
    forearm = np.cos(bend) * upper + np.sin(bend) * across
    mirror = np.array([sign, 1.0, 1.0])
    aim[f"upperarm01.{side}"] = _vector(upper * mirror)
    aim[f"lowerarm01.{side}"] = _vector(forearm * mirror)
    aim[f"wrist.{side}"] = _vector(forearm * mirror)
    above = max(posture.arm_raise - 45.0, 0.0)
    turn[f"clavicle.{side}"] = (0.0, -sign * 0.18 * above, 0.0)  # the shoulder blade follows a raised arm


def _aim_leg(aim: dict[str, Vector], body: Body, posture: Posture, side: str, rng: np.random.Generator | None) -> None:
    model, sign = body_model(), _sign(side)
    hip, ankle = (body.joints_mm[model.bone(f"{bone}.{side}")].astype(float) for bone in ("upperleg01", "foot"))
    toe = body.joints_mm[model.bone(f"toe3-1.{side}")].astype(float)
    reach = float(np.linalg.norm(ankle - hip))
    outward = (posture.legs_apart_mm / 2 - abs(hip[0])) / reach
    bend = np.radians(max(posture.knee + _noise(rng, 1.5), 0.0) / 2)
    line = np.array([sign * outward, 0.0, -np.sqrt(max(1 - outward**2, 0.01))])
    lean = np.radians(_noise(rng, 1.5))
    aim[f"upperleg01.{side}"] = _vector(line + np.array([0.0, -np.sin(bend + lean), 0.0]))
    aim[f"lowerleg01.{side}"] = _vector(line + np.array([0.0, np.sin(bend + lean), 0.0]))
    forward = toe - ankle
    forward[0] = sign * abs(forward[0]) * (0.6 if rng is None else rng.uniform(0.0, 1.2))
    aim[f"foot.{side}"] = _vector(forward)


def _turn_palm(body: Body, pose: Pose, side: str, palm: NDArray[np.float64]) -> Pose:
    """Twist the arm so that the palm faces a direction as nearly as the forearm allows."""
    model = body_model()
    twist = dict(pose.twist)
    for _ in range(3):
        bones = bone_transforms(body, replace(pose, twist=twist), model)
        wrist = model.bone(f"wrist.{side}")
        now = -(bones[wrist, :3, :3] @ hand_back(body.joints_mm, side))
        along = np.asarray(pose.aim[f"wrist.{side}"], dtype=np.float64)
        along = along / np.linalg.norm(along)
        first, second = now - (now @ along) * along, palm - (palm @ along) * along
        angle = np.degrees(np.arctan2(np.cross(first, second) @ along, first @ second))
        for bone, share in _SUPINATION.items():
            twist[f"{bone}.{side}"] = twist.get(f"{bone}.{side}", 0.0) + share * float(angle)
    return replace(pose, twist=twist)


def _finger_pose(body: Body, pose: Pose, side: str, posture: Posture, rng: np.random.Generator | None) -> Pose:
    """Aim the finger joints within the frame in which the posed hand lies."""
    model = body_model()
    aim = dict(pose.aim)
    hand = bone_transforms(body, pose, model)[model.bone(f"wrist.{side}"), :3, :3]
    back = hand_back(body.joints_mm, side).astype(float)
    joints = body.joints_mm.astype(float)
    for number in range(2, 6):
        heads = [joints[model.bone(f"finger{number}-{bone}.{side}")] for bone in (1, 2, 3)]
        flat = heads[2] - heads[0]
        flat = flat - (flat @ back) * back
        fan = np.radians((3.3 - number) * (posture.spread + _noise(rng, 1.5))) * _sign(side)
        flat = rotation_of(back * fan) @ flat
        axis = np.cross(flat / np.linalg.norm(flat), back)
        curl = max(posture.curl * (1 + 0.12 * (number - 2)) + _noise(rng, 0.2 * posture.curl), -2.0)
        for bone in (1, 2):
            aim[f"finger{number}-{bone}.{side}"] = _vector(hand @ rotation_of(-axis * np.radians(curl * bone)) @ flat)
    return replace(pose, aim=aim)
