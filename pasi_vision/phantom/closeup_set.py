"""A set of close-ups on disk, in the data contract's layout; can be made in parts, resumed and extended.

Run as `python -m pasi_vision.phantom.closeup_set FOLDER --count N --preset P --seed S --jobs J --size 448`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pasi_vision.anatomy import Region, Sign, View
from pasi_vision.errors import InputError
from pasi_vision.phantom.closeup import CloseUp, render_closeup
from pasi_vision.phantom.picture import in_one_thread
from pasi_vision.phantom.preset import CloseUpPreset, load_preset
from pasi_vision.processes import pool_of
from pasi_vision.records import Finding, Masks, finding_frame
from pasi_vision.storage import output_folder, write_bytes, write_json, write_picture
from pasi_vision.tables import FINDINGS, PHOTOS, write_table

JPEG_QUALITY = 95


def write_closeups(
    folder: str | Path,
    count: int,
    preset: CloseUpPreset,
    *,
    seed: int = 0,
    jobs: int = 1,
    size: int = 448,
    first: int = 0,
) -> Path:
    """Write close-ups number `first` ... `first + count - 1` of a set; pictures that are there already are kept.

    Args:
        folder: Gets photos.csv, findings.csv, masks/, close_ups/ and close_ups.json (what was drawn, per picture).
        jobs: Processes; the files do not depend on it.

    Returns:
        The path of photos.csv.

    Raises:
        InputError: `count` or `size` is not positive.
        OutputError: The folder cannot be written.
    """
    if count < 1 or size < 64 or jobs < 1:
        raise InputError(
            f"count {count}, size {size}, jobs {jobs}",
            fix="Use a count and jobs of at least 1 and a size of at least 64.",
        )
    root = output_folder(folder)
    for name in ("close_ups", "masks"):
        output_folder(root / name)
    todo = [(str(root), seed, index, preset, size) for index in range(first, first + count)]
    if jobs == 1:
        rows = [_one(item) for item in todo]
    else:
        with pool_of(jobs, in_one_thread) as pool:
            rows = list(pool.map(_one, todo, chunksize=8))
    return _tables(root, rows, preset)


def _one(item: tuple[str, int, int, CloseUpPreset, int]) -> dict[str, Any]:
    """Draw and write one picture unless its record, which is written last, is there; gives the record."""
    folder, seed, index, preset, size = item
    root = Path(folder)
    stem = f"{preset.name}_{seed}_{index:06d}"
    record = root / "masks" / f"{stem}.json"
    if record.exists():
        return dict(json.loads(record.read_text(encoding="utf-8")))
    picture = render_closeup(seed, index, preset, size)
    write_bytes(root / "close_ups" / f"{stem}.jpg", encoded(picture.image))
    masks = Masks(picture.regions, picture.lesion > 127, picture.outline > 127, picture.signs)
    masks.save(root / "masks", stem)
    write_picture(root / "masks" / f"{stem}.votes.png", picture.votes)
    found = {"stem": stem, "facts": picture.facts, "findings": _measured(picture)}
    write_json(record, found)
    return found


def encoded(image: NDArray[np.uint8]) -> bytes:
    """A picture as JPEG with full chroma: the camera's own losses are in it already."""
    import cv2

    flags = [
        cv2.IMWRITE_JPEG_QUALITY,
        JPEG_QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    return bytes(cv2.imencode(".jpg", image[..., ::-1], flags)[1])


def _measured(picture: CloseUp) -> list[dict[str, float | str]]:
    """Area and grades of each region in view, from the masks."""
    found: list[dict[str, float | str]] = []
    for region in Region:
        skin = picture.regions == region.code
        if skin.mean() < 0.01:
            continue
        ill = skin & (picture.lesion > 0)
        entry: dict[str, float | str] = {
            "region": region.value,
            "area_percent": float(100 * (picture.outline[skin] > 0).mean()),
            "area_percent_exact": float(100 * ill.sum() / skin.sum()),
        }
        for channel, sign in enumerate(Sign):
            entry[sign.value] = float(picture.signs[ill][:, channel].mean() / 60) if ill.any() else 0.0
        found.append(entry)
    return found


def _tables(root: Path, rows: list[dict[str, Any]], preset: CloseUpPreset) -> Path:
    import pandas as pd

    photos = pd.DataFrame(
        [
            {
                "subject_id": row["stem"],
                "visit": "baseline",
                "day": 1,
                "view": View.CLOSE_UP.value,
                "path": f"close_ups/{row['stem']}.jpg",
            }
            for row in rows
        ]
    )
    findings = [
        Finding(
            row["stem"],
            "baseline",
            1,
            "truth",
            1,
            Region(entry["region"]),
            **{key: value for key, value in entry.items() if key != "region"},
        )
        for row in rows
        for entry in row["findings"]
    ]
    write_table(root / "photos.csv", photos, PHOTOS)
    write_table(root / "findings.csv", finding_frame(findings), FINDINGS)
    write_json(
        root / "close_ups.json",
        {"preset": preset.model_dump(mode="json"), "pictures": {row["stem"]: row["facts"] for row in rows}},
    )
    return root / "photos.csv"


def main() -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description="Write phantom close-ups in the data contract's layout.")
    parser.add_argument("folder")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--preset", default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--size", type=int, default=448)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    write_closeups(
        given.folder,
        given.count,
        load_preset(given.preset),
        seed=given.seed,
        jobs=given.jobs,
        size=given.size,
        first=given.first,
    )


if __name__ == "__main__":
    main()
