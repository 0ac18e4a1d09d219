"""Tables as labs have them: units, counters, thousands, and layouts of tools and programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitbox.errors import InputError, ParameterError
from bitbox.readers import read_signals
from bitbox.readers.blendshapes import BLENDSHAPES
from bitbox.readers.livelink import ARKIT
from bitbox.readers.table import read_table
from bitbox.signals import Signals
from bitbox.social import imitation

N = 40
ROWS = np.arange(N)
SECONDS = np.round(ROWS / 30, 3)
SMILE = np.round(np.sin(ROWS / 3) + 2, 4)


def write(path: Path, columns: dict[str, Any], separator: str = ",") -> Path:
    rows = zip(*columns.values(), strict=True)
    lines = [separator.join(columns), *(separator.join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def text(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def codes(signals: Signals) -> list[str]:
    return [finding.code for finding in signals.findings]


def pyfeat(path: Path, angles: Any, **more: Any) -> Path:
    columns: dict[str, Any] = {"frame": range(len(angles)), "FaceRectX": [1.0] * len(angles)}
    columns |= {"FaceScore": [0.9] * len(angles), "AU12": np.sin(range(len(angles)))}
    return write(path, columns | dict.fromkeys(("Pitch", "Roll", "Yaw"), angles) | more)


class TestAngles:
    SMALL = np.round(0.111 * np.cos(ROWS / 5), 4)  # radians of a head that nods

    def angles(self, path: Path, **stated: Any) -> tuple[Any, Any]:
        signals = read_signals(path, fps=30, kind="pose", **stated)
        assert signals.units.endswith("rad")
        settings = signals.provenance["settings"]
        return signals.values, (settings["angle_unit"], settings["angle_unit_by"])

    def test_radians_of_current_pyfeat(self, tmp_path: Path) -> None:
        translations = {name: [1.0] * 3 for name in "XYZ"}
        path = pyfeat(tmp_path / "a.csv", self.SMALL[:3], **translations)
        values, unit = self.angles(path)
        assert values[0, 0] == 0.111
        assert unit == ("rad", "documentation")

    def test_radians_by_magnitude(self, tmp_path: Path) -> None:
        values, unit = self.angles(pyfeat(tmp_path / "a.csv", self.SMALL))
        np.testing.assert_array_equal(values[:, 2], self.SMALL)
        assert unit == ("rad", "magnitude")

    def test_degrees_by_magnitude(self, tmp_path: Path) -> None:
        degrees = np.round(np.rad2deg(self.SMALL), 4)
        for more in ({}, {name: [1.0] * N for name in "XYZ"}):
            values, unit = self.angles(pyfeat(tmp_path / "a.csv", degrees, **more))
            np.testing.assert_allclose(values[:, 0], self.SMALL, atol=1e-5)
            assert unit == ("deg", "magnitude")

    @pytest.mark.parametrize("angles", [SMALL[:5], 2.5 * np.cos(ROWS / 5)])
    def test_what_is_open_is_asked(self, tmp_path: Path, angles: Any) -> None:
        path = pyfeat(tmp_path / "a.csv", angles)
        with pytest.raises(InputError, match="angle_unit='rad' or angle_unit='deg'"):
            self.angles(path)
        values, unit = self.angles(path, angle_unit="deg")
        np.testing.assert_allclose(values[:, 0], np.deg2rad(angles))
        assert unit == ("deg", "stated")
        np.testing.assert_array_equal(self.angles(path, angle_unit="rad")[0][:, 0], angles)
        assert read_signals(path, fps=30).kind == "expression"  # which needs no angles

    def libreface(self, path: Path, angles: Any) -> Path:
        columns = {"frame_idx": ROWS, "frame_time_in_ms": np.round(ROWS / 0.03)}
        columns |= dict.fromkeys(("pitch", "yaw", "roll"), angles)
        return write(path, columns | {"au_1_intensity": SMILE})

    def test_libreface(self, tmp_path: Path) -> None:
        values, unit = self.angles(self.libreface(tmp_path / "a.csv", self.SMALL * 100))
        np.testing.assert_allclose(values[:, 0], np.deg2rad(self.SMALL * 100))
        assert unit == ("deg", "magnitude")
        with pytest.raises(InputError, match="although the tool writes degrees"):
            self.angles(self.libreface(tmp_path / "a.csv", self.SMALL))

    def openface(self, path: Path, angles: Any) -> Path:
        columns: dict[str, Any] = {"frame": ROWS + 1, "timestamp": SECONDS, "success": [1] * N}
        return write(path, columns | {f"pose_R{axis}": angles for axis in "xyz"})

    def test_openface_with_rotations_only(self, tmp_path: Path) -> None:
        path = self.openface(tmp_path / "a.csv", self.SMALL)
        signals = read_signals(path)
        assert (signals.kind, signals.names) == ("pose", ("Rx", "Ry", "Rz"))
        np.testing.assert_array_equal(signals.values[:, 1], self.SMALL)
        mean, _, _ = imitation(signals, signals, width=0.5, step=0.1, lag=0.1)
        np.testing.assert_allclose(np.diag(mean), 1)
        assert self.angles(path)[1] == ("rad", "documentation")
        assert self.angles(self.openface(path, self.SMALL * 100))[1] == ("deg", "magnitude")

    def test_an_unknown_unit(self, tmp_path: Path) -> None:
        path = pyfeat(tmp_path / "a.csv", self.SMALL)
        with pytest.raises(ParameterError, match="angle_unit to be 'rad' or 'deg'"):
            read_signals(path, fps=30, angle_unit="grad")  # type: ignore[arg-type]


class TestBookkeeping:
    def test_reserved_names_in_any_case(self, tmp_path: Path) -> None:
        columns = {"Time": SECONDS, "FRAME": ROWS, "Confidence": [0.5] * N, "smile": SMILE}
        signals = read_signals(write(tmp_path / "a.csv", columns))
        assert signals.names == ("smile",)
        np.testing.assert_array_equal(signals.time, SECONDS)
        np.testing.assert_array_equal(signals.confidence, [0.5] * N)
        assert codes(signals) == []

    @pytest.mark.parametrize(("name", "factor"), [("Timestamp", 1), ("time_ms", 1000)])
    def test_other_names_of_time(self, tmp_path: Path, name: str, factor: float) -> None:
        path = write(tmp_path / "a.csv", {name: SECONDS * factor, "smile": SMILE})
        np.testing.assert_allclose(read_signals(path).time, SECONDS)

    def test_two_times(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", {"time": SECONDS, "Time": SECONDS, "smile": SMILE})
        with pytest.raises(InputError, match="'time' and 'Time'"):
            read_signals(path)

    @pytest.mark.parametrize(
        "counter",
        [
            ROWS,
            100 - 2 * ROWS,
            np.round(ROWS / 30, 2),
            [i if i != 5 else "" for i in range(N)],
        ],
    )
    def test_a_counter_is_left_out_and_named(self, tmp_path: Path, counter: Any) -> None:
        path = write(tmp_path / "a.csv", {"time": SECONDS, "X": counter, "smile": SMILE})
        signals = read_signals(path)
        assert signals.names == ("smile",)
        (finding,) = signals.findings
        assert finding.code == "counter-left-out"
        assert "'X'" in finding.message

    def test_it_does_not_hide_the_kind(self, tmp_path: Path) -> None:
        columns = {"Unnamed: 0": ROWS} | dict.fromkeys(("Tx", "Ty", "Tz"), SMILE)
        columns |= dict.fromkeys(("Rx", "Ry", "Rz"), SMILE)
        signals = read_signals(write(tmp_path / "a.csv", columns), fps=30)
        assert signals.kind == "pose"
        assert codes(signals) == ["counter-left-out"]

    def test_movements_stay(self, tmp_path: Path) -> None:
        random = np.random.default_rng(0)
        columns = {
            "time": SECONDS,
            "still": [1.0] * N,
            "drifting": ROWS + random.normal(size=N),
            "late": np.where(ROWS > 30, SMILE, ROWS),
            "rare": [3.0, 4.0, *[""] * (N - 2)],
        }
        signals = read_signals(write(tmp_path / "a.csv", columns))
        assert signals.names == ("still", "drifting", "late", "rare")
        assert codes(signals) == []

    def test_only_counters(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", {"time": SECONDS, "n": ROWS})
        with pytest.raises(InputError, match="holds no signals"):
            read_signals(path)

    def test_index_of_write_csv_in_r(self, tmp_path: Path) -> None:
        lines = ['"","time","smile"', *(f'"{i + 1}",{SECONDS[i]},{SMILE[i]}' for i in range(N))]
        signals = read_signals(text(tmp_path / "a.csv", "\n".join(lines)))
        assert signals.names == ("smile",)
        np.testing.assert_array_equal(signals.values[:, 0], SMILE)


class TestThousands:
    @pytest.mark.parametrize("separator", ["\t", ";", " "])
    def test_ambiguous(self, tmp_path: Path, separator: str) -> None:
        path = write(tmp_path / "a.txt", {"a": ["999", "1,000"], "b": [1, 2]}, separator)
        with pytest.raises(InputError, match=r"thousands.*line 3.*1000 or 1\.000.*'1,000'"):
            read_table(path).numbers("a")

    def test_clear_within_the_column(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", {"a": ["1,000", "0,5"], "b": ["-2,125", "0,125"]}, ";")
        np.testing.assert_array_equal(read_table(path).matrix("ab"), [[1, -2.125], [0.5, 0.125]])

    def test_clear_within_the_file(self, tmp_path: Path) -> None:
        columns = {"time": ["0,033", "0,067"], "x": ["245,125", "1,000"]}
        path = write(tmp_path / "a.csv", columns, ";")
        np.testing.assert_array_equal(read_table(path).numbers("x"), [245.125, 1])

    def test_points_elsewhere(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", {"a": ["999", "1,000"], "b": [0.5, 1.5]}, ";")
        with pytest.raises(InputError, match="thousands"):
            read_table(path).numbers("a")

    def test_points_for_thousands(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", {"a": ["999", "1.000"], "b": ["0,5", "1,5"]}, ";")
        with pytest.raises(InputError, match=r"1000 or 1\.000, but got '1\.000'"):
            read_table(path).numbers("a")
        path = write(tmp_path / "a.csv", {"a": ["999", "1.125"], "b": [1, 2]}, ";")
        np.testing.assert_array_equal(read_table(path).numbers("a"), [999, 1.125])

    def test_millions(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", {"a": ["1,000,000"], "b": [1]}, ";")
        with pytest.raises(InputError, match="'a'"):
            read_table(path).numbers("a")


class TestPrograms:
    @pytest.mark.parametrize("fps", [25, 10])
    @pytest.mark.parametrize("header", ['"pat" "th"', "pat th", '"pat"  "th" '])
    def test_rmea(self, tmp_path: Path, header: str, fps: float) -> None:
        rows = [f"{SMILE[i]} {SMILE[-1 - i]}" for i in range(N)]
        signals = read_signals(text(tmp_path / "a.txt", "\n".join([header, *rows])), fps=fps)
        assert signals.names == ("pat", "th")
        np.testing.assert_array_equal(signals.values[:, 1], SMILE[::-1])
        np.testing.assert_allclose(signals.time, ROWS / fps)

    @pytest.mark.parametrize("pad", [" ", "   "])
    def test_aligned_with_spaces(self, tmp_path: Path, pad: str) -> None:
        rows = [f"{pad}{SECONDS[i]}{pad}{SMILE[i]} " for i in range(N)]
        path = text(tmp_path / "a.txt", "\n".join([f"{pad}time{pad}smile", *rows]))
        signals = read_signals(path)
        assert signals.names == ("smile",)
        np.testing.assert_array_equal(signals.values[:, 0], SMILE)

    def test_one_column_whose_name_has_spaces(self, tmp_path: Path) -> None:
        path = text(tmp_path / "a.csv", "left smile\n" + "\n".join(map(str, SMILE)))
        assert read_signals(path, fps=30).names == ("left smile",)

    def test_row_names_of_write_table_in_r(self, tmp_path: Path) -> None:
        rows = [f'"{i + 1}" {SECONDS[i]} {SMILE[i]}' for i in range(N)]
        path = text(tmp_path / "a.txt", "\n".join(['"time" "left smile"', *rows]))
        signals = read_signals(path)
        assert signals.names == ("left smile",)
        np.testing.assert_array_equal(signals.values[:, 0], SMILE)
        with pytest.raises(InputError, match="another number of cells"):
            read_signals(text(path, path.read_text().replace(" ", ",").replace("left,", "")))

    @pytest.mark.parametrize("first", ["sep=;\n", '"sep=;"\n', "sep=;;;\n", "\n\nsep=;\n", ""])
    @pytest.mark.parametrize("end", ["", ";", ";;"])
    def test_excel(self, tmp_path: Path, first: str, end: str) -> None:
        rows = [f"{SECONDS[i]};{SMILE[i]}{end}".replace(".", ",") for i in range(N)]
        for names in (f"time;smile{end}", "time;smile"):
            content = first + "\n".join([names, *rows]) + "\n"
            signals = read_signals(text(tmp_path / "a.csv", content))
            assert signals.names == ("smile",)
            np.testing.assert_array_equal(signals.values[:, 0], SMILE)

    def test_empty_rows_at_the_end(self, tmp_path: Path) -> None:
        path = text(tmp_path / "a.csv", "time;smile\n0,0;1\n0,1;2\n;\n;\n")
        assert read_signals(path).n_frames == 2
        with pytest.raises(InputError, match="no time in line 3"):
            read_signals(text(path, "time;smile\n0,0;1\n;\n0,1;2\n"))

    def test_a_separator_that_is_stated(self, tmp_path: Path) -> None:
        content = "sep=|\ntime|a,b,c\n" + "".join(f"{SECONDS[i]}|{SMILE[i]}\n" for i in range(N))
        assert read_signals(text(tmp_path / "a.csv", content)).names == ("a,b,c",)

    def test_lines_are_told_as_in_the_file(self, tmp_path: Path) -> None:
        for first, line in (("", 3), ("sep=;\n", 4), ("\n\n", 5)):
            path = text(tmp_path / "a.csv", first + "time;smile\n0,0;1\n0,1;lost\n")
            with pytest.raises(InputError, match=f"text in line {line}"):
                read_signals(path)

    def test_a_nameless_column_that_holds_something(self, tmp_path: Path) -> None:
        path = text(tmp_path / "a.csv", "time;smile;\n0,0;1;\n0,1;2;5\n")
        with pytest.raises(InputError, match="column 3 has no name"):
            read_signals(path)


class TestPeople:
    def test_blank_identities_belong_to_nobody(self, tmp_path: Path) -> None:
        who = ["Person_0", "", "NaN", *["Person_0"] * (N - 3)]
        path = pyfeat(tmp_path / "a.csv", SMILE, Identity=who)
        signals = read_signals(path, fps=30)
        np.testing.assert_allclose(signals.time, np.r_[0, ROWS[3:]] / 30)

    def test_nor_are_they_one_of_two(self, tmp_path: Path) -> None:
        who = ["Person_0", "Person_1", "", *["Person_0"] * (N - 3)]
        path = pyfeat(tmp_path / "a.csv", SMILE, Identity=who)
        with pytest.raises(InputError, match=r"holds 2 people.*'Person_0', 'Person_1'"):
            read_signals(path, fps=30)

    def test_none_at_all(self, tmp_path: Path) -> None:
        path = pyfeat(tmp_path / "a.csv", SMILE, Identity=[""] * N)
        assert read_signals(path, fps=30).n_frames == N


class TestLiveLinkFace:
    def write(self, path: Path, start: float, rate: int, n: int = N, lost: int = -1) -> Path:
        lines = [",".join(["Timecode", "BlendshapeCount", *(s[0].upper() + s[1:] for s in ARKIT)])]
        for i in range(n):
            second, frame = divmod(round(start * rate) + i, rate)
            day = f"{second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
            cells = ["0", *[""] * 52] if i == lost else ["61", *[f"{0.01 * i:.2f}"] * 52]
            lines.append(",".join([f"{day}:{frame:02d}.500", *cells]))
        return text(path, "\n".join(lines))

    @pytest.mark.parametrize("rate", [24, 25, 30, 60])
    def test_timecodes(self, tmp_path: Path, rate: int) -> None:
        signals = read_signals(self.write(tmp_path / "a.csv", 39_575.5, rate, 2 * rate, lost=3))
        assert signals.backend == "Live Link Face"
        assert signals.schema == "arkit-blendshapes"
        assert signals.names[:2] == BLENDSHAPES[1:3]
        assert signals.names[-1] == "tongueOut"
        start = round(39_575.5 * rate) / rate + 0.5 / rate
        np.testing.assert_allclose(signals.time, start + np.arange(2 * rate) / rate)
        assert np.isnan(signals.values[3]).all()
        assert signals.confidence is not None
        assert signals.confidence[[2, 3]].tolist() == [1, 0]

    def test_over_midnight(self, tmp_path: Path) -> None:
        signals = read_signals(self.write(tmp_path / "a.csv", 86_399.5, 30))
        np.testing.assert_allclose(np.diff(signals.time), 1 / 30)

    def test_too_short_to_tell(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="how many frames its timecodes count"):
            read_signals(self.write(tmp_path / "a.csv", 10.1, 60, 20))

    def test_a_spoilt_timecode(self, tmp_path: Path) -> None:
        path = self.write(tmp_path / "a.csv", 10.5, 30)
        path.write_text(path.read_text().replace("00:00:11:00.500", "later"))
        with pytest.raises(InputError, match=r"no timecode in line 17.*'later'"):
            read_signals(path)


def test_results_of_mediapipe_in_javascript(tmp_path: Path) -> None:
    frames = [
        {
            "timestampMs": 40 * i,
            "faceLandmarks": [],
            "faceBlendshapes": []
            if i == 2
            else [
                {
                    "headIndex": -1,
                    "headName": "",
                    "categories": [
                        {"index": k, "score": 0.01 * i, "categoryName": name, "displayName": ""}
                        for k, name in enumerate(BLENDSHAPES)
                    ],
                }
            ],
        }
        for i in range(5)
    ]
    signals = read_signals(text(tmp_path / "a.json", json.dumps(frames)))
    np.testing.assert_allclose(signals.time, np.arange(5) * 0.04)
    np.testing.assert_allclose(signals.values[3], 0.03)
    assert np.isnan(signals.values[2]).all()
    frames[1]["faceBlendshapes"] *= 2
    with pytest.raises(InputError, match="2 faces in frame 1"):
        read_signals(text(tmp_path / "a.json", json.dumps(frames)))


class TestWhatIsNoMovement:
    """Clocks, numbers of trials, marks of lost frames and codes passed for movements."""

    def test_what_never_turns_back_is_a_clock(self, tmp_path: Path) -> None:
        jitter = SECONDS * 1.0003 + np.random.default_rng(0).uniform(0, 0.02, N)
        columns = {"time": SECONDS, "elapsed": jitter, "left": 100 - jitter, "smile": SMILE}
        signals = read_signals(write(tmp_path / "a.csv", columns))
        assert signals.names == ("smile",)
        assert "'elapsed', 'left' only count," in signals.findings[0].message

    def test_numbers_of_trials(self, tmp_path: Path) -> None:
        columns = {"time": SECONDS, "part": ROWS // 12 + 1, "on": ROWS // 25, "smile": SMILE}
        signals = read_signals(write(tmp_path / "a.csv", columns))
        assert signals.names == ("on", "smile")  # once up may be a movement
        assert codes(signals) == ["counter-left-out"]

    @pytest.mark.parametrize("name", ["success", "Tracked", "confidence"])
    def test_rows_without_anybody_are_missing(self, tmp_path: Path, name: str) -> None:
        seen = (ROWS < 10) | (ROWS > 15)
        columns = {"time": SECONDS, "smile": np.where(seen, SMILE, 0), name: seen.astype(int)}
        signals = read_signals(write(tmp_path / "a.csv", columns))
        assert signals.names == ("smile",)
        assert np.array_equal(np.isnan(signals.values[:, 0]), ~seen)
        assert signals.confidence is not None
        assert np.array_equal(signals.confidence > 0, seen)
        assert codes(signals) == ["lost-rows"]
        assert "is 0 in 6 of 40 rows" in signals.findings[0].message

    def test_a_confidence_in_percent_is_refused(self, tmp_path: Path) -> None:
        columns = {"time": SECONDS, "smile": SMILE, "Confidence": ROWS + 50}
        with pytest.raises(InputError, match=r"column 'Confidence' is no confidence.*by 100"):
            read_signals(write(tmp_path / "a.csv", columns))

    def test_what_is_no_mark_of_lost_rows_stays(self, tmp_path: Path) -> None:
        columns = {"time": SECONDS, "valid": SMILE, "confidence": [0] * N}
        signals = read_signals(write(tmp_path / "a.csv", columns))
        assert signals.names == ("valid",)
        assert np.isfinite(signals.values).all()

    @pytest.mark.parametrize("code", ["-999", "9999.0", "-99"])
    def test_a_code_for_missing_values_is_refused(self, tmp_path: Path, code: str) -> None:
        values = [code if i in (7, 8) else str(v) for i, v in enumerate(SMILE)]
        path = write(tmp_path / "a.csv", {"time": SECONDS, "frown": SMILE, "smile": values})
        with pytest.raises(InputError, match=r"'smile' is .* in line 9 and 1 more, far") as caught:
            read_signals(path)
        assert caught.value.expected.startswith(f"numbers like the others, {SMILE.min():.6g} to")

    def test_places_that_are_nowhere_are_refused(self, tmp_path: Path) -> None:
        place = [0 if i < 5 else 300 + v for i, v in enumerate(SMILE)]
        path = write(tmp_path / "a.csv", {"time": SECONDS, "x0": place, "y0": 100 + SMILE})
        with pytest.raises(InputError, match="'x0' is 0 in line 2 and 4 more"):
            read_signals(path)

    def test_numbers_that_only_look_like_codes_stay(self, tmp_path: Path) -> None:
        columns = {
            "time": SECONDS,
            "still or not": np.where(ROWS % 7 < 3, 0, SMILE),
            "wide": [99 if i == 3 else 40 * v for i, v in enumerate(SMILE)],
            "switch": np.where(ROWS % 9 < 4, 99, 0),
        }
        signals = read_signals(write(tmp_path / "a.csv", columns))
        assert signals.names == ("still or not", "wide", "switch")
        assert codes(signals) == []

    def test_labels_are_left_out(self, tmp_path: Path) -> None:
        columns = {
            "time": SECONDS,
            "Marker": np.where(ROWS % 9, 0, 7),  # in both recordings it would be imitated at once
            "condition": ["smile, then rest" if row % 11 < 5 else "" for row in ROWS],
            "phase": SMILE,
        }
        signals = read_signals(write(tmp_path / "a.tsv", columns, "\t"))
        assert signals.names == ("phase",)
        assert codes(signals) == ["labels-left-out"]
        assert "'Marker', 'condition'" in signals.findings[0].message

    def test_two_clocks_that_contradict_each_other(self, tmp_path: Path) -> None:
        columns = {"time": SECONDS, "timestamp_ms": 500 * SECONDS, "smile": SMILE}
        signals = read_signals(write(tmp_path / "a.csv", columns))
        assert codes(signals) == ["clocks-differ"]
        assert "'time' it takes 1.3 s, by 'timestamp_ms' 0.65 s" in signals.findings[0].message
        columns["timestamp_ms"] = 90_000 + 1000 * SECONDS
        assert not read_signals(write(tmp_path / "b.csv", columns)).findings


class TestWhose:
    """Tables of no known tool that hold several people: twice the rows made twice the time."""

    @pytest.mark.parametrize("order", [np.argsort(np.tile(ROWS, 2), kind="stable"), slice(None)])
    @pytest.mark.parametrize("who", [("1", "2"), ("P 01", "P 02")])
    def test_one_is_asked_for(self, tmp_path: Path, who: tuple[str, str], order: Any) -> None:
        columns = {"smile": np.r_[SMILE, -SMILE][order], "Subject": np.repeat(who, N)[order]}
        path = write(tmp_path / "a.csv", columns)
        with pytest.raises(InputError, match=r"2 people \(column 'Subject'\)"):
            read_signals(path, fps=30)
        signals = read_signals(path, fps=30, person=who[1])
        assert signals.names == ("smile",)
        assert np.array_equal(signals.values[:, 0], -SMILE)

    def test_the_only_one_is_no_signal(self, tmp_path: Path) -> None:
        columns = {"time": SECONDS, "participant": ["P01"] * N, "smile": SMILE}
        signals = read_signals(write(tmp_path / "a.csv", columns))
        assert signals.names == ("smile",)

    def test_a_movement_of_that_name_stays(self, tmp_path: Path) -> None:
        columns = {"time": SECONDS, "participant": SMILE, "face": SMILE**2}
        assert read_signals(write(tmp_path / "a.csv", columns)).names == ("participant", "face")

    def test_lines_are_those_of_the_file(self, tmp_path: Path) -> None:
        columns = {"smile": ["x" if row == 30 else row % 5 for row in ROWS], "id": ROWS % 2}
        path = write(tmp_path / "a.csv", columns)
        with pytest.raises(InputError, match="'smile' holds text in line 32"):
            read_signals(path, fps=30, person=0)
        assert read_signals(path, fps=30, person=1).n_frames == N // 2
