"""Pictures that are no photographs of skin are told apart; photographs are not."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from pasi_vision.segment.familiarity import SIGNALS, Signals, signals_of, why_strange
from pasi_vision.train.strangers import KINDS, familiarity_limits, stranger

SIDE = 200


def skin(generator: np.random.Generator) -> np.ndarray:
    """Skin-coloured noise: no two neighbours alike."""
    base = np.array([200, 150, 130]) * generator.uniform(0.4, 1.1)
    return np.clip(base + generator.normal(0, 6, (SIDE, SIDE, 3)), 20, 255).astype(np.uint8)


def all_skin(sure: float = 0.95) -> np.ndarray:
    seen = np.zeros((11, 100, 100), np.float32)
    seen[3], seen[0] = sure, 1 - sure
    return seen


def test_signals_of_pictures_with_known_answers() -> None:
    generator = np.random.default_rng(0)
    plain = signals_of(skin(generator), all_skin(0.9))
    assert plain.flat < 0.02
    assert plain.wrong_hue < 0.02
    assert plain.doubt == pytest.approx(0.1, abs=1e-6)
    assert plain.round_field == 0.0
    flat = np.full((SIDE, SIDE, 3), (200, 150, 130), np.uint8)
    flat[: SIDE // 2] = skin(generator)[: SIDE // 2]
    assert signals_of(flat, all_skin()).flat == pytest.approx(0.5, abs=0.02)
    assert signals_of(skin(generator)[..., ::-1].copy(), all_skin()).wrong_hue > 0.98
    grey = np.repeat(skin(generator)[..., :1], 3, axis=2)
    assert signals_of(grey, all_skin()).colourless == 1.0
    nothing = signals_of(flat, 1 - all_skin())
    assert (nothing.flat, nothing.wrong_hue, nothing.colourless) == (0.0, 0.0, 0.0)  # what is not skin tells nothing


def test_a_round_field_is_not_a_black_backdrop() -> None:
    generator = np.random.default_rng(1)
    field = stranger("dermoscopy", generator, [skin(generator)])
    assert signals_of(field, all_skin()).round_field == 1.0
    standing = np.zeros((SIDE, SIDE, 3), np.uint8)  # someone before black cloth, cut off below
    standing[20:, 60:140] = skin(generator)[20:, 60:140]
    assert signals_of(standing, all_skin()).round_field == 0.0


def test_limits_refuse_strangers_and_no_photograph() -> None:
    generator = np.random.default_rng(2)
    photographs = [skin(generator) for _ in range(20)]
    known = [signals_of(pixels, all_skin()) for pixels in photographs]
    strange = {
        kind: [signals_of(stranger(kind, generator, photographs), all_skin()) for _ in range(6)]
        for kind in KINDS
        if kind != "noise"  # this model of one answer is never in doubt
    }
    limits = familiarity_limits(known, strange)
    assert set(limits) == set(SIGNALS) - {"doubt"}
    for found in strange.values():
        assert all(any(asdict(one)[signal] > limit for signal, limit in limits.items()) for one in found)
    fresh = [skin(generator) for _ in range(20)]
    assert [why_strange(pixels, all_skin(), limits) for pixels in fresh] == [""] * 20
    assert "drawing" in why_strange(stranger("drawing", generator, photographs), all_skin(), limits)


def test_a_model_without_limits_refuses_nothing() -> None:
    drawing = stranger("drawing", np.random.default_rng(3), [skin(np.random.default_rng(4))])
    assert why_strange(drawing, all_skin(), {}) == ""


def test_a_signal_that_does_not_part_them_gets_no_limit() -> None:
    same = [Signals(flat=0.5, wrong_hue=0.0, colourless=0.0, doubt=0.1, round_field=0.0)] * 5
    assert familiarity_limits(same, {"drawing": same}) == {}
