"""Left and right exchanged, and stretches cut out."""

from __future__ import annotations

import numpy as np
import pytest

from bitbox.errors import InputError, ParameterError, SchemaError
from bitbox.readers.blendshapes import BLENDSHAPES
from bitbox.readers.livelink import ARKIT
from bitbox.readers.openpose import BODY_POINTS
from bitbox.signals import Signals
from bitbox.signals.mirror import has_sides

LOCAL = "openbitbox-local-32-skin"


def signals(names, kind="expression", schema="own", dimension=1, **more) -> Signals:
    rng = np.random.default_rng(3)
    values = np.round(rng.normal(size=(5, len(names))), 3)
    values[2, 0] = np.nan
    return Signals(
        values, np.arange(5) / 30, tuple(names), kind=kind, schema=schema, dimension=dimension,
        units=more.pop("units", "mm"), backend="test", **more,
    )  # fmt: skip


def local() -> Signals:
    from bitbox.face_backend.units import LOCAL_UNITS

    return signals([unit.name for unit in LOCAL_UNITS], schema=LOCAL)


EVERY = {
    "local": local,
    "global": lambda: signals([f"GE{i}" for i in range(79)], schema="openbitbox-global-79-skin"),
    "pose": lambda: signals(("Tx", "Ty", "Tz", "Rx", "Ry", "Rz"), "pose", "pose6"),
    "arkit": lambda: signals(ARKIT, schema="arkit-blendshapes"),
    "mediapipe": lambda: signals(BLENDSHAPES, schema="mediapipe-blendshapes"),
    "landmarks": lambda: signals(
        [f"{a}{i}" for i in range(51) for a in "xy"], "landmark", "ibug51", 2, units="px"
    ),
    "landmarks-3d": lambda: signals(
        [f"{a}{i}" for i in range(51) for a in "xyz"], "landmark-can", "ibug51", 3
    ),
    "body": lambda: signals(
        [f"{name}_{a}" for name in BODY_POINTS[25] for a in "xy"], "body", "openpose-25"
    ),
    "words": lambda: signals(("smile_left", "smile_right", "leftBrowUp", "rightBrowUp", "jaw")),
    "one side": lambda: signals(("smile_left", "frown_left", "frown_right")),
    "action units": lambda: signals(("AU01", "AU12_r"), schema="openface-au"),
    "rectangle": lambda: signals(("x", "y", "w", "h"), "rectangle", "rectangle", units="px"),
}


@pytest.mark.parametrize("which", EVERY)
def test_mirrored_twice_is_as_before(which: str) -> None:
    before = EVERY[which]()
    after = before.mirrored()
    assert after.provenance["mirrored"] is True
    assert set(after.names) == set(before.names) or which == "one side"
    np.testing.assert_allclose(after.mirrored().values, before.values, atol=1e-12)
    assert after.mirrored().replace(values=before.values) == before
    assert has_sides(before) is (which != "action units")


def test_sides_are_exchanged_by_name() -> None:
    before = local()
    after = before.mirrored()
    partners = {
        "lb_draw_in": "rb_draw_in",
        "re_cheek_raise": "le_cheek_raise",
        "ll_left_corner_out": "ll_right_corner_out",
        "no_right_wing_raise": "no_left_wing_raise",
        "ll_jaw_drop": "ll_jaw_drop",
        "ul_raise": "ul_raise",
    }
    for name, other in partners.items():
        mine, its = after.select([name]), before.select([other])
        np.testing.assert_array_equal(mine.values, its.values)
    shapes = EVERY["mediapipe"]()
    for name, other in (("jawLeft", "jawRight"), ("eyeBlinkLeft", "eyeBlinkRight")):
        np.testing.assert_array_equal(
            shapes.mirrored().select([name]).values, shapes.select([other]).values
        )


