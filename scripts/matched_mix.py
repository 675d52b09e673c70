"""Close-ups in the mix of sites of 299 atlas photographs of psoriasis, for a meter of likeness; pictures only, without logos.

    python scripts/matched_mix.py OUT [--count 120] [--size 640] [--seed 77] [--without INGREDIENT]

Shares of sites: general 69, elbow 38, scalp 30, foot 28, flexural 25, palm 25, pustular 24, face 20, finger 20, nail 10,
erythroderma 8, arthritis 2 photographs. Every picture shows disease.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from pasi_vision.phantom.closeup import render_closeup
from pasi_vision.phantom.ingredients import INGREDIENTS, without
from pasi_vision.phantom.preset import load_preset
from pasi_vision.storage import output_folder, write_picture

# fmt: off
MIX = {"patch": .16, "trunk": .05, "limb": .05, "body_trunk": .05, "joint": .05, "body_elbow": .06, "body_knee": .02, "scalp": .05,
       "body_neck": .05, "foot_back": .02, "body_foot": .04, "sole": .04, "body_sole": .05, "fold": .05, "body_fold": .04,
       "palm": .06, "body_palm": .07, "body_face": .06, "body_ear": .01, "hand_back": .03, "body_hand": .06}
# fmt: on


def main() -> None:
    """Draw what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    for name, value in (("count", 120), ("size", 640), ("seed", 77)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--without", choices=sorted(INGREDIENTS))
    given = parser.parse_args()
    cv2.setNumThreads(1)
    preset = load_preset("default").model_copy(update={"scenes": MIX, "clear": 0.0, "watermark": 0.0})
    if given.without:
        preset = without(given.without, preset)
    preset = preset.model_copy(update={"negatives": 0.0})
    for number in range(given.count):
        target = output_folder(given.out) / f"{number:04d}.png"
        if not target.exists():
            write_picture(target, render_closeup(given.seed, number, preset, given.size).image)


if __name__ == "__main__":
    main()
