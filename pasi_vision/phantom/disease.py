"""Which plaques a close-up shows: sizes, numbers, places and kinds as in real photographs.

Sources: the tallies in `docs/phantoms.md` and the outlines of DermXDB (Jalaboi et al., Med Image Anal 2023;83:102647).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pasi_vision.phantom.plaques import Plaque, ScaleKind
from pasi_vision.phantom.shapes import ELLIPSE, library

Field = NDArray[np.float32]
Rng = np.random.Generator

#: Share of the frame inside dermatologists' outlines: quantiles of DermXDB (p10 8 %, p50 30 %, p90 58 %).
_SHARE = ((0.0, 0.015), (0.1, 0.08), (0.25, 0.16), (0.5, 0.30), (0.75, 0.45), (0.9, 0.58), (1.0, 0.97))


@dataclass(frozen=True)
class Style:
    """What one person's plaques have in common on one day."""

    blood_factor: float
    saturation: float
    scattering: float
    scale_kind: ScaleKind
    scale_cover: float
    height_mm: float
    border_share: float  # of the frame's width, over which redness rises
    border_variation: float
    clearing: float
    halo: float
    crease_scale: float


def draw_share(rng: Rng) -> float:
    """A share of the frame for the outlined lesions."""
    at, value = zip(*_SHARE, strict=True)
    return float(np.interp(rng.random(), at, value))


def draw_style(rng: Rng, scene: str) -> Style:
    """Redness, scale, thickness and border of one photograph's plaques, by site."""
    kinds = {
        "palm": ((0.10, 0.08, 0.10, 0.05, 0.42, 0.25, 0.0), (0.2, 0.85)),
        "sole": ((0.08, 0.08, 0.10, 0.10, 0.40, 0.24, 0.0), (0.2, 0.9)),
        "face": ((0.28, 0.46, 0.18, 0.03, 0.02, 0.03, 0.0), (0.05, 0.5)),
        "fold": ((0.80, 0.15, 0.03, 0.0, 0.02, 0.0, 0.0), (0.0, 0.15)),
        "joint": ((0.07, 0.18, 0.33, 0.34, 0.03, 0.05, 0.0), (0.25, 0.97)),
        "scalp": ((0.05, 0.35, 0.25, 0.25, 0.0, 0.10, 0.0), (0.3, 0.9)),
    }
    shares, (low, high) = kinds.get(scene, ((0.17, 0.26, 0.28, 0.16, 0.05, 0.03, 0.05), (0.05, 0.9)))
    kind = ScaleKind(int(rng.choice(7, p=np.array(shares) / sum(shares))))
    violet = rng.random() < (0.5 if scene in ("limb", "joint", "sole") else 0.27)
    return Style(
        blood_factor=1.0 + float(np.exp(rng.normal(np.log(4.2 if scene == "face" else 8.5), 0.55))),
        saturation=float(rng.uniform(0.45, 0.7) if violet else rng.uniform(0.78, 0.98)),
        scattering=float(rng.uniform(1.6, 3.2)),
        scale_kind=kind,
        scale_cover=0.0 if kind == ScaleKind.NONE else float(rng.uniform(low, high)),
        height_mm=float(rng.gamma(2.0, 0.25)) * (0.4 if scene in ("face", "fold") else 1.0),
        border_share=float(np.exp(rng.normal(np.log(0.026), 0.42)))
        * {"face": 2.2, "palm": 1.6, "sole": 1.6}.get(scene, 1.0),
        border_variation=float(rng.uniform(0.2, 0.7)),
        clearing=float(rng.uniform(0.5, 1.0)) if rng.random() < 0.06 else 0.0,
        halo=float(rng.uniform(0.15, 0.45)) if rng.random() < 0.05 else 0.0,
        crease_scale=float(rng.random()),
    )


