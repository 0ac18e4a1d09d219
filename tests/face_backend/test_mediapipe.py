"""Face tracking on small scenes made of one portrait, where it is known who is where."""

import subprocess
import sys

import numpy as np
import pytest

from bitbox.errors import BackendError, ParameterError, VideoError
from bitbox.face_backend.mediapipe import track_mesh
from bitbox.face_backend.mesh_graph import coordinates
from bitbox.measuring.quiet import quietly
from bitbox.video import write_video

pytestmark = pytest.mark.video
WIDTH, HEIGHT = 640, 360


def background(seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 120, (HEIGHT // 40, WIDTH // 40, 3)).astype(float)
    return np.kron(coarse, np.ones((40, 40, 1)))


def paste(image, head, x, scale=1.0):
    """Put a head, cut out as an ellipse, into the image with its middle at x."""
    from skimage.transform import resize

    size = (round(head.shape[0] * scale), round(head.shape[1] * scale))
    head = resize(head, size, anti_aliasing=scale < 1) if scale != 1 else head
    rows, columns = np.mgrid[-1 : 1 : size[0] * 1j, -1 : 1 : size[1] * 1j]
    alpha = np.clip((1 - (columns / 0.76) ** 2 - (rows / 0.94) ** 2) * 8, 0, 1)[..., None]
    left, top = round(x - size[1] / 2), (HEIGHT - size[0]) // 2
    a, b = max(0, -left), min(size[1], WIDTH - left)
    if a < b:
        part = image[top : top + size[0], left + a : left + b]
        part += alpha[:, a:b] * (head[:, a:b] - part)


def film(path, scenes):
    """Write a film; each scene is a list of (head, x, scale), or its own image."""
    images = []
    for scene in scenes:
        image = background()
        for head, x, scale in scene:
            paste(image, head, x, scale)
        images.append(image.clip(0, 255).astype(np.uint8))
    return write_video(path, images, 30)


def middle(track):
    return track.mesh[:, :468, 0].mean(axis=1)


def codes(track):
    return {finding.code for finding in track.findings}


def test_one_face(tmp_path, heads):
    path = film(tmp_path / "one.mp4", [[(heads[0], 250 + 2 * i, 1.0)] for i in range(20)])
    calls = []
    track = track_mesh(path, progress=lambda *call: calls.append(call))
    assert track.mesh.shape == (20, 478, 3)
    assert track.size == (WIDTH, HEIGHT)
    np.testing.assert_allclose(track.time, np.arange(20) / 30, atol=1e-3)
    np.testing.assert_allclose(np.diff(middle(track)), 2.0, atol=1.0)
    assert (track.confidence > 0.9).all()
    assert (track.n_faces == 1).all()
    assert track.findings == ()
    assert "mediapipe" in track.runtime
    assert len(calls) == 20
    assert calls[-1][1] == 20
    assert path.name in calls[0][0]


def test_the_same_film_gives_the_same_numbers(tmp_path, heads):
    path = film(tmp_path / "one.mp4", [[(heads[0], 250 + 2 * i, 1.0)] for i in range(10)])
    np.testing.assert_array_equal(track_mesh(path).mesh, track_mesh(path).mesh)


@pytest.mark.parametrize(
    ("face", "x"), [("left", 170), ("right", 470), ("largest", 470), (0, 170), (1, 470)]
)
def test_split_screen(tmp_path, heads, face, x):
    scene = [(heads[0], 170, 1.0), (heads[1], 470, 1.2)]
    track = track_mesh(film(tmp_path / "split.mp4", [scene] * 8), face=face)
    np.testing.assert_allclose(middle(track), x, atol=25)
    assert (track.n_faces == 2).all()
    assert codes(track) == {"several-faces"}


@pytest.mark.parametrize("in_front", [True, False])
def test_people_who_cross(tmp_path, heads, in_front):
    ann, bob = heads
    where = np.array([110 + 7 * i for i in range(60)])
    scenes = [
        [(bob, 640 - x, 1.0), (ann, x, 1.0)][:: 1 if in_front else -1] for x in where.tolist()
    ]
    track = track_mesh(film(tmp_path / "cross.mp4", scenes), face="left")
    found = middle(track)
    apart = np.abs(640 - 2 * where) > 130
    np.testing.assert_allclose(found[apart], where[apart], atol=30)
    if in_front:
        np.testing.assert_allclose(found, where, atol=30)
    else:
        hidden = np.abs(640 - 2 * where) < 40
        assert np.isnan(found[hidden]).all()
        assert (track.confidence[np.isnan(found)] == 0).all()
        assert "face-lost" in codes(track)


def test_who_leaves_is_missing_and_is_found_on_return(tmp_path, heads):
    ann, bob = heads
    x = np.r_[np.full(10, 150), 150 - 20 * np.arange(15), np.full(15, -150), np.full(10, 170)]
    scenes = [[(bob, 480, 1.0), (ann, float(position), 1.0)] for position in x]
    track = track_mesh(film(tmp_path / "leave.mp4", scenes), face="left")
    found = middle(track)
    np.testing.assert_allclose(found[:10], 150, atol=25)
    assert np.isnan(found[x < -60]).all()
    np.testing.assert_allclose(found[-9:], 170, atol=25)
    assert np.nanmax(found) < 300  # never the other one


def test_a_cut_is_seen_and_the_person_found_again(tmp_path, heads):
    ann, bob = heads
    scenes = [[(ann, 170, 1.0), (bob, 470, 1.0)]] * 10 + [[(bob, 150, 1.0), (ann, 480, 1.0)]] * 10
    images = []
    for number, scene in enumerate(scenes):
        image = background() if number < 10 else 255 - background(1)
        for head, x, scale in scene:
            paste(image, head, x, scale)
        images.append(image.clip(0, 255).astype(np.uint8))
    track = track_mesh(write_video(tmp_path / "cut.mp4", images, 30), face="left")
    found = middle(track)
    np.testing.assert_allclose(found[:10], 170, atol=25)
    np.testing.assert_allclose(found[10:], 480, atol=25)
    assert "cuts" in codes(track)


def test_a_tiny_face_is_followed_with_a_warning(tmp_path, heads):
    path = film(tmp_path / "tiny.mp4", [[(heads[0], 200 + i, 0.3)] for i in range(10)])
    track = track_mesh(path)
    np.testing.assert_allclose(middle(track), 200 + np.arange(10), atol=10)
    assert codes(track) == {"small-face"}


def test_no_face_is_an_error(tmp_path):
    path = film(tmp_path / "none.mp4", [[]] * 3)
    with pytest.raises(VideoError, match=r"No face is seen in any of the 3 frames of .*none\.mp4"):
        track_mesh(path)


def test_too_few_faces_for_a_number_is_an_error(tmp_path, heads):
    path = film(tmp_path / "one.mp4", [[(heads[0], 300, 1.0)]] * 3)
    with pytest.raises(VideoError, match="Face number 3"):
        track_mesh(path, face=3)


def test_a_wrong_choice_is_refused_before_the_video_is_read(tmp_path):
    with pytest.raises(ParameterError):
        track_mesh(tmp_path / "missing.mp4", face="middle")


def test_nothing_is_written_to_the_users_terminal(tmp_path, heads):
    path = film(tmp_path / "one.mp4", [[(heads[0], 300, 1.0)]] * 3)
    code = f"from bitbox.face_backend.mediapipe import track_mesh; track_mesh({str(path)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stderr == ""
    assert done.stdout == ""


def test_quiet_passes_on_what_is_not_chatter(capfd):
    import os

    with quietly():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nsomething serious\n")
    assert capfd.readouterr().err == "something serious\n"


def test_without_mediapipe_the_error_says_what_to_install(tmp_path, heads, monkeypatch):
    pytest.importorskip("mediapipe.python")  # not in MediaPipe for Python 3.13
    path = film(tmp_path / "one.mp4", [[(heads[0], 300, 1.0)]] * 2)
    monkeypatch.setitem(sys.modules, "mediapipe.framework", None)
    with pytest.raises(BackendError, match=r"openbitbox\[video\]"):
        track_mesh(path)


def test_two_videos_at_once_give_the_same_as_one_after_the_other(tmp_path, heads):
    from concurrent.futures import ThreadPoolExecutor

    paths = [
        film(tmp_path / f"{number}.mp4", [[(head, 250 + 3 * i, 1.0)] for i in range(25)])
        for number, head in enumerate(heads)
    ]
    alone = [track_mesh(path).mesh for path in paths]
    with ThreadPoolExecutor(2) as pool:
        together = [track.mesh for track in pool.map(track_mesh, paths)]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_points_are_read_the_same_at_once_and_one_by_one():
    pytest.importorskip("mediapipe.framework")  # not in MediaPipe for Python 3.13
    from mediapipe.framework.formats import landmark_pb2

    values = np.random.default_rng(0).normal(size=(478, 3)).astype(np.float32)
    values[3] = 0
    plain = landmark_pb2.NormalizedLandmarkList()
    more = landmark_pb2.NormalizedLandmarkList()
    for x, y, z in values.tolist():
        plain.landmark.add(x=x, y=y, z=z)
        more.landmark.add(x=x, y=y, z=z, visibility=0.5)  # not what is expected
    np.testing.assert_array_equal(coordinates(plain.SerializeToString()), values)
    np.testing.assert_array_equal(coordinates(more.SerializeToString()), values)


def test_stored_planes_and_whole_images_give_the_same_mesh(tmp_path, heads, monkeypatch):
    scenes = [[(heads[0], 250 + 2 * i, 1.0)] for i in range(20)]
    path = film(tmp_path / "one.mp4", scenes)
    planes = track_mesh(path)
    monkeypatch.setattr("bitbox.video.picture._stored", lambda *_: None)
    whole = track_mesh(path)
    eyes = np.linalg.norm(whole.mesh[0, 33, :2] - whole.mesh[0, 263, :2])
    away = np.linalg.norm(planes.mesh - whole.mesh, axis=2)
    assert away.mean() < 0.01 * eyes
    np.testing.assert_array_equal(planes.n_faces, whole.n_faces)
    np.testing.assert_allclose(planes.confidence, whole.confidence, atol=0.01)
