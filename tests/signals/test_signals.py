"""Signals: what is accepted, what is refused and how, and that saving loses nothing."""

from __future__ import annotations

import pickle
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bitbox.errors import InputError, OutputError, ParameterError, SchemaError
from bitbox.signals import Signals


def make(values=None, time=None, names=None, **changes) -> Signals:
    values = np.arange(12.0).reshape(4, 3) if values is None else values
    time = np.arange(len(values)) / 30 if time is None else time
    names = ("a", "b", "c")[: np.shape(values)[1]] if names is None else names
    arguments = {"kind": "expression", "schema": "test", "units": "mm", "backend": "test"}
    return Signals(values, time, names, **(arguments | changes))


def landmarks(dimension: int = 2, n: int = 2, kind: str = "landmark") -> Signals:
    names = [f"{axis}{i}" for i in range(n) for axis in "xyz"[:dimension]]
    values = np.random.default_rng(0).normal(size=(5, len(names)))
    return make(values, names=names, kind=kind, dimension=dimension, schema="ibug51")


class TestConstruction:
    def test_arrays_are_own_and_locked(self) -> None:
        values = np.ones((4, 3))
        signals = make(values)
        values[:] = 7
        assert (signals.values == 1).all()
        with pytest.raises(ValueError, match="read-only"):
            signals.values[0, 0] = 3
        with pytest.raises(AttributeError):
            signals.kind = "pose"  # type: ignore[misc]

    @pytest.mark.parametrize("dtype", [np.float32, np.int16, bool, object])
    def test_numbers_of_any_type_become_float64(self, dtype) -> None:
        assert make(np.ones((4, 3), dtype=dtype)).values.dtype == np.float64

    def test_masked_values_are_missing(self) -> None:
        masked = np.ma.masked_equal(np.arange(12).reshape(4, 3), 5)
        assert np.argwhere(np.isnan(make(masked).values)).tolist() == [[1, 2]]

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"values": np.ones(4)}, r"shape \(frames, "),
            ({"values": np.ones((0, 3))}, "one frame"),
            ({"values": [["a", "b", "c"]] * 4}, "not all numbers"),
            ({"values": np.full((4, 3), np.inf)}, "infinity in signal 'a', frame 0"),
            ({"time": np.arange(3.0)}, r"shape \(4,\)"),
            ({"time": [0, 1, 1, 2]}, "1 s at frame 2 after 1 s"),
            ({"time": [3, 2, 1, 0]}, "does not run forward"),
            ({"time": [0, 1, np.nan, 2]}, "nan at frame 2"),
            ({"names": ["a", "a", "b"]}, "'a' more than once"),
            ({"names": ["a", "", "b"]}, "needs a name"),
            ({"names": ["a", "time", "b"]}, "cannot be called 'time'"),
            ({"confidence": [0, 1, 2, 0]}, "from 0 to 2"),
            ({"confidence": [0.5]}, "4 numbers"),
            ({"provenance": {"a": object()}}, "JSON"),
        ],
    )
    def test_bad_input_is_refused_with_a_reason(self, changes, sentence: str) -> None:
        arguments = {"values": np.ones((4, 3)), "names": ("a", "b", "c")} | changes
        with pytest.raises(InputError, match=sentence):
            make(**arguments)

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"kind": "face"}, "not known.*'face'"),
            ({"dimension": 2}, "one coordinate"),
            ({"kind": "landmark", "dimension": 2}, "'a' with dimension 2"),
            ({"kind": "landmark", "dimension": 2, "names": ["x0", "y0", "x1"]}, "lacks"),
            ({"kind": "landmark", "dimension": 2, "names": ["x0", "y0", "z0"]}, "'z0'"),
        ],
    )
    def test_kind_and_columns_must_fit(self, changes, sentence: str) -> None:
        with pytest.raises(SchemaError, match=sentence):
            make(np.ones((4, 3)), **changes)


