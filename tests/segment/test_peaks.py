"""Stretches need a sure place; their margins stay."""

from __future__ import annotations

import numpy as np

from pasi_vision.segment.peaks import with_peak


def test_faint_stretches_go_and_margins_of_sure_ones_stay() -> None:
    probability = np.zeros((8, 12))
    probability[1:4, 1:5] = 0.2
    probability[2, 2] = 0.8
    probability[1:4, 7:11] = 0.3
    probability[4, 5] = 0.2  # touches the first one by a corner
    found = probability >= 0.15
    kept = with_peak(found, probability, 0.7)
    assert kept[1:4, 1:5].all()
    assert kept[4, 5]
    assert not kept[:, 6:].any()
    assert (with_peak(found, probability, 0.0) == found).all()
    assert not with_peak(found, probability, 0.9).any()
