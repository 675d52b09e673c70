"""A small model with random weights (it knows nothing, but it is built, stored and run as a real one), and photographs for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.records import CalibratedImage, Calibration, CalibrationStatus, Photo, QualityReport, Verdict

Wrap = Callable[..., CalibratedImage]


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a model with random weights."""
    import torch

    from pasi_vision.segment.layout import FORMAT_VERSION, Architecture
    from pasi_vision.segment.network import build_network
    from pasi_vision.train.export import write_model

    torch.manual_seed(5)
    architecture = Architecture(decoder_channels=(24, 24, 16, 16, 16))
    folder = tmp_path_factory.mktemp("random-model")
    network = build_network(architecture)
    # Random weights see nothing in anything: larger ones in the last layer make the outputs differ from place to place.
    torch.nn.init.normal_(network.head.weight, std=2.0)
    write_model(
        network,
        folder,
        {"format_version": FORMAT_VERSION, "name": "random", "version": "0", "architecture": architecture},
    )
    return folder


@pytest.fixture(scope="session")
def wrap() -> Wrap:
    """A function: pixels (and view, mm_per_px) -> CalibratedImage."""

    def make(pixels: NDArray[np.uint8], view: View | None = None, mm_per_px: float | None = None) -> CalibratedImage:
        calibration = Calibration(CalibrationStatus.FALLBACK, np.eye(3), mm_per_px=mm_per_px)
        return CalibratedImage(pixels, Photo(pixels, None, ""), QualityReport((), Verdict.ACCEPT), calibration, view)

    return make


@pytest.fixture(scope="session")
def blotches() -> Callable[[int, int], NDArray[np.uint8]]:
    """A function: (height, width) -> a picture of smooth coloured blotches, the same for every size."""

    def make(height: int, width: int) -> NDArray[np.uint8]:
        import cv2

        coarse = np.random.default_rng(3).integers(0, 256, (9, 12, 3)).astype(np.uint8)
        return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)

    return make
