"""Whatever is in a Parquet file, reading it gives Signals or an error for its owner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitbox.errors import BitboxError, InputError
from bitbox.readers import read_signals
from bitbox.signals import Signals

N = 5
KEY = b"bitbox.signals"
HEADER: dict[str, Any] = {
    "format": 1,
    "kind": "expression",
    "schema": "mine",
    "units": "mm",
    "dimension": 1,
    "backend": "test",
    "provenance": {"findings": []},
}
COLUMNS: dict[str, Any] = {
    "time": np.arange(N) / 30,
    "smile": np.arange(N) * 1.0,
    "frown": np.ones(N),
    "confidence": np.ones(N),
}
SETTINGS = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.function_scoped_fixture],
)


def write(path: Path, columns: dict[str, Any] | None = None, header: Any = HEADER) -> Path:
    table = pa.table(COLUMNS if columns is None else columns)
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    pq.write_table(table.replace_schema_metadata({KEY: text}), path)
    return path


def read(path: Path) -> Signals | None:
    try:
        signals = read_signals(path)
    except BitboxError:
        return None
    assert np.isfinite(signals.time).all()
    assert isinstance(signals.findings, tuple)
    return signals


def test_the_file_that_is_mutated_is_fine(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.parquet")) is not None


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write(tmp_path_factory.mktemp("fuzz") / "a.parquet").read_bytes()


BYTES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8)


@SETTINGS
@given(BYTES, st.floats(0, 1), st.binary(max_size=20))
def test_bytes(whole: bytes, tmp_path: Path, changed: Any, cut: float, added: bytes) -> None:
    """Bytes changed anywhere, a stretch replaced."""
    content = bytearray(whole)
    for where, value in changed:
        content[int(where * len(content))] = value
    start = int(cut * len(content))
    content[start : start + len(added)] = added
    (tmp_path / "a.parquet").write_bytes(content)
    read(tmp_path / "a.parquet")


@SETTINGS
@given(BYTES)
def test_footer(whole: bytes, tmp_path: Path, changed: Any) -> None:
    """Bytes changed in the footer, where counts and types are."""
    content = bytearray(whole)
    length = int.from_bytes(content[-8:-4], "little")
    for where, value in changed:
        content[len(content) - 8 - length + int(where * length)] = value
    (tmp_path / "a.parquet").write_bytes(content)
    read(tmp_path / "a.parquet")


CELLS: Any = st.one_of(
    st.lists(st.none() | st.floats(), min_size=N, max_size=N).map(lambda v: pa.array(v, "double")),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=N, max_size=N).map(
        lambda v: pa.array(v, "int64")
    ),
    st.lists(st.none() | st.text(max_size=3), min_size=N, max_size=N).map(
        lambda v: pa.array(v, "string")
    ),
    st.lists(st.none() | st.booleans(), min_size=N, max_size=N).map(lambda v: pa.array(v, "bool")),
    st.sampled_from(
        [
            pa.nulls(N),
            pa.array([[1.0]] * N),
            pa.array([{"a": 1.0}] * N),
            pa.array([b"x"] * N),
            pa.array([1] * N, pa.timestamp("us")),
            pa.array(["a"] * N).dictionary_encode(),
            pa.array([1, 2, 3, 4, 5], "float32"),
            pa.array([1, 2, 3, 4, 5], "uint8"),
        ]
    ),
)
NAMES = st.sampled_from(["time", "Time", "smile", "confidence", "", "x0", "\0", "=a"])


@SETTINGS
@given(st.dictionaries(NAMES, CELLS, max_size=4))
def test_columns(tmp_path: Path, columns: dict[str, Any]) -> None:
    read(write(tmp_path / "a.parquet", columns))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["findings", "code", "source", *HEADER]), inner)
    ),
    max_leaves=8,
)


@SETTINGS
@given(st.dictionaries(st.sampled_from([*HEADER, "more"]), JSON), st.booleans())
def test_headers(tmp_path: Path, header: dict[str, Any], amended: bool) -> None:
    read(write(tmp_path / "a.parquet", header={**HEADER, **header} if amended else header))


class TestSentences:
    @pytest.mark.parametrize(
        ("columns", "words"),
        [
            ({"smile": ["a"] * N}, "'smile' does not hold numbers.*string"),
            ({"time": ["a"] * N}, "'time' does not hold numbers"),
            ({"smile": [True] * N}, "'smile' does not hold numbers.*bool"),
            ({"time": [0, None, 2, 3, 4.0]}, "nan at frame 1"),
            ({"time": [0, 0, 2, 3, 4.0]}, "does not run forward"),
            ({"smile": [0, 1, np.inf, 3, 4.0]}, "infinity in signal 'smile'"),
            ({"confidence": [2.0] * N}, "confidence cannot be used"),
            ({"Time": [1.0] * N}, "cannot be called 'Time'"),
        ],
    )
    def test_columns(self, tmp_path: Path, columns: dict[str, Any], words: str) -> None:
        path = write(tmp_path / "a.parquet", COLUMNS | columns)
        with pytest.raises(InputError, match=rf"a\.parquet.*{words}"):
            read_signals(path)

    @pytest.mark.parametrize("left_out", [["time"], ["smile", "frown"], list(COLUMNS)])
    def test_missing_columns(self, tmp_path: Path, left_out: list[str]) -> None:
        columns = {name: cells for name, cells in COLUMNS.items() if name not in left_out}
        path = write(tmp_path / "a.parquet", columns)
        with pytest.raises(InputError, match=r"a\.parquet"):
            read_signals(path)

    def test_no_rows(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.parquet", {name: cells[:0] for name, cells in COLUMNS.items()})
        with pytest.raises(InputError, match="no frames"):
            read_signals(path)

    def test_null_is_missing(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.parquet", COLUMNS | {"smile": [1.0, None, 2.0, None, 3.0]})
        np.testing.assert_array_equal(read_signals(path).values[:, 0], [1, np.nan, 2, np.nan, 3])
        path = write(path, COLUMNS | {"smile": pa.nulls(N), "frown": pa.array([1] * N, "int8")})
        values = read_signals(path).values
        assert np.isnan(values[:, 0]).all()
        np.testing.assert_array_equal(values[:, 1], [1] * N)

    @pytest.mark.parametrize(
        ("header", "words"),
        [
            (b"no JSON", "does not say what signals"),
            (b"\xff\xfe", "does not say what signals"),
            (b"[" * 100_000, "does not say what signals"),
            (b'{"format": 1, "provenance": ' + b"[" * 100_000, "does not say what signals"),
            ([1], "format that this openbitbox does not know"),
            ({"format": 2}, "format that this openbitbox does not know"),
            ({k: v for k, v in HEADER.items() if k != "kind"}, "'kind' in its header"),
            (HEADER | {"dimension": "two"}, "'dimension' in its header"),
            (HEADER | {"dimension": True}, "'dimension' in its header"),
            (HEADER | {"provenance": [1]}, "'provenance' in its header"),
        ],
    )
    def test_headers(self, tmp_path: Path, header: Any, words: str) -> None:
        path = write(tmp_path / "a.parquet", header=header)
        with pytest.raises(InputError, match=rf"a\.parquet.*{words}"):
            read_signals(path)

    def test_unknown_entries_are_left_alone(self, tmp_path: Path) -> None:
        assert read(write(tmp_path / "a.parquet", header=HEADER | {"more": 1})) is not None
        noise = {"findings": [1, {}, {"code": 1}, None]}
        signals = read(write(tmp_path / "a.parquet", header=HEADER | {"provenance": noise}))
        assert signals is not None
        assert signals.findings == ()

    def test_much_in_little(self, tmp_path: Path) -> None:
        """Two hundred million equal numbers take a few kilobytes, and are not unpacked."""
        path = tmp_path / "a.parquet"
        schema = pa.schema(
            [("time", "double"), ("smile", "double")], {KEY: json.dumps(HEADER).encode()}
        )
        part = pa.table({"time": np.zeros(10**6), "smile": np.zeros(10**6)}, schema)
        with pq.ParquetWriter(path, schema) as file:
            for _ in range(100):
                file.write_table(part)
        assert path.stat().st_size < 10**6
        with pytest.raises(InputError, match=r"too large: 100,000,000 rows of 2 columns"):
            read_signals(path)
