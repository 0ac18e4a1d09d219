"""Work is bounded before it starts: small files that ask for much are refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitbox.analysis.suggest import suggest
from bitbox.errors import InputError, ParameterError
from bitbox.readers import dialect, read_signals
from bitbox.signals import Signals
from bitbox.signals import checks as signal_checks
from bitbox.signals.alignment import align
from bitbox.social import imitation, imitation_quality
from bitbox.workflow.run import imitate_files
from bitbox.workflow.settings import Settings


def signals(n: int = 2, frames: int = 60, **changes: Any) -> Signals:
    values = np.random.default_rng(n).normal(size=(frames, n))
    arguments = {"kind": "expression", "schema": "mine", "units": "mm", "backend": "test"}
    time = changes.pop("time", np.arange(frames) / 30)
    return Signals(values, time, [f"s{i}" for i in range(n)], **(arguments | changes))


class TestClock:
    def late(self, path: Path) -> Path:
        lines = [f"{i / 30:.3f},{i % 7},{i % 5}" for i in range(60)]
        path.write_text("\n".join(["time,a,b", *lines, "1e9,1,2"]) + "\n")
        return path

    def test_a_last_time_of_a_billion(self, tmp_path: Path) -> None:
        paths = [self.late(tmp_path / f"{name}.csv") for name in "pm"]
        late = read_signals(paths[0])
        assert late.time[-1] == 1e9
        for job in (imitation, imitation_quality, suggest):
            with pytest.raises(InputError, match=r"share 1,000,000,000 s.*Check"):
                job(late, late.shifted(0.5))
        with pytest.raises(InputError, match="frames of 2 signals"):
            imitate_files(*paths, tmp_path / "out", Settings(offset=0.51))
        assert not (tmp_path / "out").exists()

    def test_one_such_recording_is_no_matter(self, tmp_path: Path) -> None:
        late = read_signals(self.late(tmp_path / "a.csv"))
        ordinary = signals().replace(names=("a", "b"), schema="csv")
        assert align(late, ordinary).participant.n_frames <= 61

    @pytest.mark.parametrize("fps", [1e6, 501, 1e300])
    def test_a_rate_of_a_million(self, fps: float) -> None:
        for job in (imitation, imitation_quality):
            with pytest.raises(ParameterError, match="fps up to 500"):
                job(signals(), signals(), fps=fps)

    def test_what_was_recorded_faster(self) -> None:
        fast = signals(time=np.arange(60) / 1000)
        assert align(fast, fast, fps=1000).fps == 1000
        assert align(fast, signals(frames=3)).fps == pytest.approx(30)

    def test_a_rate_for_a_table(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("smile\n1\n2\n4\n")
        with pytest.raises(ParameterError, match="fps from 3 to 500"):
            read_signals(tmp_path / "a.csv", fps=1e6)


class TestOpenPose:
    def test_frame_numbers_of_a_trillion(self, tmp_path: Path) -> None:
        person = {"pose_keypoints_2d": [1.0] * 75}
        for number in (0, 1, 10**12 - 1):
            path = tmp_path / f"v_{number:012d}_keypoints.json"
            path.write_text(json.dumps({"people": [person]}))
        with pytest.raises(InputError, match=r"3 files with numbers from 0 to 999,999,999,999"):
            read_signals(tmp_path, fps=30)


class TestManySignals:
    @pytest.mark.parametrize("doubled", [False, True])
    def test_a_hundred_thousand_names(self, doubled: bool) -> None:
        names = [f"s{i}" for i in range(100_000)]
        if doubled:
            names[-1] = names[0]
            with pytest.raises(InputError, match="'s0' more than once"):
                signals(1).replace(values=np.zeros((60, 100_000)), names=names)
            return
        many = signals(1).replace(values=np.zeros((60, 100_000)), names=names)
        assert many.select(names[::-1]).names[0] == "s99999"
        for job in (imitation, imitation_quality, suggest):
            with pytest.raises(InputError, match=r"too many signals.*100,000 and 100,000"):
                job(many, many)

    def test_a_table_of_many_columns(self, tmp_path: Path) -> None:
        names = [f"s{i}" for i in range(10_000)]
        rows = [",".join([f"{i / 30:.3f}", *["1"] * len(names)]) for i in range(3)]
        (tmp_path / "a.csv").write_text("\n".join([",".join(["time", *names]), *rows]))
        assert read_signals(tmp_path / "a.csv").names == tuple(names)

    def test_two_thousand_signals(self) -> None:
        many = signals(2000)
        with pytest.raises(InputError, match=r"2,000 and 2,000.*250,000 pairs \(as of 500"):
            imitation_quality(many, many)
        mean, _, _ = imitation(many, many, width=1, step=1, lag=0)  # the matrix alone is possible
        np.testing.assert_allclose(np.diag(mean), 1, atol=1e-6)

    def test_every_window_of_many(self) -> None:
        many = signals(1500, frames=300)
        with pytest.raises(InputError, match=r"every window is too large.*2,250,000 columns"):
            imitation(many, many, width=0.5, step=0.1, lag=0.1, stats=False)


class TestFiles:
    def test_rows_times_columns(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(signal_checks, "MOST_CELLS", 100)
        (tmp_path / "a.csv").write_text("time,a\n" + "0,1\n" * 60)
        with pytest.raises(InputError, match="too large: 61 rows of 2 columns"):
            read_signals(tmp_path / "a.csv")

    @pytest.mark.parametrize("name", ["a.csv", "a.json", "v_rects.3DI"])
    def test_bytes(self, tmp_path: Path, name: str) -> None:
        """A file of 3 GB that takes no room: only its size is looked at."""
        with (tmp_path / name).open("wb") as file:
            file.truncate(dialect.MOST_BYTES + 1)
        with pytest.raises(InputError, match=r"too large.*up to 2 GB"):
            read_signals(tmp_path / name, fps=30)

    def test_bytes_of_parquet(self, tmp_path: Path) -> None:
        with (tmp_path / "a.parquet").open("wb") as file:
            file.truncate(2_000_000_000)
        with pytest.raises(InputError, match="too large"):
            read_signals(tmp_path / "a.parquet")
