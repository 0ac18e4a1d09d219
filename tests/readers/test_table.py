"""Strict CSV: every way in which a file can be wrong has its sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitbox.errors import InputError
from bitbox.readers.table import check_times, read_table


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "data.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


class TestReading:
    @pytest.mark.parametrize(
        "text",
        [
            "a,b\n1,2\n3,4.5\n",
            "a,b\r\n1,2\r\n3,4.5\r\n",
            "\ufeffa,b\n1,2\n3,4.5",
            " a , b \n 1, 2\n3 ,4.5e0 \n",
            'a;b\n"1";2\n3;4,5\n',
            "a\tb\n1\t2\n3\t4.5\n",
            "\na,b\n\n1,2\n3,4.5\n\n",
            ",a,b\n0,1,2\n1,3,4.5\n",
        ],
    )
    def test_dialects(self, tmp_path: Path, text: str) -> None:
        table = read_table(write(tmp_path, text))
        assert table.names == ("a", "b")
        np.testing.assert_array_equal(table.matrix("ab"), [[1, 2], [3, 4.5]])

    def test_missing_values_are_nan(self, tmp_path: Path) -> None:
        table = read_table(write(tmp_path, "a,b\n,1\nNaN,1\n NA ,1\nnull,1\n0,1\n"))
        np.testing.assert_array_equal(table.numbers("a"), [np.nan] * 4 + [0])

    def test_text_columns_stay_text(self, tmp_path: Path) -> None:
        table = read_table(write(tmp_path, 'who,"a, b"\n"=cmd()" ,1\n<b>,2\n'))
        assert table.names == ("who", "a, b")
        assert table.text("who") == ["=cmd()", "<b>"]

    def test_thousands_are_not_taken_for_decimals(self, tmp_path: Path) -> None:
        table = read_table(write(tmp_path, "a\tb\n1,234.5\t1\n"))
        with pytest.raises(InputError, match="'a' holds text in line 2"):
            table.numbers("a")

    def test_no_digit_is_lost(self, tmp_path: Path) -> None:
        values = np.random.default_rng(0).normal(size=50) * 10.0 ** np.arange(-25, 25)
        text = "a\n" + "\n".join(repr(float(value)) for value in values)
        np.testing.assert_array_equal(read_table(write(tmp_path, text)).numbers("a"), values)


class TestRefusing:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "is empty"),
            (" \n\n", "is empty"),
            ("a,b\n", "no rows"),
            ("a,a\n1,2\n", "two columns called 'a'"),
            ("a, a\n1,2\n", "two columns called 'a'"),
            ("a,,b\n1,2,3\n", "column 2 has no name"),
            (",a\n5,2\n6,3\n", "column 1 has no name"),
            ("1,2\n3,4\n", "instead of column names"),
            ("a,b\n1,2\n3\n", "line 3 .*Expected 2 cells, but got 1"),
            ("a,b\n1,2\n3,4,5\n", "line 3 .*Expected 2 cells, but got 3"),
            (b"a,b\n\xe4,2\n", "not UTF-8"),
            ("a,b\n1,2\n".encode("utf-16"), "not UTF-8"),
            (b"a,b\n1,\x00\n", "not a text file"),
        ],
    )
    def test_files(self, tmp_path: Path, text: str | bytes, words: str) -> None:
        with pytest.raises(InputError, match=words):
            read_table(write(tmp_path, text))

    @pytest.mark.parametrize("cell", ["x", "1,5", "1 2", "--", "12:30", "1_000"])
    def test_text_among_numbers(self, tmp_path: Path, cell: str) -> None:
        table = read_table(write(tmp_path, f'a\n1\n"{cell}"\n'))
        with pytest.raises(InputError, match="'a'"):
            table.numbers("a")

    def test_the_line_of_text_is_named(self, tmp_path: Path) -> None:
        table = read_table(write(tmp_path, "a\n1\n2\nlost\n"))
        with pytest.raises(InputError, match=r"'a' holds text in line 4.*'lost'"):
            table.numbers("a")

    @pytest.mark.parametrize("cell", ["inf", "-inf", "Infinity", "1e999"])
    def test_infinities(self, tmp_path: Path, cell: str) -> None:
        table = read_table(write(tmp_path, f"a\n1\n{cell}\n"))
        with pytest.raises(InputError, match="infinite in line 3"):
            table.numbers("a")

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no file"):
            read_table(tmp_path / "nothing.csv")

    @pytest.mark.parametrize(
        ("times", "words"),
        [
            ([0, 1, 0.5], "runs backwards in line 4"),
            ([0, 1, 1], "stands still in line 4"),
            ([0, np.nan, 1], "no time in line 3"),
        ],
    )
    def test_times(self, times: list[float], words: str) -> None:
        with pytest.raises(InputError, match=words):
            check_times(Path("a.csv"), np.array(times))
