"""One person's skin: how much melanin and blood it holds and how that varies, its fine relief, spots and hair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.noise import sample_at
from pasi_vision.phantom.optics import melanin_for_ita

Field = NDArray[np.float32]
Rng = np.random.Generator


@dataclass(frozen=True)
class Person:
    """What stays the same in every photograph of one subject.

    Attributes:
        ita_deg: Individual typology angle of healthy skin, -60 ... 70.
        melanin: Melanosome fraction of the epidermis that gives this angle.
        blood: Blood fraction of healthy dermis.
        saturation: Oxygen saturation of skin blood, 0-1.
        mottle: SD of slow variation of blood (log).
        pigment_mottle: SD of slow variation of melanin (log).
        relief_mm: Depth of the fine furrows.
        relief_scale: Size of the skin's polygons relative to an average adult.
        hair: Density of body hair, 0 (none visible) - 1 (dense).
        hair_melanin: 0 white ... 1 black.
        freckles, moles: Numbers per 100 cm2.
        gloss: Shine, 0 dull ... 1 oily.
        seed: Decides the places of spots and mottles.
    """

    ita_deg: float
    melanin: float
    blood: float
    saturation: float
    mottle: float
    pigment_mottle: float
    relief_mm: float
    relief_scale: float
    hair: float
    hair_melanin: float
    freckles: float
    moles: float
    gloss: float
    seed: int


def draw_person(rng: Rng, tones: tuple[float, float, float] = (0.6, 0.26, 0.14)) -> Person:
    """A random person; `tones` are the shares of light, medium and dark skin (ITA above 28, 0-40, below 5, overlapping)."""
    kind = int(rng.choice(3, p=np.array(tones) / sum(tones)))
    ita = float((rng.uniform(28, 70), rng.uniform(0, 40), rng.uniform(-60, 5))[kind])
    blood = float(np.exp(rng.normal(np.log(0.011), 0.35)))
    saturation = float(rng.uniform(0.6, 0.85))
    return Person(
        ita_deg=ita,
        melanin=melanin_for_ita(ita, 0.011, 0.7),
        blood=blood,
        saturation=saturation,
        mottle=float(rng.uniform(0.10, 0.36)),
        pigment_mottle=float(rng.uniform(0.05, 0.18)),
        relief_mm=float(rng.uniform(0.025, 0.09)),
        relief_scale=float(np.exp(rng.normal(0, 0.25))),
        hair=float(rng.beta(0.7, 2.2)),
        hair_melanin=float(np.clip(rng.normal(0.55 if ita > 28 else 0.9, 0.3), 0.0, 1.0)),
        freckles=float(rng.exponential(3.0)) if rng.random() < 0.35 else 0.0,
        moles=float(rng.exponential(0.7)),
        gloss=float(rng.beta(1.3, 3.0)),
        seed=int(rng.integers(2**31)),
    )


def healthy_maps(person: Person, chart_mm: Field, mm_per_px: float) -> tuple[Field, Field]:
    """Melanin and blood fractions of healthy skin (H, W): the person's own with slow mottling and fine grain.

    Melanin and blood vary independently; contrast is about equal in every octave from pixels to decimetres, as in photographs of skin
    (field guide, section 8).
    """
    x, y = chart_mm[..., 0] + np.float32(person.seed % 997), chart_mm[..., 1] + np.float32(person.seed % 991)
    period = 500.0 * mm_per_px * 1.7  # a tile spans nearly two frames: every octave down to the pixel is present
    slow_blood = sample_at(("fractal", 1.15, 31), x, y, period, mm_per_px)
    slow_melanin = sample_at(("fractal", 1.45, 32), y, x, period * 0.77, mm_per_px)
    fine = sample_at(("fractal", 0.55, 33), x, y, period * 0.31, mm_per_px)
    blood = person.blood * np.exp(person.mottle * slow_blood + 0.4 * person.mottle * fine)
    melanin = person.melanin * np.exp(person.pigment_mottle * (slow_melanin - 0.25 * fine))
    return melanin.astype(np.float32), blood.astype(np.float32)


def micro_relief(person: Person, chart_mm: Field, mm_per_px: float, angle: float = 0.4, coarse: float = 1.0) -> Field:
    """Fine furrows of the skin surface in units of their depth (about -1 in a furrow, 0.3 on plateaus), finer than pixels averaged out."""
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    stretch = np.float32(0.72)  # polygons are longer along the tension lines
    x = (chart_mm[..., 0] * cos + chart_mm[..., 1] * sin) * stretch
    y = chart_mm[..., 1] * cos - chart_mm[..., 0] * sin
    bend = sample_at(("fractal", 1.8, 34), x, y, 90.0 * coarse, mm_per_px)
    return sample_at(("relief", 0.0, 0), x + 0.8 * bend, y - 0.8 * bend, 24.0 * person.relief_scale * coarse, mm_per_px)