def draw_plaques(
    rng: Rng,
    skin: tuple[Field, Field, Field],
    frame_mm: tuple[float, float],
    style: Style,
    scene: str,
    axis: float,
    skin_share: float,
) -> list[Plaque]:
    """Plaques for the skin in view.

    Args:
        skin: Addresses (N, 3) of visible skin points, their rest normals (N, 3) and their weights as a centre (N,) (all of one photograph).
        frame_mm: Width and height of the frame.
        style: What they have in common.
        scene: Kind of scene.
        axis: Direction of tension lines in the chart.
        skin_share: Share of the frame that is skin.
    """
    counts = {
        "palm": (0.14, 0.24, 0.06, 0.0, 0.56, 0.0),
        "sole": (0.08, 0.27, 0.06, 0.0, 0.59, 0.0),
        "face": (0.10, 0.27, 0.10, 0.03, 0.50, 0.0),
        "fold": (0.6, 0.2, 0.05, 0.0, 0.15, 0.0),
        "trunk": (0.15, 0.19, 0.19, 0.12, 0.13, 0.22),
    }
    chances = counts.get(scene, (0.22, 0.24, 0.20, 0.09, 0.17, 0.08))
    kind = int(rng.choice(6, p=np.array(chances) / sum(chances)))
    area = draw_share(rng) * min(1.0, 1.6 * skin_share) * frame_mm[0] * frame_mm[1]
    if scene in ("palm", "sole") and kind == 4:  # the usual picture: most of the palm or sole, often of the fingers too
        area = max(area, float(rng.uniform(0.3, 1.3)) * skin_share * frame_mm[0] * frame_mm[1])
    radii, rough, spread = _sizes(rng, kind, area, frame_mm[0])
    centres = _centres(rng, skin, radii, spread, frame_mm)
    plaques = [
        _plaque(rng, (skin[0][at], skin[1][at]), float(r), style, (frame_mm[0], axis, rough))
        for at, r in zip(centres, radii, strict=True)
    ]
    return plaques + [lobe for plaque in plaques for lobe in _lobes(rng, plaque, skin, frame_mm[0])]


def _sizes(rng: Rng, kind: int, area: float, width: float) -> tuple[Field, float, float]:
    """Radii in mm, roughness of outlines, and how far the centres spread (share of the frame).

    Kinds: one, few, several, many, confluent, a field of drops.
    """
    low = (0.0025 if kind == 5 else 0.004) * width
    if kind == 0:
        main, satellites = 1, _either(rng, 0.35, 1, 8)
        rough, spread, fill = rng.uniform(0.03, 0.14), 0.16, 0.92
    elif kind == 1:
        main, satellites = int(rng.integers(2, 6)), _either(rng, 0.5, 1, 12)
        rough, spread, fill = rng.uniform(0.03, 0.15), 0.42, 0.9
    elif kind == 2:
        main, satellites = int(rng.integers(6, 31)), int(rng.integers(0, 12))
        rough, spread, fill = rng.uniform(0.03, 0.12), 0.55, 0.95
    elif kind == 3:
        main, satellites = int(rng.integers(32, 111)), 0
        rough, spread, fill = rng.uniform(0.03, 0.12), 0.8, 0.75
    elif kind == 5:  # guttate, seen from further away: 80-450 drops, a tenth to a third of the skin among them
        main, satellites = int(np.exp(rng.uniform(np.log(80), np.log(450)))), 0
        rough, spread, fill = rng.uniform(0.03, 0.12), 1.0, rng.uniform(0.08, 0.5)
    elif rng.random() < 0.5:
        main, satellites = int(rng.integers(1, 4)), int(rng.integers(0, 10))
        rough, spread, fill = rng.uniform(0.2, 0.5), 0.3, 1.25
    else:
        main, satellites = int(rng.integers(12, 36)), int(rng.integers(0, 14))
        rough, spread, fill = rng.uniform(0.06, 0.2), 0.5, 1.5
    sigma = (0.3, 0.6, 0.75, 0.42, 0.5, 0.4)[kind]
    radii = np.exp(rng.normal(0, sigma, main))
    radii *= np.sqrt(fill * area / (np.pi * (radii**2).sum()))
    small = np.exp(rng.normal(np.log(0.016 * width), 0.6, satellites))
    return (
        np.maximum(np.concatenate([radii, np.minimum(small, radii.max())]), low).astype(np.float32),
        float(rough),
        float(spread),
    )


def _either(rng: Rng, chance: float, low: int, high: int) -> int:
    """None, or with that chance a number from `low` to below `high`."""
    many = int(rng.integers(low, high))
    return many if rng.random() < chance else 0


