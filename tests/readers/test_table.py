"""Strict CSV: every way in which a file can be wrong has its sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bitbox.errors import InputError
from bitbox.readers.order import check_times
from bitbox.readers.table import read_table


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
            "# a b\n1 2\n3 4.5\n",
            "#a,b\n1,2\n3,4.5\n",
            "#;a;b\n1;1;2\n2;3;4,5\n",
        ],
    )
    def test_dialects(self, tmp_path: Path, text: str) -> None:
        table = read_table(write(tmp_path, text))
        assert table.names == ("a", "b")
        np.testing.assert_array_equal(table.matrix("ab"), [[1, 2], [3, 4.5]])

    @pytest.mark.parametrize(
        ("above", "words"),
        [
            ("# exported by X, 2024\n", "Line 1 begins with '#' and was taken for a comment."),
            (
                "\n# by X\n\n#subject;3\n",
                "Lines 2 to 4 begin with '#' and were taken for comments.",
            ),
            ("% by X\n# a row each\n", "Lines 1 to 2"),
        ],
    )
    def test_comments_before_the_names(self, tmp_path: Path, above: str, words: str) -> None:
        table = read_table(write(tmp_path, above + "a,b\n1,2\n3,4.5\n"))
        assert table.names == ("a", "b")
        np.testing.assert_array_equal(table.matrix("ab"), [[1, 2], [3, 4.5]])
        assert table.lines[0] == above.count("\n") + 2
        (finding,) = table.findings
        assert finding.code == "comments-left-out"
        assert words in finding.message

    def test_names_that_numpy_wrote_below_a_comment(self, tmp_path: Path) -> None:
        np.savetxt(tmp_path / "data.csv", [[1, 2], [3, 4.5]], header="by X\na b")
        table = read_table(tmp_path / "data.csv")
        assert table.names == ("a", "b")
        assert [f.message for f in table.findings] == [
            "data.csv: Line 1 begins with '#' and was taken for a comment."
        ]

    def test_names_may_hold_what_separates_numbers(self, tmp_path: Path) -> None:
        table = read_table(write(tmp_path, "a;b, left;c, d, e\n1;2;3\n"))
        assert table.names == ("a", "b, left", "c, d, e")

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
    def test_texts_of_excel(self, tmp_path: Path, encoding: str) -> None:
        table = read_table(write(tmp_path, "a\tbä\r\n1\t2,5\r\n".encode(encoding)))
        assert table.names == ("a", "bä")
        np.testing.assert_array_equal(table.numbers("bä"), [2.5])

    @pytest.mark.parametrize("lines", [65_535, 65_536])
    def test_where_a_spreadsheet_ends(self, tmp_path: Path, lines: int) -> None:
        table = read_table(write(tmp_path, "a\n" + "1\n" * (lines - 1)))
        assert [f.code for f in table.findings] == ["cut-off"] * (lines == 65_536)

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
            ("a,b\n1,2\na, b\n1,3\n", "line 3 repeats the names of the columns"),
            ("a,b\n0,1,0,2\n0,2,0,3\n", "decimal commas"),
            ("Recording of A\na,b\n1,2\n", "names of the columns seem to stand in line 2"),
            ("\nSubject,3,\n\na,b,c\n1,2,3\n", "seem to stand in line 4.*Remove the lines above"),
            ("# by X\nOn: 3.4.\na;b\n1;2\n", "seem to stand in line 3"),
            ("a,b\n1,2\n3\n", "line 3 .*Expected 2 cells, but got 1"),
            ("a,b\n1,2\n3,4,5\n", "line 3 .*Expected 2 cells, but got 3"),
            (b"a,b\n\xe4,2\n", "not UTF-8"),
            ("a,b\n1,2\n".encode("utf-16")[:-1], "not UTF-8"),
            ("a,b\n1,2\n".encode("utf-16-le"), "not a text file"),
            (b"PK\x03\x04\x14\x00", "is a spreadsheet.*save it as 'CSV UTF-8'"),
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

    def test_a_line_of_units(self, tmp_path: Path) -> None:
        table = read_table(write(tmp_path, "time,a\ns,%\n0,1\n"))
        with pytest.raises(InputError, match="If line 2 holds units or other text, remove it"):
            table.numbers("time")

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

    @pytest.mark.parametrize(
        ("times", "words"),
        [
            ([*range(86_395, 86_400), *range(300)], "add what it lost to all times from line 7"),
            ([*range(100), *range(100)], "Two recordings may be joined there.*Don't sort"),
            ([*range(100), *range(95, 300)], "or the clock was set back"),
            (np.floor(np.arange(90) / 30), "too few digits.*give the frame rate as `fps`"),
            (np.random.default_rng(1).permutation(90), "Sort the rows"),
        ],
    )
    def test_what_to_do_about_times(self, times: Sequence[float], words: str) -> None:
        with pytest.raises(InputError, match=words):
            check_times(Path("a.csv"), np.array(times))
