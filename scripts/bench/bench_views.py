"""How many protocol views a second one core photographs at 1 MP, with a profile of where the time goes; prints JSON.

CPU seconds, so that another job on the machine does not change them much; the first view of each kind, which fills caches, is left out.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import time

import cv2
import numpy as np

from pasi_vision.anatomy import Region, View
from pasi_vision.phantom.body import BodyShape, make_body
from pasi_vision.phantom.bodyphoto import Subject, draw_studio, photograph_body
from pasi_vision.phantom.garments import covered
from pasi_vision.phantom.lesions import FORMS, Severity, place_plaques
from pasi_vision.phantom.skin import draw_person
from pasi_vision.phantom.views import protocol_shot

VIEWS = (View.TRUNK_BACK, View.LOWER_LIMBS_FRONT, View.UPPER_LIMBS_FRONT, View.HEAD_LEFT)
LONG_SIDE = {View.TRUNK_BACK: 1155, View.LOWER_LIMBS_FRONT: 1225, View.UPPER_LIMBS_FRONT: 1414, View.HEAD_LEFT: 1155}
STEPS = {
    "view": "rays and surface",
    "maps_on": "lesion maps",
    "paint": "skin colour and relief",
    "_head_hair": "hair",
    "backdrop": "backdrop and cloth",
    "photograph": "camera",
    "stored": "JPEG",
    "_with_masks": "masks",
    "protocol_shot": "posing and camera",
}


def main() -> None:
    """Measure and print."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(1)
    body = make_body(BodyShape(stature_cm=175))
    plaques = place_plaques(
        body, Severity(dict.fromkeys(Region, 8.0), dict.fromkeys(Region, (2.0, 2.0, 2.0))), FORMS[0], rng
    )
    subject = Subject(draw_person(rng), female=False, hair=0.7, plaques=plaques)
    seconds: dict[str, float] = {}
    profile = cProfile.Profile()
    for view in VIEWS:
        for attempt in range(3):
            draw = np.random.default_rng([7, attempt])
            start = time.process_time()
            if attempt == 2:
                profile.enable()
            shot = protocol_shot(body, view, long_side_px=LONG_SIDE[view], rng=draw, clothes=covered(("briefs",)))
            picture = photograph_body(shot, subject, draw_studio(draw), draw)
            profile.disable()
            if attempt == 1:
                seconds[view.value] = round(time.process_time() - start, 3)
    where: dict[str, float] = {}
    for (_, _, name), (_, _, _, cumulative, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if name in STEPS:
            where[STEPS[name]] = round(where.get(STEPS[name], 0.0) + cumulative / len(VIEWS), 3)
    mean = float(np.mean(list(seconds.values())))
    print(
        json.dumps(
            {
                "benchmark": "phantom protocol views, about 1 MP, one core",
                "megapixels": round(picture.image.shape[0] * picture.image.shape[1] / 1e6, 2),
                "plaques": len(plaques),
                "cpu_seconds": seconds,
                "views_per_second": round(1 / mean, 2),
                "seconds_by_step_profiled": dict(sorted(where.items(), key=lambda item: -item[1])),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
