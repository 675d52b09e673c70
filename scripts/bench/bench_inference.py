"""One 12 MP photograph: time and peak memory of the model stage against decode + bare forward pass; ONNX against eager torch. JSON."""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def draw(path: Path) -> None:
    """A 12 MP JPEG with structure at every scale, as a photograph has."""
    import cv2
    from PIL import Image

    generator = np.random.default_rng(1)
    layers = [cv2.resize(generator.normal(0, 14, (h, h * 4 // 3, 3)), (4000, 3000)) for h in (6, 60, 750)]
    Image.fromarray(np.clip(sum(layers) + np.array([190, 140, 115]), 0, 255).astype(np.uint8)).save(path, quality=92)


def best(work: Callable[[], Any], repeats: int = 5) -> float:
    """Least seconds of several runs: the machine may be doing other things."""
    work()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def peak_mib() -> float:
    """Peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(kind: str, photo: str, model_name: str) -> dict[str, float]:
    """One measurement in a process of its own, so that memory is its own too."""
    from pasi_vision.anatomy import View
    from pasi_vision.photo import read_photo
    from pasi_vision.records import CalibratedImage, Calibration, CalibrationStatus, QualityReport, Verdict
    from pasi_vision.segment import Model, load_model

    model = load_model(model_name, backend="torch" if kind == "torch" else "onnx", threads=2)
    if kind == "torch":
        import torch

        torch.set_num_threads(2)
    read = read_photo(photo)
    calibration = Calibration(CalibrationStatus.FALLBACK, np.eye(3))
    image = CalibratedImage(read.pixels, read, QualityReport((), Verdict.ACCEPT), calibration, View.TRUNK_FRONT)
    batches: list[np.ndarray] = []

    def noting(batch: np.ndarray) -> np.ndarray:
        batches.append(batch)
        return model.run(batch)

    # The bare forward pass takes what the network is given for this photograph (a view is looked at twice).
    Model(model.folder, noting, model.backend).segment(image)
    if kind == "segment":
        return {"segment_s": best(lambda: model.segment(image)), "peak_mib": peak_mib()}
    forward = best(lambda: [model.run(batch) for batch in batches])
    return {"decode_s": best(lambda: read_photo(photo), 3), "forward_s": forward, "peak_mib": peak_mib()}


def main() -> None:
    """Print the figures."""
    model = sys.argv[1] if len(sys.argv) > 1 else "phantom-lite0"
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        photo = str(Path(folder) / "photo.jpg")
        with context.Pool(1) as pool:  # a child's peak memory begins at its parent's, so the parent stays small
            pool.apply(draw, (Path(photo),))
        found = {}
        for kind in ("bare", "segment", "torch"):
            with context.Pool(1) as pool:
                found[kind] = pool.apply(measure, (kind, photo, model))
    bare = found["bare"]["decode_s"] + found["bare"]["forward_s"]
    result = {
        "benchmark": "inference",
        "photo": "4000 x 3000 JPEG",
        "threads": 2,
        **{f"{kind}_{name}": round(value, 4) for kind, figures in found.items() for name, value in figures.items()},
        "time_ratio": round((found["bare"]["decode_s"] + found["segment"]["segment_s"]) / bare, 3),
        "memory_ratio": round(found["segment"]["peak_mib"] / found["bare"]["peak_mib"], 3),
        "onnx_speed_up_over_eager_torch": round(found["torch"]["forward_s"] / found["bare"]["forward_s"], 2),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
