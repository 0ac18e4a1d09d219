"""Times that cannot be true are refused or overruled by what the user states, never used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitbox.errors import InputError, ParameterError
from bitbox.readers import read_openpose, read_signals, read_threedi
from bitbox.readers.blendshapes import BLENDSHAPES
from bitbox.signals import Signals
from bitbox.signals.alignment import align

N = 40
FRAMES = np.arange(N)
SECONDS = np.round(FRAMES / 30, 3)


def write(path: Path, columns: dict[str, Any]) -> Path:
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(columns), *(",".join(str(cell) for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def plain(path: Path, time: Any, **columns: Any) -> Path:
    return write(path, {"time": time, **columns, "smile": np.sin(FRAMES)})


def openface(path: Path, timestamp: Any, frame: Any = FRAMES + 1) -> Path:
    columns = {"frame": frame, "timestamp": timestamp, "success": [1] * N}
    return write(path, columns | {"AU12_r": np.sin(FRAMES) + 1})


def libreface(path: Path, times: Any) -> Path:
    columns = {"frame_idx": FRAMES, "frame_time_in_ms": times}
    return write(path, columns | {"au_12_intensity": np.sin(FRAMES) + 1})


def blendshapes(path: Path, **times: Any) -> Path:
    face = [[{"category_name": name, "score": 0.1} for name in BLENDSHAPES]]
    frames = [
        {name: float(values[i]) for name, values in times.items()} | {"face_blendshapes": face}
        for i in range(N)
    ]
    path.write_text(json.dumps(frames))
    return path


def codes(signals: Signals) -> list[str]:
    return [finding.code for finding in signals.findings]


class TestImpossibleRates:
    def test_seconds_in_a_column_of_milliseconds(self, tmp_path: Path) -> None:
        path = libreface(tmp_path / "a.csv", SECONDS)
        with pytest.raises(InputError, match=r"'frame_time_in_ms'.*seconds.*time_unit='s'"):
            read_signals(path)
        signals = read_signals(path, time_unit="s")
        np.testing.assert_array_equal(signals.time, SECONDS)
        assert codes(signals) == []

    def test_milliseconds_in_a_column_of_seconds(self, tmp_path: Path) -> None:
        path = plain(tmp_path / "a.csv", SECONDS * 1000)
        with pytest.raises(InputError, match=r"'time'.*0\.03 a second.*likely milliseconds"):
            read_signals(path)
        np.testing.assert_allclose(read_signals(path, time_unit="ms").time, SECONDS)

    @pytest.mark.parametrize(("unit", "factor"), [("us", 1e6), ("ns", 1e9)])
    def test_finer_units(self, tmp_path: Path, unit: str, factor: float) -> None:
        path = plain(tmp_path / "a.csv", SECONDS * factor)
        with pytest.raises(InputError, match=f"time_unit='{unit}'"):
            read_signals(path)
        np.testing.assert_allclose(read_signals(path, time_unit=unit).time, SECONDS)

    def test_frame_numbers_called_time(self, tmp_path: Path) -> None:
        path = plain(tmp_path / "a.csv", np.where(FRAMES < 20, FRAMES, FRAMES + 30))
        with pytest.raises(InputError, match=r"likely frame numbers.*fps"):
            read_signals(path)
        signals = read_signals(path, fps=30)
        np.testing.assert_allclose(signals.time[[0, 1, 20]], [0, 1 / 30, 50 / 30])
        assert codes(signals) == ["times-not-used"]

    def test_openface_at_a_thousand_a_second(self, tmp_path: Path) -> None:
        path = openface(tmp_path / "a.csv", FRAMES / 1000)
        with pytest.raises(InputError, match="1,000 a second"):
            read_signals(path)
        signals = read_signals(path, fps=30)
        np.testing.assert_allclose(signals.time, FRAMES / 30)
        (finding,) = signals.findings
        assert (finding.code, finding.severity) == ("times-not-used", "warning")
        assert "1,000 a second" in finding.message

    @pytest.mark.parametrize(("name", "factor"), [("timestamp", 1000), ("timestamp_ms", 1)])
    def test_json(self, tmp_path: Path, name: str, factor: float) -> None:
        path = blendshapes(tmp_path / "a.json", **{name: SECONDS * factor})
        with pytest.raises(InputError, match="3 to 500 frames a second"):
            read_signals(path)
        unit = "ms" if factor == 1000 else "s"
        np.testing.assert_allclose(read_signals(path, time_unit=unit).time, SECONDS)
        np.testing.assert_allclose(read_signals(path, fps=30).time, FRAMES / 30, atol=5e-4)

    def test_blendshapes_table(self, tmp_path: Path) -> None:
        columns: dict[str, Any] = {"timestamp_ms": SECONDS}
        columns |= {name: np.full(N, 0.1) for name in BLENDSHAPES}
        path = write(tmp_path / "a.csv", columns)
        with pytest.raises(InputError, match="likely seconds"):
            read_signals(path)

    def test_a_stated_unit_is_believed_and_the_rate_is_told(self, tmp_path: Path) -> None:
        signals = read_signals(plain(tmp_path / "a.csv", FRAMES), time_unit="s")
        np.testing.assert_array_equal(signals.time, FRAMES)
        assert codes(signals) == ["unlikely-times"]

    @pytest.mark.parametrize("rate", [3.5, 24, 120, 499])
    def test_possible_rates(self, tmp_path: Path, rate: float) -> None:
        assert codes(read_signals(plain(tmp_path / "a.csv", FRAMES / rate))) == []

    @pytest.mark.parametrize("fps", [1, 2.9, 501, 1e6])
    def test_impossible_fps(self, tmp_path: Path, fps: float) -> None:
        (tmp_path / "v_rects.3DI").write_text("1 2 3 4\n" * 5)
        with pytest.raises(ParameterError, match="from 3 to 500"):
            read_threedi(tmp_path / "v_rects.3DI", fps)
        with pytest.raises(ParameterError, match="from 3 to 500"):
            read_openpose(tmp_path, fps)
        with pytest.raises(ParameterError, match="from 3 to 500"):
            read_signals(write(tmp_path / "a.csv", {"smile": np.sin(FRAMES)}), fps=fps)


class TestTimesAgainstFrames:
    SKIPPED = np.where(FRAMES < 20, FRAMES, FRAMES + 30)  # a second is missing

    def test_skipped_frames_that_take_no_time(self, tmp_path: Path) -> None:
        path = openface(tmp_path / "a.csv", SECONDS, self.SKIPPED + 1)
        with pytest.raises(InputError, match="contradict each other from line 21 to line 22"):
            read_signals(path)
        by_frames = read_signals(path, fps=30)
        np.testing.assert_allclose(by_frames.time, self.SKIPPED / 30)
        assert codes(by_frames) == ["times-not-used"]
        by_time = read_signals(path, time_unit="s")
        np.testing.assert_array_equal(by_time.time, SECONDS)
        assert codes(by_time) == ["unlikely-times"]

    def test_in_any_table(self, tmp_path: Path) -> None:
        path = plain(tmp_path / "a.csv", SECONDS, frame=self.SKIPPED)
        with pytest.raises(InputError, match="contradict"):
            read_signals(path)

    def test_frame_numbers_that_start_again(self, tmp_path: Path) -> None:
        path = plain(tmp_path / "a.csv", SECONDS, frame=FRAMES % 25)
        with pytest.raises(InputError, match=r"line 26 to line 27.*frame numbers that increase"):
            read_signals(path)

    def test_skipped_frames_that_take_their_time(self, tmp_path: Path) -> None:
        path = openface(tmp_path / "a.csv", np.round(self.SKIPPED / 30, 3), self.SKIPPED + 1)
        assert codes(read_signals(path)) == []

    def test_a_pause_of_the_camera(self, tmp_path: Path) -> None:
        path = openface(tmp_path / "a.csv", np.round(self.SKIPPED / 30, 3))
        signals = read_signals(path)
        assert signals.time[20] == pytest.approx(50 / 30, abs=1e-3)
        assert codes(signals) == []

    def test_times_that_stand_still(self, tmp_path: Path) -> None:
        path = libreface(tmp_path / "a.csv", np.zeros(N))
        with pytest.raises(InputError, match="stands still in line 3"):
            read_signals(path)
        signals = read_signals(path, fps=25)
        np.testing.assert_allclose(signals.time, FRAMES / 25)
        assert codes(signals) == ["times-not-used"]


class TestStated:
    def test_fps_that_is_not_needed(self, tmp_path: Path) -> None:
        signals = read_signals(plain(tmp_path / "a.csv", SECONDS), fps=25)
        np.testing.assert_array_equal(signals.time, SECONDS)
        assert codes(signals) == ["fps-not-used"]
        assert codes(read_signals(plain(tmp_path / "a.csv", SECONDS), fps=30)) == []

    def test_a_unit_for_nothing(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", {"smile": np.sin(FRAMES)})
        with pytest.raises(ParameterError, match="no times"):
            read_signals(path, fps=30, time_unit="ms")
        with pytest.raises(ParameterError, match="'min'"):
            read_signals(path, fps=30, time_unit="min")  # type: ignore[arg-type]

    def test_it_is_recorded_and_reaches_the_analysis(self, tmp_path: Path) -> None:
        path = openface(tmp_path / "a.csv", FRAMES / 1000)
        signals = read_signals(path, fps=30)
        assert signals.provenance["settings"] == {"fps": 30}
        again = Signals.from_parquet(signals.to_parquet(tmp_path / "a.parquet"))
        assert again.findings == signals.findings
        found = align(again, read_signals(plain(tmp_path / "b.csv", SECONDS))).findings
        assert [f.code for f in found] == ["times-not-used"]
        assert found[0].message.startswith("Participant: The times of a.csv")

    def test_times_of_day_are_told_with_all_digits(self, tmp_path: Path) -> None:
        time = 1_700_000_000 + SECONDS
        time[5] = time[4]
        with pytest.raises(InputError, match=r"later than 1700000000\.133"):
            read_signals(plain(tmp_path / "a.csv", time))


class TestTheFirstFrame:
    """One file numbers its frames from 0, the other from 1: that is no time between them."""

    @pytest.mark.parametrize("first", [0, 1, 7])
    def test_of_any_table(self, tmp_path: Path, first: int) -> None:
        path = write(tmp_path / "a.csv", {"frame": FRAMES + first, "smile": np.sin(FRAMES)})
        signals = read_signals(path, fps=30)
        assert signals.time[0] == pytest.approx(0 if first < 2 else first / 30)
        assert [f.code for f in signals.findings] == ["frames-from"] * (first == 1)

    def test_of_a_tool_that_counts_from_1(self, tmp_path: Path) -> None:
        path = write(
            tmp_path / "a.csv", {"frame": FRAMES, "success": [1] * N, "AU12_r": np.sin(FRAMES)}
        )
        signals = read_signals(path, fps=30)
        assert signals.time[0] == 0
        (finding,) = signals.findings
        assert "from 0 rather than 1" in finding.message

    @pytest.mark.parametrize(("seconds", "unit"), [(60, "minutes"), (86_400, "days")])
    def test_longer_units_are_named(self, tmp_path: Path, seconds: int, unit: str) -> None:
        path = write(tmp_path / "a.csv", {"time": FRAMES / 30 / seconds, "smile": np.sin(FRAMES)})
        with pytest.raises(InputError, match=f"likely {unit}: turn them into seconds"):
            read_signals(path)

    def test_the_column_that_likely_holds_the_time_is_named(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", {"Time [s]": FRAMES / 30, "smile": np.sin(FRAMES)})
        with pytest.raises(InputError, match=r"If 'Time \[s\]' holds them, call it 'time'"):
            read_signals(path)
