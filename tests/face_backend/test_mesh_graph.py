"""The graph gives what MediaPipe's own interface gives."""

from __future__ import annotations

import numpy as np
import pytest

from bitbox.face_backend.mesh_graph import N_POINTS, MeshGraph
from bitbox.measuring.quiet import quietly
from bitbox.synthetic.portrait import portrait

pytest.importorskip("mediapipe.python.solution_base")
pytestmark = pytest.mark.video


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    import cv2

    head = np.ascontiguousarray(portrait().image[20:220, 120:320])
    return np.asarray(cv2.resize(head, (192, 192), interpolation=cv2.INTER_AREA))


def test_a_face_is_there_and_a_blank_is_none(face: np.ndarray) -> None:
    with quietly():
        graph = MeshGraph()
    mesh, presence = graph.run(face)
    blank, absence = graph.run(np.zeros_like(face))
    again, _ = graph.run(face)
    graph.close()
    assert presence > 0.5 > absence
    assert mesh.shape == blank.shape == (N_POINTS, 3)
    np.testing.assert_array_equal(mesh, again)  # nothing is kept from frame to frame
