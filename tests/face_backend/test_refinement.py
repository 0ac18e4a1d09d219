"""Textures of a face that are displaced by a known amount, and meshes moved back by it."""

from __future__ import annotations

import numpy as np
import pytest

from bitbox.face_backend import face_chart
from bitbox.face_backend.geometry import mirror_vertices
from bitbox.face_backend.refinement import FaceSpool, laid_flat, refined
from bitbox.face_backend.visibility import LEAST_VISIBLE, REGIONS
from bitbox.system.blas import one_blas_thread
from bitbox.video.picture import Picture

cv2 = pytest.importorskip("cv2")

PIXELS = 2.0  # a millimetre of the reference face in the image
N = 40


def skin(seed: int = 0) -> np.ndarray:
    """Return an RGB image with texture everywhere."""
    noise = np.random.default_rng(seed).normal(size=(480, 480)).astype(np.float32)
    image = sum(size * cv2.GaussianBlur(noise, (0, 0), size) for size in (2.0, 5.0, 10.0))
    image = np.clip(128 + 40 * image / image.std(), 0, 255).astype(np.uint8)
    return np.repeat(image[..., None], 3, axis=2)


def still_mesh() -> np.ndarray:
    mesh = np.zeros((478, 3), np.float32)
    mesh[:468] = PIXELS * face_chart.facing() + [240, 220, 0]
    return mesh


