"""CalibratedImage -> Masks: look at the photograph, average the looks, and turn probabilities into masks of its own size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import Region, View
from pasi_vision.errors import InputError, ModelError
from pasi_vision.records import SIGN_LEVELS_PER_GRADE, CalibratedImage, Masks
from pasi_vision.segment.checkpoint import DEFAULT_MODEL, ONNX_FILE, ModelFolder, open_model
from pasi_vision.segment.enclose import enclosed
from pasi_vision.segment.familiarity import why_strange
from pasi_vision.segment.layout import LESION, OUTLINE, REGION_CLASSES
from pasi_vision.segment.look import Runner, look_at_close_up, look_at_view
from pasi_vision.segment.own import LEVELS, eight_bits, own_level
from pasi_vision.segment.peaks import with_peak
from pasi_vision.segment.prior import RegionPrior, weighted
from pasi_vision.segment.views import allowed_codes

__all__ = ["Model", "counted", "load_model"]

SMALLEST_SIDE_PX = 16
"""A photograph with a shorter side shows nothing that could be told."""

SMALLEST_SKIN_SHARE = 0.001
"""Less skin than this share of the picture is a stray find: nothing is said."""


@dataclass(frozen=True)
class Model:
    """A loaded model. Thread-safe: several photographs may be segmented at once.

    Attributes:
        folder: Where it was loaded from, with its checked record.
        run: The network: (1, 3, H, W) float32 -> (1, 11, H / 2, W / 2) float32.
        backend: "onnx", "openvino" or "torch".
        prior: Where regions lie in the views of the protocol.
    """

    folder: ModelFolder
    run: Runner
    backend: str
    prior: RegionPrior = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the model, such as "phantom-lite2"; the rater in its findings."""
        return self.folder.record.name

    @property
    def version(self) -> str:
        """Version of the model."""
        return self.folder.record.version

    @property
    def sha256(self) -> str:
        """Hash of the weights that run."""
        return self.folder.record.files[ONNX_FILE]

    @property
    def intervals(self) -> Mapping[str, Any]:
        """Residual quantiles with their level and measured coverage (`measure.Intervals` reads them)."""
        return self.folder.record.intervals

    def outputs(
        self, pixels: NDArray[np.uint8], view: View | None = None, mm_per_px: float | None = None
    ) -> NDArray[np.float32]:
        """What the network says at its working resolution.

        Args:
            pixels: (H, W, 3) uint8 sRGB, any size.
            view: Of the protocol, if known.
            mm_per_px: Scale of the photograph, if known.

        Returns:
            (11, h, w) float32 in the order of `layout.OUTPUTS`; h and w are half the working size.
        """
        record = self.folder.record
        look = look_at_close_up if view is None or view is View.CLOSE_UP else look_at_view
        return look(pixels, self.run, record.preprocessing, record.working, mm_per_px)

    def segment(self, image: CalibratedImage) -> Masks:
        """Masks of one photograph in its upright size.

        Every skin pixel gets a region that its view allows, or "other skin"; lesion and outline lie inside skin, the lesion's
        grades inside the lesion. Where nothing can be said (a picture of a few pixels, no skin) the masks are empty and say why.

        Raises:
            InputError: The pixels are not (H, W, 3) uint8.
        """
        pixels = image.pixels
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or pixels.size == 0:
            raise InputError(
                f"pixels are {pixels.dtype} of shape {pixels.shape}",
                fix="Give (H, W, 3) uint8 sRGB, as read_photo does.",
            )
        shape = pixels.shape[:2]
        if min(shape) < SMALLEST_SIDE_PX:
            return self._nothing(shape, f"the picture is {shape[1]} x {shape[0]} pixels: too small to tell anything")
        if _one_colour(pixels):
            return self._nothing(shape, "the picture is of one colour")
        seen = self.outputs(pixels, image.view, image.calibration.mm_per_px)
        strange = why_strange(pixels, seen, self.folder.record.familiarity)
        return self._nothing(shape, strange) if strange else self._masks(seen, shape, image.view)

    def _masks(self, seen: NDArray[np.float32], shape: tuple[int, int], view: View | None) -> Masks:
        limits = self.folder.record.thresholds_of(view)
        skin_probability = 1 - seen[0]
        skin_small = skin_probability >= limits.skin
        if skin_small.mean() < SMALLEST_SKIN_SHARE:
            return self._nothing(shape, "no skin found in the picture")
        skin_classes = seen[1:REGION_CLASSES]
        prior = self.prior.get(view) if view is not None else None
        if prior is not None:
            skin_classes = weighted(skin_classes, skin_small, prior)
        labels = _labels(skin_classes, allowed_codes(view))
        # Edges are smooth in probability and sharp in labels: so probabilities are enlarged, then cut; labels are only copied.
        skin = _enlarged(eight_bits(skin_probability), shape) >= _level(limits.skin)
        regions = np.asarray(cv2.resize(labels, shape[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
        regions *= skin
        lesion = (
            _cut(seen[LESION], skin_small, shape, (limits.lesion, limits.lesion_own_from, limits.lesion_peak)) & skin
        )
        pen = self.folder.record.view_outlines.get(view) if view is not None else None
        if pen is None:
            cut = (limits.outline, limits.outline_own_from, limits.outline_peak)
            outline = _cut(seen[OUTLINE], skin_small, shape, cut) & skin
        else:
            outline = enclosed(lesion, skin, *pen)
        return Masks(
            regions=regions,
            lesion=lesion,
            outline=outline,
            signs=_signs(seen[OUTLINE + 1 :], lesion),
            expected_lesion=_expected(seen[LESION], labels, skin_small),
            expected_outline=_expected(seen[OUTLINE], labels, skin_small),
            model=self.folder.label,
        )

    def _nothing(self, shape: tuple[int, int], reason: str) -> Masks:
        empty = np.zeros(shape, bool)
        return Masks(
            np.zeros(shape, np.uint8),
            empty,
            empty,
            np.zeros((*shape, 3), np.uint8),
            model=self.folder.label,
            reason=reason,
        )


def load_model(
    model: str | Path = DEFAULT_MODEL,
    *,
    backend: Literal["onnx", "openvino", "torch"] = "onnx",
    threads: int | None = None,
) -> Model:
    """Load a model by name or folder.

    Args:
        model: A released model's name, or a folder that `pasi-vision model export` wrote.
        backend: "onnx" (CPU, no torch needed), "openvino" (the same file in an optional runtime, faster in 8 bits above all), or
            "torch" (for a comparison, or a GPU if there is one).
        threads: CPU threads of one forward pass; None takes what the runtime takes.

    Raises:
        ModelError: As `checkpoint.open_model`.
    """
    folder = open_model(model)
    if backend == "torch":
        return Model(folder, _torch_runner(folder), "torch", folder.region_prior())
    if backend == "openvino":
        return Model(folder, _openvino_runner(folder, threads), "openvino", folder.region_prior())
    session = folder.onnx_session(threads)

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(session.run(None, {"pixels": batch})[0], np.float32)

    return Model(folder, run, "onnx", folder.region_prior())


def _openvino_runner(folder: ModelFolder, threads: int | None) -> Runner:
    try:
        import openvino
    except ImportError as error:
        raise ModelError(
            "running the model in OpenVINO needs openvino",
            where=str(folder.path),
            fix="Install pasi-vision[openvino], or run it with ONNX.",
        ) from error
    # On processors that have it, the runtime would compute in bfloat16 unasked, and answers would depend on the machine.
    settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    compiled = openvino.Core().compile_model(str(folder.path / ONNX_FILE), "CPU", settings)

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        # A request of its own for each call: several photographs may be segmented at once.
        return np.array(compiled.create_infer_request().infer({0: batch})[0], np.float32)

    return run


def _torch_runner(folder: ModelFolder) -> Runner:
    network = folder.torch_network()
    import torch

    from pasi_vision.segment.network import probabilities

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device)

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            seen: NDArray[np.float32] = probabilities(network(torch.from_numpy(batch).to(device))).cpu().numpy()
        return seen

    return run


def _one_colour(pixels: NDArray[np.uint8]) -> bool:
    """Whether all values are the same; most pictures show otherwise in a few of their rows."""
    first = pixels[0, 0, 0]
    return bool((pixels[:: max(1, len(pixels) // 8)] == first).all()) and bool((pixels == first).all())


def _labels(skin_classes: NDArray[np.float32], allowed: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Most probable allowed skin label everywhere (also where there is no skin)."""
    codes = np.flatnonzero(allowed[1:])
    return np.asarray((codes + 1).astype(np.uint8)[skin_classes[codes].argmax(0)], np.uint8)


def _enlarged(levels: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """A probability in 8 bits at (H, W): a large photograph's masks then cost bytes, not floats."""
    return np.asarray(cv2.resize(levels, shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def _cut(
    probability: NDArray[np.float32],
    skin: NDArray[np.bool_],
    shape: tuple[int, int],
    limits: tuple[float, float, float],
) -> NDArray[np.bool_]:
    """(H, W) where a probability (h, w) counts, inside skin (h, w) but for the border."""
    levels, level = counted(eight_bits(probability), skin, *limits)
    return np.asarray(_enlarged(levels, shape) >= level)


def counted(
    levels: NDArray[np.uint8], skin: NDArray[np.bool_], threshold: float, own_from: float, peak: float
) -> tuple[NDArray[np.uint8], int]:
    """Levels (h, w) without the stretches that reach no peak, and the level from which they count: the threshold's or their own."""
    level = _level(threshold, own_from, levels[skin])
    if peak > 0:
        found = (levels >= level) & skin
        levels = np.where(found & ~with_peak(found, levels, peak * (LEVELS - 1)), np.uint8(0), levels)
    return levels, level


def _level(threshold: float, own_from: float = 1.0, levels: NDArray[np.uint8] | None = None) -> int:
    """Of 255, from which a pixel counts: the photograph's own where its probabilities on skin promise enough."""
    if own_from < 1 and levels is not None and levels.size:
        own, promised = own_level(np.bincount(levels, minlength=LEVELS))
        if promised >= own_from:
            return own
    return max(1, min(255, round(threshold * 255)))


def _signs(grades: NDArray[np.float32], lesion: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 grade x 60 inside the lesion, 0 elsewhere. Grades change slowly, so they are copied and not interpolated."""
    signs = np.zeros((*lesion.shape, 3), np.uint8)
    rows, columns = np.flatnonzero(lesion.any(1)), np.flatnonzero(lesion.any(0))
    if not rows.size:
        return signs
    small = np.clip(grades.transpose(1, 2, 0) * SIGN_LEVELS_PER_GRADE + 0.5, 0, 255).astype(np.uint8)
    whole = cv2.resize(small, lesion.shape[::-1], interpolation=cv2.INTER_NEAREST)
    # Only the box of the lesion is touched: in a large photograph it is small.
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    cv2.copyTo(whole[box], lesion[box].view(np.uint8), signs[box])
    return signs


def _expected(
    probability: NDArray[np.float32], labels: NDArray[np.uint8], skin: NDArray[np.bool_]
) -> dict[Region, float]:
    """Mean probability over each region's visible skin, in per cent."""
    codes = labels[skin]
    pixels = np.bincount(codes, minlength=REGION_CLASSES)
    sums = np.bincount(codes, weights=probability[skin], minlength=REGION_CLASSES)
    return {r: 100.0 * float(sums[r.code]) / int(pixels[r.code]) for r in Region if pixels[r.code]}