def _centres(
    rng: Rng, skin: tuple[Field, Field, Field], radii: Field, spread: float, frame_mm: tuple[float, float]
) -> list[int]:
    """Indices of skin points: the first near the middle, the others by weight, in clusters, seldom inside one another."""
    place, _, weight = skin
    size = float(np.hypot(*frame_mm)) / 2
    chances = weight / weight.sum()
    first = int(rng.choice(len(place), p=chances))
    hubs = [first]
    chosen: list[int] = []
    for index, radius in enumerate(radii):
        if index == 0:
            chosen.append(first)
            continue
        best, best_score = first, -np.inf
        for _ in range(4):
            if rng.random() < 0.55:
                hub = place[hubs[int(rng.integers(len(hubs)))]]
                near = np.argmin(((place - hub - rng.normal(0, spread * size * 0.5, 3)) ** 2).sum(1))
                candidate = int(near)
            else:
                candidate = int(rng.choice(len(place), p=chances))
            gaps = np.linalg.norm(place[chosen] - place[candidate], axis=1) - 0.9 * (radii[: len(chosen)] + radius)
            score = min(float(gaps.min()), 0.15 * size) + float(rng.normal(0, 0.04 * size))
            if score > best_score:
                best, best_score = candidate, score
        chosen.append(best)
        if rng.random() < 0.3:
            hubs.append(best)
    return chosen


def _plaque(
    rng: Rng, spot: tuple[Field, Field], radius: float, style: Style, frame: tuple[float, float, float]
) -> Plaque:
    width, axis, rough = frame
    place, normal = spot
    lean = axis + float(rng.normal(0, 0.3))
    tangent = np.array([np.cos(lean), np.sin(lean), 0.0])
    if abs(float(normal[2])) < 0.999:  # on a body: the same direction about the plaque's own normal
        first = np.cross(normal, (0.0, 0.0, 1.0))
        first /= max(float(np.linalg.norm(first)), 1e-6)
        tangent = np.cos(lean) * first + np.sin(lean) * np.cross(normal, first)
    big = radius > 0.03 * width
    elongation, solidity = library()[1:]
    shape = ELLIPSE if not big and rng.random() < 0.6 else int(rng.integers(len(solidity)))
    if rough > 0.18:
        shape = int(rng.integers(len(solidity))) if rng.random() < 0.5 else ELLIPSE
    drop = min(1.0, 0.55 + radius / (0.05 * width))  # small ones are thinner and less scaly
    return Plaque(
        centre_mm=(float(place[0]), float(place[1]), float(place[2])),
        normal=(float(normal[0]), float(normal[1]), float(normal[2])),
        tangent=(float(tangent[0]), float(tangent[1]), float(tangent[2])),
        radius_mm=radius,
        shape=shape,
        stretch=float(np.exp(abs(rng.normal(0, 0.28)))) if shape == ELLIPSE or elongation[shape] < 1.4 else 1.0,
        border_mm=float(min(style.border_share * width * np.exp(rng.normal(0, 0.25)), 0.8 * radius)),
        border_variation=style.border_variation,
        roughness=float(rough * np.exp(rng.normal(0, 0.2))) if big else 0.06,
        blood_factor=1.0 + (style.blood_factor - 1.0) * float(np.exp(rng.normal(0, 0.22))) * (0.75 + 0.25 * drop),
        scale_cover=float(np.clip(style.scale_cover * drop + rng.normal(0, 0.1), 0, 1)) if style.scale_kind else 0.0,
        scale_kind=style.scale_kind,
        height_mm=style.height_mm * drop * float(np.exp(rng.normal(0, 0.25))),
        clearing=style.clearing if big else 0.0,
        halo=style.halo,
        crease_scale=style.crease_scale,
        seed=int(rng.integers(2**31)),
    )


def _lobes(rng: Rng, plaque: Plaque, skin: tuple[Field, Field, Field], width: float) -> list[Plaque]:
    """Smaller ovals that have grown together with a big plaque: its edge becomes scalloped, with inward notches."""
    if plaque.radius_mm < 0.05 * width or rng.random() < 0.45:
        return []
    place = skin[0]
    away = np.linalg.norm(place - np.asarray(plaque.centre_mm, np.float32), axis=1) / plaque.radius_mm
    rim = np.flatnonzero((away > 0.65) & (away < 1.25))
    found = []
    for at in rng.choice(rim, min(len(rim), int(rng.integers(2, 8))), replace=False) if len(rim) else []:
        found.append(
            replace(
                plaque,
                centre_mm=(float(place[at][0]), float(place[at][1]), float(place[at][2])),
                normal=(float(skin[1][at][0]), float(skin[1][at][1]), float(skin[1][at][2])),
                radius_mm=plaque.radius_mm * float(rng.uniform(0.2, 0.5)),
                shape=ELLIPSE,
                stretch=float(np.exp(abs(rng.normal(0, 0.35)))),
                roughness=0.08,
                seed=int(rng.integers(2**31)),
            )
        )
    return found
