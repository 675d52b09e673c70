"""What one camera sees of a body, pixel by pixel, before any colour: the record between geometry and appearance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pasi_vision.phantom.landmarks import Landmarks


class Part(IntEnum):
    """Which kind of skin a pixel shows; decides texture, first sites of disease, colour and relief."""

    NONE = 0
    SCALP = 1
    FACE = 2
    LIPS = 3
    EYELID = 4
    EYE = 5
    EAR = 6
    NECK = 7
    CHEST = 8
    AREOLA = 9
    ABDOMEN = 10
    NAVEL = 11
    BACK = 12
    BUTTOCK = 13
    GENITAL = 14
    AXILLA = 15
    UPPER_ARM = 16
    ELBOW = 17
    FOREARM = 18
    HAND_BACK = 19
    PALM = 20
    FINGER = 21
    FINGERNAIL = 22
    GROIN = 23
    THIGH = 24
    KNEE = 25
    SHIN = 26
    FOOT_BACK = 27
    SOLE = 28
    TOE = 29
    TOENAIL = 30
    BROW = 31
    BEARD = 32
    NIPPLE = 33
    MOUTH = 34


#: Parts that are not skin and never carry a lesion: eyes, the inside of the mouth, nail plates.
NOT_SKIN_PARTS: frozenset[Part] = frozenset({Part.NONE, Part.EYE, Part.MOUTH, Part.FINGERNAIL, Part.TOENAIL})

#: Parts of ridged skin without hair or pigment: palms, soles and the inner side of fingers.
GLABROUS_PARTS: frozenset[Part] = frozenset({Part.PALM, Part.SOLE})


@dataclass(frozen=True)
class Surface:
    """What one camera sees, per pixel. Arrays are (H, W[, k]); pixels without skin have region 0 and finite zeros elsewhere.

    Attributes:
        region: uint8; 0 not skin, 1-4 head_neck, upper_limbs, trunk, lower_limbs, 5 other skin.
        part: uint8; `Part` code.
        place_mm: float32 (H, W, 3); rest-pose position on the subject's own body, the address of that skin in every pose, view and visit.
        chart_mm: float32 (H, W, 2); locally near-isometric surface coordinates for textures (UV scaled to mm, or an unrolled limb).
        uv: float32 (H, W, 2); texture atlas coordinates of the MakeHuman base mesh in [0, 1], v already flipped; zeros for flat surfaces.
        normal: float32 (H, W, 3); unit vectors in camera coordinates (x right, y down, z away from the camera).
        rest_normal: float32 (H, W, 3); unit vectors in the rest pose.
        depth_mm: float32 (H, W); distance from the camera along its axis.
        mm_per_px: float32 (H, W); size of a pixel on a surface that faces the camera.
        landmarks: Of the body that is seen; None for flat surfaces.
    """

    region: NDArray[np.uint8]
    part: NDArray[np.uint8]
    place_mm: NDArray[np.float32]
    chart_mm: NDArray[np.float32]
    uv: NDArray[np.float32]
    normal: NDArray[np.float32]
    rest_normal: NDArray[np.float32]
    depth_mm: NDArray[np.float32]
    mm_per_px: NDArray[np.float32]
    landmarks: Landmarks | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.region.shape
        return int(height), int(width)

    @property
    def skin(self) -> NDArray[np.bool_]:
        """Where there is skin that can carry disease (nail plates, eyes and the mouth excluded)."""
        bare = np.isin(self.part, [int(part) for part in NOT_SKIN_PARTS])
        return np.asarray((self.region > 0) & ~bare, dtype=np.bool_)


def at_size(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """A map (h, w) or (h, w, k) at (height, width), bilinear; itself where it has that size."""
    if values.shape[:2] == size:
        return values
    return np.asarray(cv2.resize(values, size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