class TestMapping:
    def test_has_bitbox_keys(self) -> None:
        signals = make()
        assert isinstance(signals, Mapping)
        assert signals["type"] == "expression"
        assert signals["frame count"] == 4
        assert list(signals["data"].columns) == ["a", "b", "c"]
        assert signals["data"].index.tolist() == [0, 1, 2, 3]
        assert signals.get("nothing", 5) == 5
        assert set(dict(signals)) == set(signals.keys())
        with pytest.raises(KeyError):
            signals["names"]

    def test_there_and_back(self) -> None:
        for signals in (make(confidence=[0, 0.5, 1, np.nan]), landmarks(), landmarks(3)):
            assert Signals.from_bitbox(signals.to_bitbox()) == signals

    def test_plain_dictionary_gets_a_clock(self) -> None:
        data = {"type": "pose", "dimension": 3, "data": pd.DataFrame({"Rx": [0, 1, 2.0]})}
        assert Signals.from_bitbox(data).time.tolist() == [0, 1 / 30, 2 / 30]
        assert Signals.from_bitbox(data, fps=10).rate == pytest.approx(10)

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            ({}, "no keys"),
            ({"type": "pose"}, "no 'data'"),
            ({"type": "pose", "data": [1, 2]}, "DataFrame under 'data'.*list"),
            ([1], "got list"),
        ],
    )
    def test_other_things_are_refused(self, data, sentence: str) -> None:
        with pytest.raises(SchemaError, match=sentence):
            Signals.from_bitbox(data)

    def test_text_in_the_table_is_refused(self) -> None:
        with pytest.raises(InputError, match="not a number"):
            Signals.from_bitbox({"type": "pose", "data": pd.DataFrame({"Rx": ["a", "b"]})})

    def test_frame_rate_must_make_sense(self) -> None:
        with pytest.raises(ParameterError, match="fps=0"):
            Signals.from_bitbox({"type": "pose", "data": pd.DataFrame({"Rx": [1.0]})}, fps=0)


class TestComponents:
    def test_landmarks_are_vectors(self) -> None:
        signals = landmarks(3)
        labels, array = signals.components()
        assert labels == ("landmark 0", "landmark 1")
        np.testing.assert_array_equal(array, signals.values.reshape(5, 2, 3))

    def test_columns_of_a_landmark_may_come_in_any_order(self) -> None:
        signals = landmarks(2)
        shuffled = signals.select(["y1", "x0", "x1", "y0"])
        labels, array = shuffled.components()
        assert labels == ("landmark 1", "landmark 0")
        np.testing.assert_array_equal(array[:, 0], signals.values[:, 2:])

    def test_pose_is_rotation_or_translation(self) -> None:
        names = ["Tx", "Ty", "Tz", "Rx", "Ry", "Rz"]
        pose = make(np.arange(12.0).reshape(2, 6), names=names, kind="pose")
        assert pose.components()[0] == ("Rx", "Ry", "Rz")
        assert pose.components(angular=False)[1][0, :, 0].tolist() == [0, 1, 2]
        labels, array = pose.components("vector")
        assert labels == ("rotation",)
        assert array.shape == (2, 1, 3)
        assert pose.components("magnitude")[1][0, 0, 0] == pytest.approx(np.sqrt(9 + 16 + 25))
        with pytest.raises(SchemaError, match="lacks columns"):
            pose.select(["Rx"]).components()

    def test_columns_that_are_signals_are_not_copied(self) -> None:
        """Of hours a copy is a hundred megabytes."""
        signals = make()
        array = signals.components()[1]
        assert np.shares_memory(array, signals.values)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0

    def test_magnitude_needs_coordinates(self) -> None:
        with pytest.raises(ParameterError, match="several coordinates"):
            make().components("magnitude")
        with pytest.raises(ParameterError, match="'vectors'"):
            make().components("vectors")  # type: ignore[arg-type]


