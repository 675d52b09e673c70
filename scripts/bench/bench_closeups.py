"""Close-ups of the preset `default` at 448 px on one core: pictures a second and where the time goes; prints JSON.

The time is the processor's, so that it means the same on a busy machine. Stages are cumulative times of the functions named.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
import time

import cv2

from pasi_vision.phantom.closeup import render_closeup
from pasi_vision.phantom.preset import load_preset

COUNT, SIZE = 48, 448
STAGES = {
    "surface by rays": ("bodies.py", "body_view"),
    "lesion maps": ("plaques.py", "lesion_maps"),
    "colour and relief": ("paint.py", "paint"),
    "hair": ("hair.py", "add_hair"),
    "distractors": ("distractors.py", "draw_overlay"),
    "skin details, nails, pustules": ("extras.py", "onto_skin"),
    "jewellery and dressings": ("extras.py", "on_body"),
    "flakes, props, hands": ("extras.py", "in_frame"),
    "background and clothing": ("surroundings.py", "surrounded"),
    "camera": ("camera.py", "photograph"),
    "JPEG": ("camera.py", "stored"),
    "simulated raters": ("outline.py", "outlined"),
}


def main() -> None:
    """Draw, time, and draw again under the profiler."""
    cv2.setNumThreads(1)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    preset = load_preset("default")
    for index in range(12):  # textures, the body and the first scene are made once per process
        render_closeup(1, index, preset, SIZE)
    start = time.process_time()
    for index in range(12, 12 + count):
        render_closeup(1, index, preset, SIZE)
    seconds = (time.process_time() - start) / count
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for index in range(12, 12 + count):
        render_closeup(1, index, preset, SIZE)
    profile.disable()
    times: dict[tuple[str, str], float] = {}
    for (file, _, name), (_, _, _, cumulative, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        key = file.rsplit("/", 1)[-1], name
        times[key] = max(times.get(key, 0.0), cumulative)
    whole = times["closeup.py", "render_closeup"]
    shares = {stage: round(100 * times.get(key, 0.0) / whole, 1) for stage, key in STAGES.items()}
    figures = {
        "size_px": SIZE,
        "pictures": count,
        "pictures_per_second": round(1 / seconds, 2),
        "seconds": round(seconds, 4),
    }
    print(json.dumps(figures | {"share_of_time_percent": shares}, indent=2))


if __name__ == "__main__":
    main()