def test_one_side_alone_gets_the_other_name() -> None:
    assert signals(("smile_left", "jaw")).mirrored().names == ("smile_right", "jaw")
    assert signals(("AU12L", "AU6R")).mirrored().names == ("AU12R", "AU6L")


def test_words_that_hold_left_or_right_have_no_side() -> None:
    before = signals(("smile_left", "brightness", "cleft", "leftover"))
    assert before.mirrored().names == ("smile_right", "brightness", "cleft", "leftover")


def test_angles_and_shifts_across_change_sign() -> None:
    before = EVERY["pose"]()
    signs = [-1, 1, 1, 1, -1, -1]
    np.testing.assert_array_equal(before.mirrored().values, before.values * signs)


def test_landmarks_are_reflected_and_numbered_anew() -> None:
    before = EVERY["landmarks"]().replace(provenance={"source": {"size": [640, 360]}})
    after = before.mirrored()
    # iBUG 36 and 45 are the outer corners of the eyes, 48 and 54 those of the mouth
    for mine, other in ((36, 45), (48, 54), (17, 26), (40, 47), (60, 64), (67, 65), (30, 30)):
        x, y = after.select([f"x{mine - 17}", f"y{mine - 17}"]).values.T
        x_before, y_before = before.select([f"x{other - 17}", f"y{other - 17}"]).values.T
        np.testing.assert_allclose(x, 640 - x_before)
        np.testing.assert_array_equal(y, y_before)


def test_landmarks_on_the_reference_face_are_symmetric() -> None:
    """The table of landmarks is that of the face: mirrored, it stays where it was."""
    from bitbox.face_backend.geometry import landmarks_3d, reference_face

    values = landmarks_3d(np.zeros((1, *reference_face().shape)))
    names = tuple(f"{a}{i}" for i in range(51) for a in "xyz")
    still = Signals(
        values, [0.0], names, kind="landmark-can", schema="ibug51", units="mm", dimension=3,
        backend="test",
    )  # fmt: skip
    np.testing.assert_allclose(still.mirrored().values, values, atol=2.0)


def test_global_units_follow_the_symmetry_of_the_face() -> None:
    from bitbox.face_backend.geometry import N_VERTICES, mirror_vertices
    from bitbox.face_backend.units import GLOBAL_UNIT_NAMES, global_units

    deformation = np.random.default_rng(1).normal(size=(5, N_VERTICES, 3))
    flipped = deformation[:, mirror_vertices()] * [-1.0, 1.0, 1.0]
    before = signals(GLOBAL_UNIT_NAMES, schema="openbitbox-global-79-skin")
    before = before.replace(values=global_units(deformation))
    np.testing.assert_allclose(before.mirrored().values, global_units(flipped), atol=1e-9)


def test_unknown_sides_are_refused() -> None:
    for strange in (
        signals(("s00", "s01")),
        signals([f"GE{i}" for i in range(79)], schema="3DI-global-79"),
        signals(("lb0", "rb0", "smile_left"), schema="3DI-local-32"),
        signals(("x0", "y0"), "landmark", "other", 2),
        signals(("Tx", "lean"), "pose"),
    ):
        assert not has_sides(strange)
        with pytest.raises(SchemaError, match="left and which are right"):
            strange.mirrored()


def test_a_stretch_keeps_its_clock() -> None:
    whole = signals(("jaw_left",), confidence=np.linspace(0, 1, 5))
    part = whole.between(1 / 30, 0.1)
    np.testing.assert_array_equal(part.time, whole.time[1:4])
    np.testing.assert_array_equal(part.values, whole.values[1:4])
    np.testing.assert_array_equal(part.confidence, whole.confidence[1:4])
    assert whole.between() is whole
    assert whole.between(end=0.05).n_frames == 2
    with pytest.raises(ParameterError, match="before its end"):
        whole.between(3, 2)
    with pytest.raises(InputError, match=r"within 0\.00 to 0\.13 s"):
        whole.between(3, 4)