def wrong_meshes() -> tuple[np.ndarray, np.ndarray]:
    """Return meshes that move though the picture does not, and by how many pixels."""
    rng = np.random.default_rng(1)
    amounts = rng.normal(size=(N, 10))
    amounts[: N // 2] *= 0.1  # the face is mostly at rest
    error = PIXELS * np.tensordot(amounts, face_chart.modes()[6:16], axes=1)
    meshes = np.repeat(still_mesh()[None], N, axis=0)
    meshes[:, :468, :2] += error
    return meshes, np.asarray(error)


def spooled(images: list[np.ndarray], meshes: np.ndarray) -> np.ndarray:
    return seen(images, meshes)[0]


def seen(images: list[np.ndarray], meshes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the refined meshes, and how surely each region is seen."""
    with FaceSpool(478) as spool:
        for image, mesh in zip(images, meshes, strict=True):
            spool.append(Picture.of(image), mesh)
        found, visible = spool.refined()
        return np.array(found), visible


def remaining(meshes: np.ndarray) -> np.ndarray:
    """Return how far vertices in front are from where they are in most frames, in pixels."""
    in_front = face_chart.facing()[:, 2] < 20
    moved = meshes[:, :468, :2] - np.median(meshes[:, :468, :2], axis=0)
    return np.asarray(np.linalg.norm(moved[:, in_front], axis=2))


def test_pixels_of_the_chart_are_mixtures_of_vertices() -> None:
    chart = face_chart.chart()
    assert chart.mixture.shape == (chart.inside.sum(), 468)
    np.testing.assert_allclose(chart.mixture.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(chart.nodes.sum(axis=1), 1, atol=1e-5)


def test_slopes_of_a_plane_are_its_slopes() -> None:
    flat = face_chart.facing()[:, :2]
    found = (face_chart.slopes() @ (flat @ [2.0, -3.0])).reshape(2, 468)
    seen = np.abs(found).max(axis=0) > 0
    np.testing.assert_allclose(found[:, seen].T, np.tile([2.0, -3.0], (seen.sum(), 1)), atol=1e-6)


def test_a_mesh_is_moved_to_where_the_picture_shows_it() -> None:
    meshes, _ = wrong_meshes()
    before = remaining(meshes)
    after = remaining(spooled([skin()] * N, meshes))
    assert np.sqrt((after**2).mean()) < 0.35 * np.sqrt((before**2).mean())


def test_light_makes_no_difference() -> None:
    meshes, _ = wrong_meshes()
    image = skin()
    dimmed = [(image * share).astype(np.uint8) for share in np.linspace(1, 0.5, N)]
    after = remaining(spooled(dimmed, meshes))
    assert np.sqrt((after**2).mean()) < 0.4 * np.sqrt((remaining(meshes) ** 2).mean())


def test_a_picture_of_something_else_moves_nothing_far() -> None:
    """One frame shows another texture: where nothing matches, the mesh stays about as it was."""
    meshes = np.repeat(still_mesh()[None], N, axis=0)
    images = [skin()] * (N - 1) + [skin(seed=7)]
    moved = np.linalg.norm((spooled(images, meshes) - meshes)[:, :468, :2], axis=2)
    assert np.median(moved[:-1]) < 0.05 * PIXELS
    assert np.median(moved[-1]) < 1.0 * PIXELS
    assert moved.max() <= 10.0 * PIXELS * 1.5


def test_what_comes_before_a_region_hides_it_and_no_other() -> None:
    meshes, _ = wrong_meshes()
    hand = skin()
    hand[265:] = skin(seed=7)[265:]  # from between the nose and the mouth on
    covered = np.arange(N) % 4 == 1
    _, visible = seen([hand if hide else skin() for hide in covered], meshes)
    lips = [REGIONS.index("upper lip"), REGIONS.index("lower lip")]
    brows_and_eyes = [n for n, region in enumerate(REGIONS) if "brow" in region or "eye" in region]
    assert (visible[covered][:, lips] < LEAST_VISIBLE).all()
    assert (visible[covered][:, brows_and_eyes] > LEAST_VISIBLE).all()
    assert (visible[~covered] > LEAST_VISIBLE).all()


def test_lost_frames_stay_lost_and_others_do_not_depend_on_when_they_come() -> None:
    meshes, _ = wrong_meshes()
    textures = np.stack([laid_flat(Picture.of(skin()), mesh) for mesh in meshes])
    lost = meshes.copy()
    lost[[0, 5]] = np.nan
    # As recordings are measured: shared out among threads, sums depend on who is summed with whom,
    # and OpenCV's places, which are multiples of 1/32 pixel, make more of it, most where the face
    # ends and there is little to see.
    with one_blas_thread():
        found, visible = refined(lost, textures)
        forwards, _ = refined(meshes, textures)
        backwards, _ = refined(meshes[::-1], textures[::-1])
    assert np.isnan(visible[[0, 5]]).all()
    assert np.isfinite(np.delete(visible, [0, 5], axis=0)).all()
    assert np.isnan(found[[0, 5]]).all()
    assert np.isfinite(np.delete(found, [0, 5], axis=0)).all()
    away = np.abs(backwards[::-1] - forwards)
    assert np.quantile(away, 0.999) < 0.05
    assert away.max() < 0.3


def test_a_face_partly_outside_the_picture_is_laid_flat() -> None:
    mesh = still_mesh()
    mesh[:, 0] -= 300
    assert laid_flat(Picture.of(skin()), mesh).shape == (face_chart.chart().inside.sum(),)


def test_a_recording_without_a_face_is_left_alone() -> None:
    meshes = np.full((3, 478, 3), np.nan, np.float32)
    assert np.isnan(spooled([skin()] * 3, meshes)).all()


def test_the_modes_are_what_the_mesh_gets_wrong() -> None:
    from tools.learn_texture_modes import texture_modes

    random = np.random.default_rng(2)
    smiles = np.zeros((200, 468, 2))
    smiles[:, [61, 291], 1] = random.normal(0, 3, (200, 1))  # both corners of the mouth together
    flat = smiles.reshape(200, -1)
    found = texture_modes(flat.T @ flat / 200)
    assert found.shape == face_chart.modes().shape == (face_chart.N_MODES, 468, 2)
    assert found.dtype == face_chart.modes().dtype == np.float32
    first = found[0] * np.sign(found[0, 61, 1])
    # its likely amplitude is that of what was wrong
    assert first[[61, 291], 1] == pytest.approx(smiles[:, 61, 1].std(), rel=0.1)
    assert np.abs(np.delete(first, [61, 291], axis=0)).max() < 0.5


def test_the_modes_are_the_same_on_both_sides() -> None:
    flat = face_chart.modes().reshape(face_chart.N_MODES, -1)
    twin = face_chart.modes()[:, mirror_vertices()] * [-1, 1]
    flat_twin = twin.reshape(face_chart.N_MODES, -1)
    spread, mirrored = flat.T @ flat, flat_twin.T @ flat_twin
    np.testing.assert_allclose(mirrored, spread, atol=0.02 * spread.max())
