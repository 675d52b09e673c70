"""Photographs of 12 and 40 megapixels: the model stage against decoding + bare forward passes, peak memory, one and several. Prints JSON.

    python scripts/bench/bench_inference.py [--model MODEL] [--megapixels 12 40]

One thread. Seconds are the processor's: on an idle machine those of the clock, on a busy one still the same. What the network itself takes
in different runtimes is told by `bench_runtimes.py`.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pasi_vision.segment import DEFAULT_MODEL

STREAM = 6
"""Photographs one after the other, whose memory must not add up."""


def draw(path: Path, megapixels: float = 12) -> None:
    """A patient of the sample, enlarged and with grain: a picture in which the model finds skin and lesions, so that nothing is skipped."""
    import cv2

    from pasi_vision.storage import read_picture, resource, write_picture

    small = read_picture(resource("sample", "photos") / "P0001_baseline_trunk_front.jpg")
    factor = (megapixels * 1e6 / (small.shape[0] * small.shape[1])) ** 0.5
    sides = [4 * round(side * factor / 4) for side in small.shape[:2]]  # as cameras have them
    large = cv2.resize(small, sides[::-1], interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(1).integers(0, 9, large.shape[:2], np.uint8)[..., None]
    write_picture(path, np.clip(large.astype(np.int16) + grain - 4, 0, 255).astype(np.uint8), quality=92)


def best(work: Callable[[], Any], repeats: int = 5) -> float:
    """Least processor seconds of several runs."""
    work()
    times = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def peak_mib() -> float:
    """Peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(kind: str, photo: str, model_name: str) -> dict[str, float]:
    """One measurement in a process of its own, so that memory is its own too."""
    import cv2

    from pasi_vision.anatomy import View
    from pasi_vision.photo import read_photo
    from pasi_vision.records import CalibratedImage, Calibration, CalibrationStatus, QualityReport, Verdict
    from pasi_vision.segment import Model, load_model

    cv2.setNumThreads(1)
    model = load_model(model_name, threads=1)

    def read() -> CalibratedImage:
        decoded = read_photo(photo)
        calibration = Calibration(CalibrationStatus.FALLBACK, np.eye(3))
        return CalibratedImage(
            decoded.pixels, decoded, QualityReport((), Verdict.ACCEPT), calibration, View.TRUNK_FRONT
        )

    if kind == "stream":
        model.segment(read())
        first = peak_mib()
        for _ in range(STREAM - 1):
            model.segment(read())
        return {"peak_mib": first, "peak_mib_after_6": peak_mib()}
    image = read()
    if reason := model.segment(image).reason:
        raise SystemExit(f"the model says nothing of this picture: {reason}")
    if kind == "segment":
        return {"segment_s": best(lambda: model.segment(image)), "peak_mib": peak_mib()}
    batches: list[np.ndarray] = []

    def noting(batch: np.ndarray) -> np.ndarray:
        batches.append(batch)
        return model.run(batch)

    # The bare forward pass takes what the network is given for this photograph (a view is looked at twice).
    Model(model.folder, noting, model.backend).segment(image)
    forward = best(lambda: [model.run(batch) for batch in batches])
    return {"decode_s": best(lambda: read_photo(photo), 3), "forward_s": forward}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[12, 40])
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("spawn")
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for megapixels in given.megapixels:
            photo = Path(folder) / f"{megapixels:g}.jpg"
            with context.Pool(1) as pool:  # a child's peak memory begins at its parent's, so the parent stays small
                pool.apply(draw, (photo, megapixels))
            found: dict[str, float] = {}
            for kind in ("bare", "segment", "stream"):
                with context.Pool(1) as pool:
                    found |= pool.apply(measure, (kind, str(photo), given.model))
            bare = found["decode_s"] + found["forward_s"]
            row = {name: round(value, 4 if name.endswith("_s") else 0) for name, value in found.items()}
            rows[f"{megapixels:g} megapixels"] = row | {
                "time_ratio": round((found["decode_s"] + found["segment_s"]) / bare, 3)
            }
    print(json.dumps({"benchmark": "inference", "model": given.model, "threads": 1, "photographs": rows}, indent=2))


if __name__ == "__main__":
    main()
