"""Photographs: reading, checking and calibrating 12 and 40 megapixels against the bare decoders; prints JSON."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np


def drawn(width: int, height: int) -> bytes:
    """A photograph-like JPEG: smooth colours of skin with noise and edges, quality 92, 4:2:0."""
    import cv2
    from PIL import Image

    rng = np.random.default_rng(0)
    coarse = rng.normal(1, 0.08, (height // 40, width // 40, 1)) * (190, 145, 120)
    picture = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(400):
        y, x = int(rng.integers(0, height)), int(rng.integers(0, width))
        cv2.circle(picture, (x, y), int(rng.integers(3, height // 40)), (150, 90, 80), -1, cv2.LINE_AA)
    noise = rng.normal(0, 2, (height // 4, width, 1)).astype(np.float32)
    picture += np.tile(noise, (4, 1, 1))
    stream = io.BytesIO()
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(stream, "JPEG", quality=92)
    return stream.getvalue()


def seconds(action: Callable[[], object], repeats: int = 5) -> float:
    """Least processor seconds of a few runs, one thread."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        action()
        taken.append(time.process_time() - start)
    return round(min(taken), 4)


def speed() -> dict[str, float]:
    """Processor seconds at 12 megapixels."""
    import cv2
    from PIL import Image

    from pasi_vision.photo import calibrate, check_photo, read_photo, strip_metadata
    from pasi_vision.photo.colour import apply_matrix

    cv2.setNumThreads(1)
    data = drawn(4000, 3000)
    photo = read_photo(data)
    quality = check_photo(photo)
    return {
        "bare_opencv_decode_s": seconds(lambda: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)),
        "bare_pillow_decode_s": seconds(lambda: np.asarray(Image.open(io.BytesIO(data)))),
        "read_photo_s": seconds(lambda: read_photo(data)),
        "check_photo_s": seconds(lambda: check_photo(photo)),
        "calibrate_without_card_s": seconds(lambda: calibrate(photo, quality)),
        "apply_matrix_s": seconds(lambda: apply_matrix(photo.pixels, np.diag([1.1, 1.0, 0.9]))),
        "strip_metadata_s": seconds(lambda: strip_metadata(photo), 2),
    }


def peak_mib(width: int, height: int) -> dict[str, float]:
    """Peak memory of a fresh process that reads, checks and calibrates one photograph, over that of the imports (Linux)."""
    data = drawn(width, height)
    code = (
        "import sys, cv2; from pasi_vision.photo import *; "
        "from pasi_vision.photo import card, colour; cv2.setNumThreads(1)\n"
        "peak = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\nbefore = peak()\n"
        "photo = read_photo(sys.stdin.buffer.read()); calibrate(photo, check_photo(photo))\n"
        "print(before, peak())"
    )
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    before, after = (int(text) / 1024 for text in done.stdout.split())
    return {
        "picture_mib": round(width * height * 3 / 2**20, 1),
        "added_mib": round(after - before, 1),
        "peak_mib": round(after, 1),
    }


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "photo": {
                    "speed_12_megapixels": speed(),
                    "memory_12_megapixels": peak_mib(4000, 3000),
                    "memory_40_megapixels": peak_mib(7300, 5480),
                }
            },
            indent=2,
        )
    )
