"""Rim and gap of outlines are told from labelled views, and only where outlines do follow from lesions."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pasi_vision.anatomy import View
from pasi_vision.segment.enclose import enclosed
from pasi_vision.storage import write_picture
from pasi_vision.train.enclosing import fit_enclosing
from pasi_vision.train.folder import PhotoEntry, read_folder, read_truth


def _folder(root: Path, *, by_rule: bool, number: int = 9) -> tuple[PhotoEntry, ...]:
    rng = np.random.default_rng(5)
    (root / "masks").mkdir(parents=True)
    rows = ["subject_id,visit,day,view,path"]
    for index in range(number):
        skin = np.zeros((300, 240), bool)
        skin[20:280, 30:210] = True
        y, x = np.mgrid[:300, :240]
        places = zip(rng.uniform(40, 200, 7), rng.uniform(30, 270, 7), rng.uniform(4, 18, 7), strict=True)
        lesion = np.any([np.hypot(x - u, y - v) < r for u, v, r in places], axis=0)
        lesion &= skin
        outline = enclosed(lesion, skin, 0.012, 0.045) if by_rule else skin & (x < rng.uniform(60, 200))
        for kind, mask in (("lesion", lesion), ("outline", outline)):
            write_picture(root / "masks" / f"p{index}.{kind}.png", mask.astype(np.uint8) * 255)
        write_picture(root / "masks" / f"p{index}.regions.png", skin.astype(np.uint8) * 3)
        write_picture(root / f"p{index}.jpg", np.full((300, 240, 3), 128, np.uint8))
        rows.append(f"S{index},baseline,1,trunk_front,p{index}.jpg")
    (root / "photos.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return read_folder(root).photos


def test_the_lengths_come_back(tmp_path: Path) -> None:
    found = fit_enclosing(_folder(tmp_path, by_rule=True))
    grow, gap = found[View.TRUNK_FRONT]
    assert grow == pytest.approx(0.012, rel=0.25)
    assert gap == pytest.approx(0.045, rel=0.4)


def test_outlines_that_follow_no_rule_and_too_few_photographs_give_none(tmp_path: Path) -> None:
    assert fit_enclosing(_folder(tmp_path / "free", by_rule=False)) == {}
    assert fit_enclosing(_folder(tmp_path / "few", by_rule=True, number=7)) == {}


def test_lengths_make_up_for_what_a_model_sees_too_small(tmp_path: Path) -> None:
    photos = _folder(tmp_path, by_rule=True)

    def seen(photo: PhotoEntry) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        truth = read_truth(photo)
        assert truth.lesion is not None
        assert truth.regions is not None
        small = cv2.erode(truth.lesion.astype(np.uint8), np.ones((5, 5), np.uint8))
        # At a size of its own, as a model's answers are.
        return cv2.resize(small, (367, 451), interpolation=cv2.INTER_LINEAR) > 0, cv2.resize(
            (truth.regions > 0).astype(np.uint8), (367, 451)
        ) > 0

    pixel = 1 / np.sqrt(260 * 180)
    exact, made_up = fit_enclosing(photos)[View.TRUNK_FRONT], fit_enclosing(photos, seen)[View.TRUNK_FRONT]
    assert made_up[0] - exact[0] == pytest.approx(2 * pixel, abs=1.5 * pixel)
