"""A photograph's own threshold: where its probabilities promise the best Dice."""

from __future__ import annotations

import numpy as np
import pytest

from pasi_vision.segment.own import LEVELS, own_level


def _counts(**pixels: int) -> np.ndarray:
    counts = np.zeros(LEVELS, np.int64)
    for level, number in pixels.items():
        counts[int(level[1:])] = number
    return counts


def test_the_threshold_is_half_of_the_promised_dice() -> None:
    """For any honest probabilities the best threshold lies where theory says, as finely as there are levels."""
    rng = np.random.default_rng(4)
    for shape in ((0.3, 2.0), (1.0, 1.0), (0.5, 5.0)):
        drawn = np.round(rng.beta(*shape, 200_000) * 255).astype(int)
        level, promised = own_level(np.bincount(drawn, minlength=LEVELS))
        assert level / 255 == pytest.approx(promised / 2, abs=0.02)


def test_honest_probabilities_give_the_dice_that_was_promised() -> None:
    rng = np.random.default_rng(5)
    probability = rng.beta(0.4, 1.2, 400_000)
    truth = rng.random(probability.size) < probability
    level, promised = own_level(np.bincount(np.round(probability * 255).astype(int), minlength=LEVELS))
    found = probability * 255 >= level - 0.5
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) == pytest.approx(promised, abs=0.005)


def test_faint_lesions_have_a_lower_threshold_than_clear_ones_and_nothing_promises_nothing() -> None:
    rng = np.random.default_rng(6)
    skin = rng.beta(1.0, 20.0, 9000)
    faint, clear = (
        own_level(np.bincount(np.round(np.append(skin, rng.beta(*shape, 3000)) * 255).astype(int), minlength=LEVELS))
        for shape in ((3.0, 6.0), (20.0, 1.0))
    )
    assert faint[0] < clear[0]
    assert faint[1] < clear[1]
    assert own_level(np.zeros(LEVELS, np.int64))[1] == 0.0
    assert own_level(_counts(l0=1000))[1] == 0.0
