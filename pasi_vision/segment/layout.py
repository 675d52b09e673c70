"""What a model of this package takes and gives: its channels and the record in its model.json. No torch here."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from pasi_vision.anatomy import GRADE_MAX, Region, Sign, View
from pasi_vision.settings import Settings

__all__ = [
    "FORMAT_VERSION",
    "LESION",
    "LOGITS",
    "OUTLINE",
    "OUTPUTS",
    "REGION_CLASSES",
    "SIGNS",
    "SIGN_STEPS",
    "Architecture",
    "ModelRecord",
    "Preprocessing",
    "Thresholds",
    "Working",
]

FORMAT_VERSION = 1
"""Version of model.json; a model with another one is refused."""

OUTPUTS = (
    "not_skin",
    *(region.value for region in Region),
    "other_skin",
    "lesion",
    "outline",
    *(sign.value for sign in Sign),
)
"""Channels of a released model's output: 6 region probabilities, 2 probabilities, 3 expected grades (0-4)."""

REGION_CLASSES = 6
LESION, OUTLINE = OUTPUTS.index("lesion"), OUTPUTS.index("outline")
SIGNS = len(Sign)
SIGN_STEPS = GRADE_MAX
AREA_LOGITS, SIGN_LOGITS = REGION_CLASSES + 2, SIGNS * SIGN_STEPS
LOGITS = AREA_LOGITS + SIGN_LOGITS
"""Channels of the network itself: regions, lesion and outline, then the signs, each grade of which is told by four conditional steps."""


class Architecture(Settings):
    """How the network is built; see `network.build_network`.

    Attributes:
        encoder: timm name.
        decoder: "light", or the name of a model of segmentation-models-pytorch.
        decoder_channels: Of the light decoder, coarsest first.
        sign_channels: Hidden channels of a head of the signs' own, which reads the features of all scales; 0: the signs are told like the
            areas, from what the decoder gives.
    """

    encoder: str = "tf_efficientnet_lite0"
    decoder: str = "light"
    decoder_channels: tuple[int, ...] = (192, 128, 80, 56, 40)
    sign_channels: int = Field(0, ge=0)


class Preprocessing(Settings):
    """Pixels / 255, minus mean, divided by std, per channel of sRGB."""

    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    multiple_of: int = 32


class Working(Settings):
    """At which resolution a photograph is looked at; see `look.py`.

    Attributes:
        first_side: Longer side of the first, coarse look at a view of the protocol, which finds the skin.
        view_pixels: What the skin's bounding box in a view is brought to, in working pixels.
        view_enlargement: By how much a small view may be enlarged for that; 1 never looks at more pixels than the photograph has.
        view_side: The longer side of a whole view that corresponds to it; training varies the size of its crops about it.
        close_up_longer_sides: Longer sides for a close-up or an unknown photograph; several are looked at and averaged.
        finest_mm_per_px: Where the scale is known, a close-up is never looked at more closely than this.
        coarsest_mm_per_px: Where the scale is known, a photograph is looked at at least this closely (in tiles if that is large).
        tile, overlap: A tile has at most `tile` x `tile` working pixels (of any shape), neighbours share at least `overlap`.
        largest_side: The longer side is never larger than this, whatever the scale says.
    """

    first_side: int = Field(320, gt=0)
    view_pixels: int = Field(450_000, gt=0)
    view_enlargement: float = Field(1.0, ge=1, le=3)
    view_side: int = Field(800, gt=0)
    close_up_longer_sides: tuple[int, ...] = Field((448, 320), min_length=1)
    finest_mm_per_px: float = Field(0.1, gt=0)
    coarsest_mm_per_px: float = Field(2.5, gt=0)
    tile: int = Field(1280, gt=0, multiple_of=32)
    overlap: int = Field(128, gt=0)
    largest_side: int = Field(2560, gt=0)


class Thresholds(Settings):
    """Probabilities from which a pixel counts, fixed on a phantom preset that the model was not trained on.

    Attributes:
        skin, lesion, outline: The probabilities.
        lesion_own_from, outline_own_from: Expected Dice from which a photograph is cut at its own threshold instead (see own.py); 1: never.
        lesion_peak, outline_peak: A connected stretch counts only where its probability reaches this somewhere (see peaks.py); 0: any.
    """

    skin: float = Field(0.5, gt=0, lt=1)
    lesion: float = Field(0.5, gt=0, lt=1)
    outline: float = Field(0.5, gt=0, lt=1)
    lesion_own_from: float = Field(1.0, ge=0, le=1)
    outline_own_from: float = Field(1.0, ge=0, le=1)
    lesion_peak: float = Field(0.0, ge=0, le=1)
    outline_peak: float = Field(0.0, ge=0, le=1)


class ModelRecord(Settings):
    """The content of a model.json.

    Attributes:
        format_version: `FORMAT_VERSION`.
        name, version: Of the model.
        outputs: `OUTPUTS`; a model with others is refused.
        thresholds, close_up_thresholds: For views of the protocol, and for close-ups and unknown photographs (None: the same), where
            lesions are large and rarely absent.
        view_outlines: How outlines follow from lesions in views, where a body gives the scale: view -> (rim, widest gap that is closed),
            as shares of the square root of the number of skin pixels. Other photographs get the outline that the network draws.
        threshold_choice: The data that thresholds and limits of familiarity were chosen on, and what they reached there.
        intervals: Residual quantiles (truth - prediction) with their level and measured coverage; see docs/model.md.
        familiarity: Signal -> limit above which a picture is unlike a photograph of skin; see familiarity.py.
        training: What it was trained on, in words and figures (data, seeds, settings, versions).
        files: File name -> SHA-256 of model.safetensors and model.onnx.
    """

    format_version: int
    name: str
    version: str
    outputs: tuple[str, ...] = OUTPUTS
    architecture: Architecture = Architecture()
    preprocessing: Preprocessing = Preprocessing()
    working: Working = Working()
    thresholds: Thresholds = Thresholds()
    close_up_thresholds: Thresholds | None = None
    view_outlines: dict[View, tuple[float, float]] = Field(default_factory=dict)
    threshold_choice: dict[str, Any] = Field(default_factory=dict)
    intervals: dict[str, Any] = Field(default_factory=dict)
    familiarity: dict[str, float] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, str]

    def thresholds_of(self, view: View | None) -> Thresholds:
        """Those of a photograph of that view (None: not known)."""
        close = view is None or view is View.CLOSE_UP
        return self.close_up_thresholds if close and self.close_up_thresholds is not None else self.thresholds
