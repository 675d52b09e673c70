"""What the parts of a close-up share: which scene, which preset, how large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pasi_vision.phantom.geometry import Canvas
from pasi_vision.phantom.preset import CloseUpPreset

Rng = np.random.Generator

#: Which kind of scene decides how lesions look on a body site.
STYLES = {
    "body_hand": "hand_back",
    "body_palm": "palm",
    "body_foot": "foot_back",
    "body_sole": "sole",
    "body_face": "face",
    "body_ear": "face",
    "body_neck": "face",
    "body_elbow": "joint",
    "body_knee": "joint",
    "body_trunk": "trunk",
    "body_fold": "fold",
    "body_person": "trunk",
}


@dataclass(frozen=True)
class Setting:
    """One close-up's frame.

    Attributes:
        scene: Its kind, a key of the preset's `scenes`.
        preset: What everything is drawn from.
        full: Height and width of the camera's picture in px.
        half: The same frame at half that resolution, where surfaces and lesions are evaluated.
        axis: Direction of skin tension lines, radians.
    """

    scene: str
    preset: CloseUpPreset
    full: tuple[int, int]
    half: Canvas
    axis: float

    @property
    def style(self) -> str:
        """The kind of scene that decides how lesions look."""
        return STYLES.get(self.scene, self.scene)

    @property
    def mm_per_px(self) -> float:
        """Size of a pixel of the camera's picture."""
        return self.half.mm_per_px / 2


def pick(rng: Rng, shares: dict[str, float]) -> str:
    """A name by its share."""
    names = sorted(shares)
    weights = np.array([shares[name] for name in names])
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]
