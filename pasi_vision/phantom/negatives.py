"""Other dermatoses, drawn by the lesion engine but never a lesion: vitiligo, ringworm, eczema, acne, versicolor, bruises."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.plaques import Plaque, ScaleKind
from pasi_vision.phantom.shapes import ELLIPSE, library

Field = NDArray[np.float32]
Rng = np.random.Generator

KINDS = ("vitiligo", "ringworm", "eczema", "acne", "versicolor", "bruise")
_SHARES = (0.22, 0.14, 0.16, 0.2, 0.13, 0.15)


def draw_negative(rng: Rng, skin: tuple[Field, Field, Field], width_mm: float, axis: float) -> tuple[str, list[Plaque]]:
    """The name of a dermatosis and its spots, all marked as not psoriasis.

    Args:
        skin: Addresses, rest normals and weights of visible skin points, as for `disease.draw_plaques`.
        width_mm: Width of the frame.
        axis: Direction of skin tension lines.
    """
    kind = KINDS[int(rng.choice(len(KINDS), p=np.array(_SHARES) / sum(_SHARES)))]
    count = {
        "vitiligo": (1, 9),
        "ringworm": (1, 4),
        "eczema": (1, 5),
        "acne": (8, 70),
        "versicolor": (30, 120),
        "bruise": (1, 4),
    }[kind]
    places = rng.choice(len(skin[0]), min(len(skin[0]), int(rng.integers(*count))), p=skin[2] / skin[2].sum())
    return kind, [_spot(rng, kind, (skin[0][at], skin[1][at]), width_mm, axis) for at in places]


def _spot(rng: Rng, kind: str, spot: tuple[Field, Field], width: float, axis: float) -> Plaque:
    lean = axis + float(rng.normal(0, 0.3))
    irregular = int(rng.integers(len(library()[1])))

    def size(share: float, spread: float) -> float:
        return float(np.exp(rng.normal(np.log(share), spread))) * width

    looks: dict[str, dict[str, object]] = {
        "vitiligo": {
            "radius_mm": size(0.09, 0.7),
            "shape": irregular,
            "roughness": 0.1,
            "border_mm": 0.006 * width,
            "mark": float(rng.uniform(-0.97, -0.7)),
        },
        "ringworm": {
            "radius_mm": size(0.11, 0.4),
            "border_mm": 0.012 * width,
            "clearing": 1.0,
            "blood_factor": float(rng.uniform(2, 3.5)),
            "scale_cover": 0.35,
            "scale_kind": ScaleKind.COLLARETTE,
            "height_mm": 0.3,
        },
        "eczema": {
            "radius_mm": size(0.17, 0.4),
            "roughness": 0.35,
            "border_mm": 0.16 * width,
            "border_variation": 0.3,
            "blood_factor": float(rng.uniform(1.5, 2.6)),
            "scale_cover": float(rng.uniform(0, 0.15)),
            "scale_kind": ScaleKind.DUST,
        },
        "acne": {
            "radius_mm": float(np.exp(rng.normal(0.5, 0.4))),
            "border_mm": 1.5,
            "blood_factor": float(rng.uniform(1.8, 4)),
            "height_mm": float(rng.uniform(0.3, 1.2)),
        },
        "versicolor": {
            "radius_mm": size(0.016, 0.5),
            "stretch": 1.3,
            "border_mm": 0.006 * width,
            "mark": float(rng.choice([-0.45, 0.5])) * float(rng.uniform(0.6, 1.2)),
        },
        "bruise": {
            "radius_mm": size(0.09, 0.4),
            "shape": irregular,
            "roughness": 0.25,
            "border_mm": 0.05 * width,
            "blood_factor": float(rng.uniform(1.6, 3)),
            "mark": 0.5,
        },
    }
    plain: dict[str, object] = {
        "blood_factor": 1.0,
        "scale_cover": 0.0,
        "scale_kind": ScaleKind.NONE,
        "height_mm": 0.0,
        "shape": ELLIPSE,
    }
    place, normal = spot
    return Plaque(
        centre_mm=(float(place[0]), float(place[1]), float(place[2])),
        normal=(float(normal[0]), float(normal[1]), float(normal[2])),
        tangent=(float(np.cos(lean)), float(np.sin(lean)), 0.3),
        other=True,
        seed=int(rng.integers(2**31)),
        **(plain | looks[kind]),  # type: ignore[arg-type]
    )
