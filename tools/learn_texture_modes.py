"""Learn from rendered people what the tracked mesh gets wrong, which the fit of the texture mends.

Run as ``python -m tools.learn_texture_modes FOLDER``, with the films of calibration people that
`validation/humans` makes in FOLDER; those that are committed were learnt from the films of
``--parts 1``. It writes ``texture_modes.npy`` into ``src/bitbox/face_backend/data``: displacements
along the face, shape (120, 468, 2), in millimetres, as float32. These are the principal components
of the covariance of the mesh's error, over all frames of all people and their mirror images; each
is scaled to its standard deviation, so that every mode is likely to be about 1.

The mesh errs by habit: it knows movements only together that skin makes apart, and it slips in the
same ways whenever a head turns. What it has never got wrong is not likely to be wrong, and is left
alone unless the picture insists. To what was learnt a little of anything that is smooth along the
skin is added, since rendered people do not do all that people do.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend.face_chart import N_MODES, slopes
from bitbox.face_backend.geometry import N_VERTICES, mirror_vertices, rotation_matrix
from bitbox.face_backend.units import vertex_distances

FloatArray = NDArray[np.float64]

DATA = Path(__file__).parents[1] / "src" / "bitbox" / "face_backend" / "data"
#: Standard deviation in millimetres of what is smooth besides, and how far smoothness reaches. On
#: development people it costs nothing.
SMOOTH, REACH = 0.3, 10.0
#: Millimetres that a vertex is wrong at most, and how squarely it has to be seen, as a share of
#: the one seen best: along the edge of a face a small error is a long way on the skin.
_FURTHEST, _SQUARELY = 10.0, 0.15


def wrong(film: Mapping[str, Any]) -> FloatArray:
    """Return what the mesh gets wrong along the face, (frames, 468, 2), millimetres.

    About its median over the film: where a vertex sits on a person's skin is no error.

    Parameters
    ----------
    film : mapping
        What ``python -m validation.humans`` writes for a film.
    """
    skin = film["point_neutral"] + np.tensordot(film["drives"], film["point_basis"], axes=1)
    pose, size = film["pose"], film["size"]
    placed = skin @ rotation_matrix(pose[:, 3:]).swapaxes(1, 2) + pose[:, None, :3]
    focal = size[1] / 2 / np.tan(np.radians(float(film["vertical_fov"])) / 2)
    true = placed[..., :2] * focal / placed[..., 2:] + size / 2
    mesh = film["mesh_raw"][:, :N_VERTICES].astype(np.float64)
    seen = np.isfinite(mesh).all(axis=(1, 2))
    mesh, away = mesh[seen], true[seen] - mesh[seen, :, :2]
    away -= np.median(away, axis=0)
    by_vertex = mesh.transpose(1, 0, 2).reshape(N_VERTICES, -1)
    slope = (slopes() @ by_vertex).reshape(2, N_VERTICES, len(mesh), 3)
    along = np.stack([slope[0, ..., :2], slope[1, ..., :2]], axis=-1).swapaxes(0, 1)
    area = np.abs(np.linalg.det(along))
    found = np.einsum("tvij,tvj->tvi", np.linalg.pinv(along), away)
    length = np.linalg.norm(found, axis=2, keepdims=True)
    found *= np.minimum(1, _FURTHEST / np.maximum(length, 1e-6))
    found[area < _SQUARELY * np.median(area, axis=0).max()] = 0
    return np.asarray(found)


def texture_modes(every: FloatArray) -> NDArray[np.float32]:
    """Return the modes (120, 468, 2) from a covariance of errors, (936, 936)."""
    near = SMOOTH**2 * np.exp(-0.5 * (vertex_distances() / REACH) ** 2)
    covariance = every.reshape(N_VERTICES, 2, N_VERTICES, 2).copy()
    covariance[:, 0, :, 0] += near
    covariance[:, 1, :, 1] += near
    variance, vectors = np.linalg.eigh(covariance.reshape(2 * N_VERTICES, -1))
    found = vectors[:, ::-1][:, :N_MODES] * np.sqrt(variance[::-1][:N_MODES])
    return np.asarray(found.T.reshape(N_MODES, N_VERTICES, 2), dtype=np.float32)


def main() -> None:
    """Learn, and write the modes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="where the measurements of people are kept")
    total, frames = np.zeros((2 * N_VERTICES, 2 * N_VERTICES)), 0
    for path in sorted(parser.parse_args().folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as film:
            errors = wrong(film)
        for one in (errors, errors[:, mirror_vertices()] * [-1, 1]):
            flat = one.reshape(len(one), -1)
            total += flat.T @ flat
            frames += len(flat)
    np.save(DATA / "texture_modes.npy", texture_modes(total / frames))


if __name__ == "__main__":
    main()
