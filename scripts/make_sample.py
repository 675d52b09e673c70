"""Make data/sample: three digital patients x three visits x the required views, two clinicians, one spoilt photograph, one missing view.

    python scripts/make_sample.py data/sample

The same command gives the same bytes.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from pasi_vision.phantom.dataset import SetRequest, make_set
from pasi_vision.storage import output_folder, read_picture, write_picture
from pasi_vision.tables import PHOTOS, read_table, write_table

SEED = 1217  # light, very dark and medium skin; a fast response, a slower one and a partial one
SPOILT = "P0002_week_4_trunk_front"  # out of focus and overexposed: to be retaken
MISSING = "P0003_week_8_lower_limbs_back"  # never taken


def main(target: Path) -> None:
    """Make the set beside the target, spoil it, and put it in place."""
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "set"
        report = make_set(SetRequest(made, patients=3, visits=3, preset="sample", seed=SEED, masks=False, quality=84))
        if report.failed:
            raise SystemExit(f"photographs failed: {report.failed}")
        output_folder(target / "photos")
        for old in (target / "photos").glob("*.jpg"):
            old.unlink()
        for photo in sorted((made / "photos").glob("*.jpg")):
            if photo.stem == MISSING:
                continue
            shutil.copyfile(photo, target / "photos" / photo.name)
        spoil(target / "photos" / f"{SPOILT}.jpg")
        photos = read_table(made / "photos.csv", PHOTOS)
        write_table(target / "photos.csv", pd.DataFrame(photos[~photos["path"].str.contains(MISSING)]), PHOTOS)
        shutil.copyfile(made / "findings.csv", target / "findings.csv")
    size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    print(f"{target}: {len(list((target / 'photos').glob('*.jpg')))} photographs, {size / 2**20:.1f} MiB")


def spoil(path: Path) -> None:
    """Blur and overexpose a photograph, as when the camera slipped and the flash was too near."""
    picture = read_picture(path).astype(np.float32) / 255
    blurred = cv2.GaussianBlur(picture, (0, 0), 9.0)
    bright = np.clip((blurred**2.2 * 3.2) ** (1 / 2.2), 0, 1)
    write_picture(path, np.rint(bright * 255).astype(np.uint8), quality=84)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "data/sample"))
