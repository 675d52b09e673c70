"""A photograph's own threshold: where its probabilities promise the best Dice.

Where probabilities are honest, the threshold with the best expected Dice is half of that Dice (Lipton, Elkan & Naryanaswamy, ECML PKDD
2014;8725:225): high in a photograph that is clear about its lesions, low in one whose lesions are faint. A photograph that promises little
has to be cut at the model's threshold, or healthy skin would be full of faint lesions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVELS = 256


def eight_bits(probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Probabilities in steps of 1 / (LEVELS - 1), rounded."""
    return (np.clip(probability, 0, 1) * (LEVELS - 1) + 0.5).astype(np.uint8)


def own_level(counts: NDArray[np.integer]) -> tuple[int, float]:
    """The level (1-254 of 255) with the best expected Dice, and that Dice; 0.0 where nothing is expected.

    Args:
        counts: (256,) pixels inside skin by probability x 255.
    """
    probability = np.arange(LEVELS) / (LEVELS - 1)
    found = counts[::-1].cumsum()[::-1]
    right = (counts * probability)[::-1].cumsum()[::-1]
    expected = 2.0 * right / np.maximum(found + right[0], 1e-9)
    level = 1 + int(np.argmax(expected[1:-1]))
    return level, float(expected[level])
