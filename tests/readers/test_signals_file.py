"""Files of each tool, written here after the tools' documentation, become Signals."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitbox.errors import InputError, ParameterError
from bitbox.provenance import hash_file
from bitbox.readers import read_csv, read_openpose, read_signals
from bitbox.readers.blendshapes import BLENDSHAPES
from bitbox.readers.threedi import LOCAL_REGIONS
from bitbox.signals import Signals
from bitbox.social import imitation

N = 5
RANDOM = np.random.default_rng(1)


def write_table(path: Path, columns: dict[str, Any], separator: str = ",") -> Path:
    lines = [separator.join(columns)]
    lines += [
        separator.join(str(cell) for cell in row) for row in zip(*columns.values(), strict=True)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def openface(**changes: Any) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "frame": range(1, N + 1),
        "face_id": [0] * N,
        "timestamp": [0.0, 0.033, 0.067, 0.1, 0.133],
        "confidence": [0.98, 0.95, 0.0, 0.9, 0.9],
        "success": [1, 1, 0, 1, 1],
        "gaze_0_x": RANDOM.normal(size=N),
    }
    for name in ("Tx", "Ty", "Tz", "Rx", "Ry", "Rz"):
        columns[f"pose_{name}"] = RANDOM.normal(size=N)
    for axis in "xy":
        columns |= {f"{axis}_{i}": RANDOM.normal(200, 50, size=N) for i in range(68)}
    columns |= {f"AU{i:02d}_r": RANDOM.uniform(0, 5, size=N) for i in (1, 2, 4, 12, 45)}
    columns |= {f"AU{i:02d}_c": [0, 1, 0, 1, 1] for i in (1, 12, 28)}
    return columns | changes


def pyfeat(**changes: Any) -> dict[str, Any]:
    columns: dict[str, Any] = {"": range(N), "frame": range(N)}
    for name in ("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"):
        columns[name] = RANDOM.uniform(50, 100, size=N)
    columns["FaceScore"] = [0.99, 0.98, "", 0.97, 0.99]
    for axis in "xy":
        columns |= {f"{axis}_{i}": RANDOM.normal(200, 50, size=N) for i in range(68)}
    columns |= {name: RANDOM.normal(0, 20, size=N) for name in ("Pitch", "Roll", "Yaw")}
    columns |= {f"AU{i:02d}": RANDOM.uniform(0, 1, size=N) for i in (1, 2, 6, 12)}
    columns |= {"happiness": [0.1] * N, "input": ["a video.mp4"] * N}
    return columns | changes


def libreface(**changes: Any) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "frame_idx": range(N),
        "frame_time_in_ms": [0.0, 33.3, 66.7, 100.0, 133.3],
        **{name: RANDOM.normal(0, 20, size=N) for name in ("pitch", "yaw", "roll")},
        "lm_mp_0_x": RANDOM.normal(size=N),
        "au_1": [0] * N,
        "au_1_intensity": RANDOM.uniform(0, 5, size=N),
        "au_12_intensity": RANDOM.uniform(0, 5, size=N),
        "facial_expression": ["Happiness"] * N,
    }
    return columns | changes


class TestOpenFace:
    def test_expression(self, tmp_path: Path) -> None:
        columns = openface()
        path = write_table(tmp_path / "a.csv", columns, ", ")  # version 2.0 puts spaces
        signals = read_signals(path)
        assert signals.backend == "OpenFace"
        assert signals.kind == "expression"
        assert signals.names == ("AU01", "AU02", "AU04", "AU12", "AU45")
        np.testing.assert_array_equal(signals.time, columns["timestamp"])
        np.testing.assert_array_equal(signals.values[0, 3], columns["AU12_r"][0])
        assert signals.provenance["source"]["sha256"] == hash_file(path)

    def test_lost_frames_are_missing(self, tmp_path: Path) -> None:
        signals = read_signals(write_table(tmp_path / "a.csv", openface()))
        assert np.isnan(signals.values[2]).all()
        assert np.isfinite(signals.values[[0, 1, 3, 4]]).all()
        np.testing.assert_array_equal(signals.confidence, [0.98, 0.95, 0, 0.9, 0.9])

    def test_pose_and_landmarks(self, tmp_path: Path) -> None:
        columns = openface()
        path = write_table(tmp_path / "a.csv", columns)
        pose = read_signals(path, kind="pose")
        assert pose.names == ("Tx", "Ty", "Tz", "Rx", "Ry", "Rz")
        assert pose.values[1, 5] == columns["pose_Rz"][1]
        land = read_signals(path, kind="landmark")
        assert land.schema == "ibug51"
        assert land.names[:2] == ("x0", "y0")
        assert land.values[0, 0] == columns["x_17"][0]
        assert land.values[0, 101] == columns["y_67"][0]

    def test_several_people(self, tmp_path: Path) -> None:
        path = write_table(
            tmp_path / "a.csv",
            openface(face_id=[0, 1, 0, 1, 0], timestamp=[0, 0, 0.1, 0.1, 0.2], success=[1] * N),
        )
        with pytest.raises(InputError, match=r"2 people.*'0', '1'"):
            read_signals(path)
        np.testing.assert_array_equal(read_signals(path, person="1").time, [0, 0.1])

    def test_a_kind_that_is_not_there(self, tmp_path: Path) -> None:
        path = write_table(tmp_path / "a.csv", openface())
        with pytest.raises(InputError, match="'expression', 'pose', 'landmark'"):
            read_signals(path, kind="body")

    def test_without_times_frames_and_fps_do(self, tmp_path: Path) -> None:
        columns = openface()
        del columns["timestamp"]
        path = write_table(tmp_path / "a.csv", columns)
        with pytest.raises(ParameterError, match="fps"):
            read_signals(path)
        np.testing.assert_allclose(read_signals(path, fps=25).time, np.arange(N) / 25)

    def test_true_times_are_not_reinterpreted(self, tmp_path: Path) -> None:
        path = write_table(tmp_path / "a.csv", openface())
        np.testing.assert_array_equal(read_signals(path, fps=5).time, read_signals(path).time)

    def test_it_can_be_analysed(self, tmp_path: Path) -> None:
        n = 90
        columns = {
            "frame": range(1, n + 1),
            "timestamp": [f"{i / 30:.3f}" for i in range(n)],
            "success": [1] * n,
            **{f"AU{i:02d}_r": RANDOM.normal(size=n).cumsum() for i in (1, 12)},
        }
        signals = read_signals(write_table(tmp_path / "a.csv", columns))
        mean, _, lag = imitation(signals, signals, width=1.0, step=0.5)
        np.testing.assert_allclose(np.diag(mean), 1)
        np.testing.assert_array_equal(np.diag(lag), 0)


class TestPyFeat:
    def test_expression(self, tmp_path: Path) -> None:
        path = write_table(tmp_path / "a.csv", pyfeat())
        signals = read_signals(path, fps=20)
        assert signals.backend == "py-feat"
        assert signals.names == ("AU01", "AU02", "AU06", "AU12")
        np.testing.assert_allclose(signals.time, np.arange(N) / 20)
        assert np.isnan(signals.values[2]).all()
        assert signals.confidence is not None
        assert signals.confidence[2] == 0

    def test_pose_in_radians(self, tmp_path: Path) -> None:
        columns = pyfeat()
        pose = read_signals(write_table(tmp_path / "a.csv", columns), fps=20, kind="pose")
        assert pose.names == ("Rx", "Ry", "Rz")
        np.testing.assert_allclose(pose.values[0, 1], np.deg2rad(columns["Yaw"][0]))

    def test_skipped_frames_keep_their_times(self, tmp_path: Path) -> None:
        path = write_table(tmp_path / "a.csv", pyfeat(frame=[0, 5, 10, 15, 20]))
        np.testing.assert_allclose(read_signals(path, fps=10).time, [0, 0.5, 1, 1.5, 2])

    def test_two_faces_in_a_frame(self, tmp_path: Path) -> None:
        path = write_table(tmp_path / "a.csv", pyfeat(frame=[0, 0, 1, 1, 2]))
        with pytest.raises(InputError, match="time stands still in line 3"):
            read_signals(path, fps=10)

    def test_needs_fps(self, tmp_path: Path) -> None:
        with pytest.raises(ParameterError, match="counts frames"):
            read_signals(write_table(tmp_path / "a.csv", pyfeat()))


class TestLibreFace:
    def test_expression_and_pose(self, tmp_path: Path) -> None:
        columns = libreface()
        path = write_table(tmp_path / "a.csv", columns)
        signals = read_signals(path)
        assert signals.backend == "LibreFace"
        assert signals.names == ("AU01", "AU12")
        np.testing.assert_allclose(signals.time, np.array(columns["frame_time_in_ms"]) / 1000)
        pose = read_signals(path, kind="pose")
        np.testing.assert_allclose(pose.values[:, 0], np.deg2rad(columns["pitch"]))


class TestBlendshapes:
    @pytest.mark.parametrize(("name", "second"), [("time", 1), ("timestamp_ms", 1000)])
    def test_table(self, tmp_path: Path, name: str, second: float) -> None:
        columns = {shape: RANDOM.uniform(size=N) for shape in BLENDSHAPES}
        path = write_table(tmp_path / "a.csv", {name: np.arange(N) / 10 * second} | columns)
        signals = read_signals(path)
        assert signals.backend == "MediaPipe blendshapes"
        assert signals.names == BLENDSHAPES
        np.testing.assert_allclose(signals.time, np.arange(N) / 10)

    def frames(self) -> list[Any]:
        return [
            {
                "timestamp_ms": 40 * i,
                "face_blendshapes": []
                if i == 2
                else [[{"category_name": s, "score": 0.01 * i} for s in BLENDSHAPES]],
            }
            for i in range(N)
        ]

    def test_json(self, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        path.write_text(json.dumps(self.frames()))
        signals = read_signals(path)
        np.testing.assert_allclose(signals.time, np.arange(N) * 0.04)
        np.testing.assert_allclose(signals.values[3], 0.03)
        assert np.isnan(signals.values[2]).all()

    def test_two_faces(self, tmp_path: Path) -> None:
        frames = self.frames()
        frames[1]["face_blendshapes"] *= 2
        (tmp_path / "a.json").write_text(json.dumps(frames))
        with pytest.raises(InputError, match="2 faces in frame 1"):
            read_signals(tmp_path / "a.json")

    @pytest.mark.parametrize("text", ["", "{}", "[]", "[1]", '[{"face_blendshapes": [[{}]]}]'])
    def test_other_json(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(InputError, match=r"a\.json"):
            read_signals(tmp_path / "a.json", fps=30)


class TestOpenPose:
    def person(self, x: float, scale: float = 1.0) -> dict[str, Any]:
        points = np.column_stack([x + scale * np.arange(25), scale * np.arange(25), np.ones(25)])
        points[4] = 0  # not found
        return {"person_id": [-1], "pose_keypoints_2d": points.ravel().tolist()}

    def folder(self, path: Path, frames: dict[int, list[Any]], name: str = "v") -> Path:
        path.mkdir(exist_ok=True)
        for i, people in frames.items():
            text = json.dumps({"version": 1.3, "people": people})
            (path / f"{name}_{i:012d}_keypoints.json").write_text(text)
        return path

    def test_body(self, tmp_path: Path) -> None:
        path = self.folder(tmp_path / "json", {i: [self.person(10.0 * i)] for i in range(N)})
        signals = read_signals(path, fps=25)
        assert signals.kind == "body"
        assert signals.backend == "OpenPose"
        assert signals.names[:3] == ("Nose_x", "Nose_y", "Neck_x")
        assert len(signals.names) == 50
        np.testing.assert_allclose(signals.time, np.arange(N) / 25)
        np.testing.assert_allclose(signals.values[:, 0], 10.0 * np.arange(N))
        assert np.isnan(signals.values[:, 8:10]).all()

    def test_frames_without_person_or_file_are_missing(self, tmp_path: Path) -> None:
        people = {0: [self.person(0)], 1: [], 3: [self.person(0)]}
        signals = read_signals(self.folder(tmp_path / "json", people), fps=10)
        np.testing.assert_allclose(signals.time, [0, 0.1, 0.2, 0.3])
        np.testing.assert_array_equal(np.isnan(signals.values[:, 0]), [0, 1, 1, 0])
        np.testing.assert_array_equal(signals.confidence, [24 / 25, 0, 0, 24 / 25])

    def test_the_larger_person_is_followed(self, tmp_path: Path) -> None:
        people = {i: [self.person(500, 1), self.person(100 + i, 3)][:: (-1) ** i] for i in range(N)}
        signals = read_signals(self.folder(tmp_path / "json", people), fps=10)
        np.testing.assert_allclose(signals.values[:, 0], 100 + np.arange(N))

    def test_the_other_person_is_not_followed_where_one_is_missed(self, tmp_path: Path) -> None:
        """OpenPose often misses somebody for a few frames; the other one is no replacement."""
        mine, other = [self.person(100, 3)] * 30, [self.person(160 + (i % 5), 2) for i in range(30)]
        people = {i: [mine[i], other[i]][:: (-1) ** i] for i in range(30)}
        for missed in (10, 11, 12):
            people[missed] = [other[missed]]
        signals = read_signals(self.folder(tmp_path / "json", people), fps=25)
        lost = np.isin(np.arange(30), [10, 11, 12])
        np.testing.assert_array_equal(signals.values[~lost, 0], 100)
        assert np.isnan(signals.values[lost]).all()
        np.testing.assert_array_equal(signals.confidence[lost], 0)
        findings = {f["code"]: f["message"] for f in signals.provenance["findings"]}
        assert set(findings) == {"several-people", "only-others"}
        assert "In 3 frames, first at 0.40 s" in findings["only-others"]

    def test_the_other_person_can_be_chosen(self, tmp_path: Path) -> None:
        people = {i: [self.person(100, 3), self.person(300, 2)] for i in range(N)}
        path = self.folder(tmp_path / "json", people)
        np.testing.assert_array_equal(read_openpose(path, 25, "right").values[:, 0], 300)
        with pytest.raises(ParameterError, match="'right'"):
            read_openpose(path, 25, "top")

    def test_two_body_models_in_one_folder(self, tmp_path: Path) -> None:
        short = {"pose_keypoints_2d": self.person(0)["pose_keypoints_2d"][:54]}
        path = self.folder(tmp_path / "json", {0: [self.person(0)], 1: [short]})
        with pytest.raises(InputError, match=r"body model.*18, 25"):
            read_openpose(path, 25)

    def test_needs_fps(self, tmp_path: Path) -> None:
        with pytest.raises(ParameterError, match="fps"):
            read_signals(self.folder(tmp_path / "json", {0: [self.person(0)]}))

    def test_two_videos(self, tmp_path: Path) -> None:
        self.folder(tmp_path / "json", {0: [self.person(0)]}, "a")
        path = self.folder(tmp_path / "json", {1: [self.person(0)]}, "b")
        with pytest.raises(InputError, match="2 videos"):
            read_signals(path, fps=10)

    def test_other_folders(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="OpenPose"):
            read_signals(tmp_path)

    def test_nobody(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no body points"):
            read_signals(self.folder(tmp_path / "json", {0: []}), fps=10)

    @pytest.mark.parametrize("person", ["1", 1])
    def test_somebody_who_is_not_there(self, tmp_path: Path, person: str | int) -> None:
        """All was missing, without a word; and a number as such was a defect."""
        path = self.folder(tmp_path / "json", {i: [self.person(10.0 * i)] for i in range(N)})
        with pytest.raises(InputError, match=r"never shows the person 1 .* at most 1 at once"):
            read_signals(path, fps=25, person=person)
        assert np.isfinite(read_signals(path, fps=25, person=0).values[:, 0]).all()

    def test_a_spoilt_file(self, tmp_path: Path) -> None:
        path = self.folder(tmp_path / "json", {0: [self.person(0)]})
        (path / "v_000000000001_keypoints.json").write_text("{")
        with pytest.raises(InputError, match=r"v_000000000001_keypoints\.json"):
            read_signals(path, fps=10)


class TestThreeDI:
    def write(self, path: Path, values: Any) -> Path:
        np.savetxt(path, values)
        return path

    @pytest.mark.parametrize(
        ("name", "width", "kind", "schema"),
        [
            ("rects", 4, "rectangle", "rectangle"),
            ("landmarks", 102, "landmark", "ibug51"),
            ("pose_smooth", 9, "pose", "3DI-pose"),
            ("expression_smooth", 79, "expression", "3DI-global-79"),
            ("expression_localized", 32, "expression", "3DI-local-32"),
            ("expression_localized", 50, "expression", "3DI-local-50"),
            ("landmarks_canonicalized", 153, "landmark-can", "ibug51"),
        ],
    )
    @pytest.mark.parametrize(("suffix", "backend"), [("3DI", "3DI"), ("3DIl", "3DI-lite")])
    def test_outputs(
        self,
        tmp_path: Path,
        name: str,
        width: int,
        kind: str,
        schema: str,
        suffix: str,
        backend: str,
    ) -> None:
        values = RANDOM.uniform(1, 2, size=(N, width))
        path = self.write(tmp_path / f"my_video_{name}.{suffix}", values)
        signals = read_signals(path, fps=30)
        assert (signals.kind, signals.schema, signals.backend) == (kind, schema, backend)
        np.testing.assert_allclose(signals.time, np.arange(N) / 30)
        expected = values[:, [0, 1, 2, 7, 6, 8]] if kind == "pose" else values
        np.testing.assert_allclose(signals.values, expected)

    def test_regions(self, tmp_path: Path) -> None:
        assert {width: sum(n.values()) for width, n in LOCAL_REGIONS.items()} == {32: 32, 50: 50}
        path = self.write(tmp_path / "v_expression_localized.3DI", np.ones((N, 32)))
        names = read_signals(path, fps=30).names
        assert names[:5] == ("lb0", "lb1", "lb2", "lb3", "rb0")
        assert names[-1] == "ll6"

    def test_lost_faces_are_missing(self, tmp_path: Path) -> None:
        rects = np.array([[1, 2, 3, 4], [0, 0, 0, 0], [5, 5, -1, 4]])
        signals = read_signals(self.write(tmp_path / "v_rects.3DI", rects), fps=30)
        np.testing.assert_array_equal(np.isnan(signals.values[:, 0]), [False, True, True])
        land = np.ones((2, 102))
        land[0] = 0
        signals = read_signals(self.write(tmp_path / "v_landmarks.3DI", land), fps=30)
        np.testing.assert_array_equal(np.isnan(signals.values[:, 0]), [True, False])

    @pytest.mark.parametrize(
        ("name", "text", "words"),
        [
            ("v_rects.3DI", "1 2 3\n", "number of columns.*Expected 4"),
            ("v_rects.3DI", "1 2 3 4\n1 2\n", "line 2"),
            ("v_rects.3DI", "1 2 x 4\n", "text in line 1"),
            ("v_rects.3DI", "1 2 inf 4\n", "infinities"),
            ("v_rects.3DI", "\n", "empty"),
            ("v.3DI", "1 2 3 4\n", "which output"),
        ],
    )
    def test_unusable(self, tmp_path: Path, name: str, text: str, words: str) -> None:
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError, match=words):
            read_signals(tmp_path / name, fps=30)

    def test_needs_fps(self, tmp_path: Path) -> None:
        with pytest.raises(ParameterError, match="fps"):
            read_signals(self.write(tmp_path / "v_rects.3DI", np.ones((N, 4))))


class TestOwnFiles:
    def signals(self, **changes: Any) -> Signals:
        values = RANDOM.normal(size=(N, 2))
        values[2] = np.nan
        arguments: dict[str, Any] = {
            "values": values,
            "time": np.arange(N) / 30 + 0.5,
            "names": ("smile", "frown"),
            "kind": "expression",
            "schema": "mine",
            "units": "mm",
            "backend": "test",
            "confidence": [1, 1, 0, 1, 1],
        }
        return Signals(**arguments | changes)

    def test_parquet_under_any_name(self, tmp_path: Path) -> None:
        signals = self.signals()
        path = signals.to_parquet(tmp_path / "a.parquet")
        assert read_signals(path) == signals
        assert read_signals(path.rename(tmp_path / "a.saved")) == signals
        with pytest.raises(InputError, match="'pose'"):
            read_signals(tmp_path / "a.saved", kind="pose")

    @pytest.mark.parametrize("factor", [1e3, 1e-3])
    def test_parquet_with_times_that_are_no_seconds(self, tmp_path: Path, factor: float) -> None:
        signals = self.signals()
        wrong = Signals(signals.values, signals.time * factor, signals.names, **signals.metadata())
        path = wrong.to_parquet(tmp_path / "a.parquet")
        with pytest.raises(InputError, match=r"frame rate that no recording of a person has"):
            read_signals(path)

    def test_csv(self, tmp_path: Path) -> None:
        signals = self.signals()
        again = read_signals(signals.to_csv(tmp_path / "a.csv"))
        assert again.names == signals.names
        assert again.kind == "expression"
        np.testing.assert_allclose(again.values, signals.values, rtol=1e-7)
        np.testing.assert_allclose(again.time, signals.time, rtol=1e-7)
        np.testing.assert_array_equal(again.confidence, signals.confidence)

    @pytest.mark.parametrize(
        ("names", "kind", "dimension"),
        [
            (("Tx", "Ty", "Tz", "Rx", "Ry", "Rz"), "pose", 1),
            (("x", "y", "w", "h"), "rectangle", 1),
            (("x0", "y0", "x1", "y1"), "landmark", 2),
            (("x0", "y0", "z0"), "landmark-can", 3),
        ],
    )
    def test_kinds_are_known_by_their_names(
        self, tmp_path: Path, names: tuple[str, ...], kind: str, dimension: int
    ) -> None:
        columns = {"time": np.arange(N) / 30} | {name: RANDOM.normal(size=N) for name in names}
        path = write_table(tmp_path / "a.csv", columns)
        signals = read_signals(path)
        assert (signals.kind, signals.dimension) == (kind, dimension)
        assert read_signals(path, kind="expression").names == names


class TestPlainCsv:
    def test_with_fps_instead_of_times(self, tmp_path: Path) -> None:
        path = write_table(tmp_path / "a.csv", {"smile": [1, 2, 3]})
        np.testing.assert_allclose(read_signals(path, fps=10).time, [0, 0.1, 0.2])
        with pytest.raises(InputError, match="no times"):
            read_signals(path)

    @pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
    def test_nonsense_fps(self, tmp_path: Path, fps: float) -> None:
        path = write_table(tmp_path / "a.csv", {"smile": [1, 2, 3]})
        with pytest.raises(ParameterError, match="fps"):
            read_signals(path, fps=fps)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("time,a\n0,1\n1,x\n", "text in line 3"),
            ("time,a\n0,1\n1,inf\n", "infinite in line 3"),
            ("time,a,a\n0,1,2\n", "two columns called 'a'"),
            ("time,a\n0,1\n2,1\n1,1\n", "runs backwards in line 4"),
            ("", "is empty"),
            ("time\n0\n1\n", "no signals"),
        ],
    )
    def test_bad_files(self, tmp_path: Path, text: str, words: str) -> None:
        (tmp_path / "a.csv").write_text(text)
        with pytest.raises(InputError, match=words):
            read_signals(tmp_path / "a.csv")

    def test_names_from_outside_stay_text(self, tmp_path: Path) -> None:
        names = ("<script>alert(1)</script>", "=HYPERLINK(0)", "../../x")
        columns = {"time": [0, 0.1]} | {name: [1, 2] for name in names}
        assert read_signals(write_table(tmp_path / "a.csv", columns)).names == names

    def test_missing_file(self, tmp_path: Path) -> None:
        for name in ("a.csv", "a.parquet", "v_rects.3DI", "a.json", "a"):
            with pytest.raises(InputError, match="no file"):
                read_signals(tmp_path / name, fps=30)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.json", "a_pose.3DI", "a"])
def test_pipe_is_no_table(tmp_path: Path, name: str) -> None:
    """A pipe would be waited for, and cannot be read twice to be hashed."""
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match=r"is not a file.*got a pipe.*Save"):
        read_signals(tmp_path / name, fps=30)
    with pytest.raises(InputError, match="got a pipe"):
        read_csv(tmp_path / name)
    with pytest.raises(InputError, match="got a pipe"):
        Signals.from_parquet(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_pipe_among_the_files_of_openpose(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a_000000000000_keypoints.json")
    with pytest.raises(InputError, match="got a pipe"):
        read_signals(tmp_path, fps=30)
