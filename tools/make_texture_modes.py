"""Compute the displacements that are looked for on the face laid flat, which bitbox ships as data.

Run as ``python -m tools.make_texture_modes``. It writes ``texture_modes.npy`` into
``src/bitbox/face_backend/data``: what the mesh is likely to get wrong, shape (120, 468, 2), in
millimetres, as float32. These are the principal components of a covariance in which each of the 32
movements of the local units, anything that is smooth along the skin, and shifts and shears of the
whole face occur; each is scaled to its standard deviation, so that the likely amplitude of every
mode is 1.

The result is committed, so that it is the same for everybody, and nobody waits for it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend.face_chart import N_MODES, facing
from bitbox.face_backend.geometry import N_VERTICES
from bitbox.face_backend.units import unit_movements, vertex_distances

DATA = Path(__file__).parents[1] / "src" / "bitbox" / "face_backend" / "data"
#: Standard deviations: millimetres of each of the 32 movements, of anything smooth, and of shifts
#: and shears of the whole face; and how far smoothness reaches.
MOVEMENT, SMOOTH, WHOLE, REACH = 2.0, 1.5, 1.0, 10.0


def texture_modes() -> NDArray[np.float32]:
    """Return the modes, shape (120, 468, 2)."""
    smooth = SMOOTH**2 * np.exp(-0.5 * (vertex_distances() / REACH) ** 2)
    covariance = np.zeros((N_VERTICES, 2, N_VERTICES, 2))
    covariance[:, 0, :, 0] = covariance[:, 1, :, 1] = smooth
    flat = covariance.reshape(2 * N_VERTICES, 2 * N_VERTICES)
    known = MOVEMENT * unit_movements()[:, :, :2].reshape(-1, 2 * N_VERTICES)
    flat += known.T @ known
    courses = np.column_stack([np.ones(N_VERTICES), facing()[:, :2] / 60])
    whole = WHOLE * np.einsum("vk,cd->kcvd", courses, np.eye(2)).reshape(6, -1)
    flat += whole.T @ whole
    variance, vectors = np.linalg.eigh(flat)
    found = vectors[:, ::-1][:, :N_MODES] * np.sqrt(variance[::-1][:N_MODES])
    return np.asarray(found.T.reshape(N_MODES, N_VERTICES, 2), dtype=np.float32)


if __name__ == "__main__":
    np.save(DATA / "texture_modes.npy", texture_modes())
