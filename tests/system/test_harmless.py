"""Names of strangers do nothing where they are shown or opened, and stay whole in Parquet."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bitbox.cli.terminal import Terminal
from bitbox.errors import InputError
from bitbox.findings import Finding
from bitbox.readers import read_signals
from bitbox.signals import Signals
from bitbox.system.harmless import cell, cells, for_netcdf, from_cell, visible
from bitbox.workflow.run import Settings, imitate_files

HOSTILE = (
    "=cmd|' /C calc'!A0",
    "@SUM(1)",
    "+1",
    "-2+3",
    "\tx",
    "\uff1d1",
    "red \x1b[31m\x1b]0;title\x07",
    "back\x08\x9b2J",
    "a\u202egnp.exe",
    "\u2066b",
    "two\nlines",
    "nul\0byte",
    "nul\0",
    "<script>",
    "[bold]x[/]",
)


def signals(seconds: float = 30) -> Signals:
    time = np.arange(round(seconds * 10)) / 10
    rng = np.random.default_rng(3)
    values = rng.normal(size=(len(time), len(HOSTILE))).cumsum(axis=0)
    return Signals(
        values, time, HOSTILE, kind="expression", schema="mine", units="mm", backend="test"
    )


class TestText:
    @pytest.mark.parametrize("name", HOSTILE)
    def test_nothing_unseen_is_left(self, name: str) -> None:
        shown = visible(name)
        assert shown.isprintable()
        assert visible(shown) == shown

    def test_what_is_seen_stays(self) -> None:
        for text in ("Lächeln", "ابتسامة", "می‌خواهم", "微笑", "👩‍🔬 [x]", "a\\b"):
            assert visible(text) == text
        assert visible("a\nb\x1b", lines=True) == "a\nb\\x1b"
        assert visible("\udce9\u202e") == "\\udce9\\u202e"

    @given(st.text(alphabet="'=+-@\tab", max_size=6))
    def test_a_cell_can_be_taken_back(self, text: str) -> None:
        assert from_cell(cell(text)) == text
        assert cell(text)[:1] not in tuple("=+-@\t")


class TestCsv:
    def first_characters(self, text: str) -> set[str]:
        rows = csv.reader(io.StringIO(text))
        return {field[0] for row in rows for field in row if field and not _is_number(field)}

    def test_names_and_cells(self) -> None:
        frame = pd.DataFrame({"=a": ["=b", "c"], "n": [-1.5, 2]}, index=["+x", "y"])
        text = cells(frame).to_csv()
        assert self.first_characters(text) == {"'", "n", "c", "y"}
        assert "-1.5" in text
        assert list(frame.columns) == ["=a", "n"]

    def test_signals_come_back(self, tmp_path: Path) -> None:
        names = ("=cmd", "'=cmd", "@x", "ok", "'quoted'")
        own = signals().select(HOSTILE[:5]).replace(names=names)
        path = own.to_csv(tmp_path / "a.csv")
        assert self.first_characters(path.read_text()) <= {"'", "t", "o"}
        assert read_signals(path).names == names

    def test_results(self, tmp_path: Path) -> None:
        """Every table of a run, its NetCDF and its Parquet."""
        for name in ("p", "m"):
            signals().to_parquet(tmp_path / f"{name}.parquet")
        run = imitate_files(
            tmp_path / "p.parquet",
            tmp_path / "m.parquet",
            tmp_path / "out",
            Settings(windows=True, n_surrogates=19),
        )
        for name in ("scorecard.csv", "pairs.csv"):
            text = (run.folder / name).read_text(encoding="utf-8")
            assert not self.first_characters(text) & set("=+-@\t\uff1d"), name
            assert "'=cmd" in text
        with xr.open_dataset(run.folder / "windows.nc", engine="h5netcdf") as windows:
            names = windows["participant"].to_numpy().tolist()
        assert names == [name.replace("\0", "\\x00") for name in HOSTILE]
        assert Signals.from_parquet(run.folder / "participant.parquet").names == HOSTILE


def test_netcdf_keeps_what_is_no_name() -> None:
    dataset = xr.Dataset(
        {"r": ("n", [1.0])}, coords={"n": np.array(["a\0"], dtype=object), "t": ("n", [0.5])}
    )
    again = for_netcdf(dataset)
    assert again["n"].to_numpy().tolist() == ["a\\x00"]
    assert again["t"].to_numpy().tolist() == [0.5]


def test_names_that_no_file_can_hold() -> None:
    with pytest.raises(InputError, match="cannot be written"):
        signals().replace(names=("\udce9", *HOSTILE[1:]))


class TestTerminal:
    def output(self) -> tuple[Terminal, io.StringIO]:
        stream = io.StringIO()
        terminal = Terminal()
        terminal.out = terminal.err = Console(
            file=stream, highlight=False, soft_wrap=True, color_system=None, width=1000
        )
        return terminal, stream

    @pytest.mark.parametrize("name", HOSTILE)
    def test_every_way_to_show(self, name: str) -> None:
        terminal, stream = self.output()
        terminal.say(name)
        terminal.show(name)
        terminal.table(pd.DataFrame({"x": [name]}, index=[name]), name, {"x": str}, {})
        terminal.findings([Finding("code", "info", name, name)])
        terminal.error(InputError(name, expected=name, got=name, todo=name))
        text = stream.getvalue()
        assert text.count(visible(name, lines=True).split("\n")[0]) >= 10
        assert not {c for c in text if not c.isprintable()} - {"\n"}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