class TestFiles:
    @given(
        hnp.arrays(
            np.float64,
            hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
            elements=st.floats(allow_infinity=False, allow_nan=True),
        )
    )
    def test_parquet_keeps_every_bit(self, tmp_path_factory, values) -> None:
        path = tmp_path_factory.mktemp("signals") / "a.parquet"
        names = [f"sig <b>{i}</b> ü" for i in range(values.shape[1])]
        signals = make(values, names=names, provenance={"file": "ü", "n": [1, 2.5]})
        signals.to_parquet(path)
        assert Signals.from_parquet(path) == signals

    def test_parquet_and_pickle(self, tmp_path) -> None:
        signals = landmarks(3).replace(confidence=np.linspace(0, 1, 5))
        assert Signals.from_parquet(signals.to_parquet(tmp_path / "a.parquet")) == signals
        assert pickle.loads(pickle.dumps(signals)) == signals  # noqa: S301
        assert [p.name for p in tmp_path.iterdir()] == ["a.parquet"]

    def test_csv_has_time_first(self, tmp_path) -> None:
        path = make(confidence=[1, 1, 0, 1]).to_csv(tmp_path / "a.csv")
        frame = pd.read_csv(path)
        assert list(frame.columns) == ["time", "a", "b", "c", "confidence"]

    def test_csv_keeps_times_of_day_apart(self, tmp_path) -> None:
        time = 1_700_000_000 + np.arange(4) / 30
        path = make(time=time).to_csv(tmp_path / "a.csv")
        np.testing.assert_allclose(pd.read_csv(path)["time"], time, rtol=0, atol=1e-5)

    def test_files_that_are_not_ours(self, tmp_path) -> None:
        with pytest.raises(InputError, match="no file"):
            Signals.from_parquet(tmp_path / "none.parquet")
        (tmp_path / "text.parquet").write_text("hello")
        with pytest.raises(InputError, match="cannot be read"):
            Signals.from_parquet(tmp_path / "text.parquet")
        pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
        with pytest.raises(InputError, match="not one that holds Signals"):
            Signals.from_parquet(tmp_path / "other.parquet")
        with pytest.raises(InputError, match="got a folder"):
            Signals.from_parquet(tmp_path)

    def test_nothing_is_left_where_writing_fails(self, tmp_path) -> None:
        with pytest.raises(OutputError, match="cannot be written"):
            make().to_parquet(tmp_path / "none" / "a.parquet")
        with pytest.raises(InputError):
            Signals.from_parquet(tmp_path / "none" / "a.parquet")


class TestLooks:
    def test_repr_says_what_it_is(self) -> None:
        assert "3 signals, 4 frames, 0.10 s at 30.00 fps, coverage 100%" in repr(make())

    def test_rate_leaves_pauses_out(self) -> None:
        time = np.r_[np.arange(30), np.arange(130, 160)] / 25
        assert make(np.ones((60, 1)), time=time).rate == pytest.approx(25)

    def test_select_names_what_is_missing(self) -> None:
        with pytest.raises(ParameterError, match="no signal called 'd'"):
            make().select(["d"])

    def test_equality(self) -> None:
        assert make() == make()
        assert make() != make(units="px")
        assert make() != 3
        assert make() != make(confidence=[1, 1, 1, 1])


def test_joints_of_a_body_are_vectors_and_stay_so_in_a_dictionary() -> None:
    names = ("nose_x", "nose_y", "left_wrist_x", "left_wrist_y")
    joints = Signals(
        np.arange(20.0).reshape(5, 4),
        np.arange(5) / 30,
        names,
        kind="body",
        schema="openbitbox-joints-33",
        units="px",
        dimension=2,
        backend="test",
    )
    labels, array = joints.components()
    assert labels == ("nose", "left_wrist")
    assert array.shape == (5, 2, 2)
    assert joints.components("each")[0] == names
    assert Signals.from_bitbox(joints.to_bitbox()).components()[0] == labels


@pytest.mark.parametrize(
    ("names", "wrong"),
    [(("nose_x", "wrist_y"), "lacks a coordinate"), (("nose", "wrist"), "must name joint")],
)
def test_columns_that_are_no_joints_are_refused(names: tuple[str, ...], wrong: str) -> None:
    with pytest.raises(SchemaError, match=wrong):
        Signals(
            np.zeros((5, 2)),
            np.arange(5) / 30,
            names,
            kind="body",
            schema="mine",
            units="px",
            dimension=2,
            backend="test",
        )


def test_what_is_missing_is_the_same_bits_whoever_made_it() -> None:
    plain = np.array([[1.0], [np.nan], [2.0]])
    turned = np.copysign(plain, [[1.0], [-1.0], [1.0]])  # a NaN with a sign
    assert turned.tobytes() != plain.tobytes()
    made = [
        Signals(values, [0.0, 0.1, 0.2], ["a"], kind="expression", schema="own", units="mm",
                dimension=1, backend="test")
        for values in (plain, turned)
    ]  # fmt: skip
    assert made[0].values.tobytes() == made[1].values.tobytes()
