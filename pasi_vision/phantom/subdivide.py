"""Catmull-Clark subdivision of a quad mesh, once, as a sparse matrix: fine vertices = matrix @ coarse vertices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Subdivision:
    """One step of Catmull-Clark (Catmull & Clark, Computer-Aided Design 1978;10:350-355).

    Attributes:
        matrix: (fine vertices, coarse vertices); rows sum to 1, so it carries positions and skinning weights alike.
        quads: (4 x coarse quads, 4) vertex indices of the fine quads; those of coarse quad q are 4q ... 4q + 3.
        triangles: (2 x fine quads, 3); those of fine quad f are 2f and 2f + 1.
        normal_sum: (fine vertices, triangles) adds the triangles' normals at each vertex.
    """

    matrix: sparse.csr_matrix
    quads: Indices
    triangles: Indices
    normal_sum: sparse.csr_matrix


def subdivide(faces: Indices, vertices: int) -> Subdivision:
    """Subdivide (F, 4) quads over `vertices` vertices; edges with another number of faces than two stay in place (creases)."""
    count = len(faces)
    edges = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    unique, edge_of, uses = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    edge_of = edge_of.reshape(count, 4)
    number = len(unique)
    face_of = np.repeat(np.arange(count), 4)
    face_point = _sum_matrix(face_of, faces.ravel(), (count, vertices), 0.25)
    middle = _sum_matrix(np.repeat(np.arange(number), 2), unique.ravel(), (number, vertices), 0.5)
    beside = _sum_matrix(edge_of.ravel(), face_of, (number, count))
    inner = uses == 2
    edge_point = _scale(np.where(inner, 0.5, 1.0), middle) + _scale(np.where(inner, 0.25, 0.0), beside @ face_point)
    vertex_point = _vertex_points(faces, unique, inner, face_point, middle, vertices)
    quads = np.stack(
        [
            faces,
            vertices + edge_of,
            np.broadcast_to((vertices + number + np.arange(count))[:, None], (count, 4)),
            vertices + np.roll(edge_of, 1, axis=1),
        ],
        axis=-1,
    ).reshape(-1, 4)
    triangles = quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    matrix = sparse.vstack([vertex_point, edge_point, face_point]).tocsr()
    sums = _sum_matrix(triangles.ravel(), np.repeat(np.arange(len(triangles)), 3), (matrix.shape[0], len(triangles)))
    return Subdivision(matrix.astype(np.float32), quads, triangles, sums.astype(np.float32))


def subdivide_corners(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Per-corner values (F, 4, k), such as texture coordinates, on the fine quads: (4F, 4, k), linear inside a face."""
    following = (values + np.roll(values, -1, axis=1)) / 2
    centre = np.broadcast_to(values.mean(axis=1, keepdims=True), values.shape)
    fine = np.stack([values, following, centre, np.roll(following, 1, axis=1)], axis=2)
    return fine.reshape(-1, 4, values.shape[-1]).astype(np.float32)


def triangle_normals(vertices: NDArray[np.float32], triangles: Indices) -> NDArray[np.float32]:
    """Cross products (T, 3): direction outwards for counter-clockwise faces, length twice the area."""
    first = vertices[triangles[:, 0]]
    return np.asarray(np.cross(vertices[triangles[:, 1]] - first, vertices[triangles[:, 2]] - first), dtype=np.float32)


def vertex_normals(vertices: NDArray[np.float32], fine: Subdivision) -> NDArray[np.float32]:
    """Unit normals (V, 3), area-weighted over the triangles around each vertex."""
    total = fine.normal_sum @ triangle_normals(vertices, fine.triangles)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def _vertex_points(
    faces: Indices,
    edges: Indices,
    inner: NDArray[np.bool_],
    face_point: sparse.csr_matrix,
    middle: sparse.csr_matrix,
    vertices: int,
) -> sparse.csr_matrix:
    """Where the coarse vertices go: (Q + 2 R + (n - 3) P) / n inside, the cubic B-spline along a border."""
    at_face = _sum_matrix(faces.ravel(), np.repeat(np.arange(len(faces)), 4), (vertices, len(faces)))
    at_edge = _sum_matrix(edges.ravel(), np.repeat(np.arange(len(edges)), 2), (vertices, len(edges)))
    faces_around = np.maximum(np.asarray(at_face.sum(axis=1)).ravel(), 1)
    valence = np.maximum(np.asarray(at_edge.sum(axis=1)).ravel(), 1)
    border = np.zeros(vertices, dtype=bool)
    border[edges[~inner].ravel()] = True
    share = np.where(border, 0.0, 1.0 / valence)
    smooth = _scale(share / faces_around, at_face @ face_point) + _scale(2 * share / valence, at_edge @ middle)
    outer = np.flatnonzero(~inner)
    at_outer = _sum_matrix(edges[outer].ravel(), np.repeat(outer, 2), (vertices, len(edges)))
    outer_count = np.maximum(np.asarray(at_outer.sum(axis=1)).ravel(), 1)
    along = _scale(np.where(border, 0.5, 0.0) / outer_count, at_outer @ middle)
    own = sparse.diags(np.where(border, 0.5, (valence - 3) * share))
    return (smooth + along + own).tocsr()


def _sum_matrix(rows: Indices, columns: Indices, shape: tuple[int, int], value: float = 1.0) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.full(len(rows), value), (rows, columns)), shape)


def _scale(factors: NDArray[np.float64], matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    return (sparse.diags(factors) @ matrix).tocsr()
