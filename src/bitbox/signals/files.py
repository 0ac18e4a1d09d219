"""Signals on disk: Parquet with everything inside, CSV for other programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bitbox.errors import InputError
from bitbox.files import arrow_file, replacing, require_file
from bitbox.signals.checks import RESERVED, FloatArray, check_cells, some
from bitbox.system.harmless import cells

if TYPE_CHECKING:
    import pandas as pd

_KEY = b"bitbox.signals"
_AGAIN = "Copy or write it again: it may be incomplete."
_FORMAT = 1
#: Numbers that are read from Parquet in one piece.
_BATCH = 10_000_000
#: What the header holds, and of which type.
_HEADER: Mapping[str, type] = {
    "kind": str,
    "schema": str,
    "units": str,
    "dimension": int,
    "backend": str,
    "provenance": dict,
}


def write_csv(frame: pd.DataFrame, confidence: FloatArray | None, path: Path) -> Path:
    """Write values by time, and confidence (if known), to a CSV file."""
    if confidence is not None:
        frame = frame.assign(confidence=confidence)
    table = cells(frame)
    table.index = table.index.map("{:.15g}".format)  # times of day differ in the 13th digit
    with replacing(path) as temporary:
        table.to_csv(temporary, index_label="time", float_format="%.9g", encoding="utf-8")
    return path


def write_parquet(
    values: FloatArray,
    time: FloatArray,
    names: tuple[str, ...],
    confidence: FloatArray | None,
    metadata: Mapping[str, Any],
    path: Path,
) -> Path:
    """Write everything that Signals hold to one Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {"time": time}
    columns |= {name: values[:, i] for i, name in enumerate(names)}
    if confidence is not None:
        columns["confidence"] = confidence
    header = json.dumps({"format": _FORMAT, **metadata})
    # not given as arrays: to see whether they are pandas', Arrow would import it first
    plain = {name: np.ascontiguousarray(values, np.float64) for name, values in columns.items()}
    arrays = [
        pa.Array.from_buffers(pa.float64(), len(values), [None, pa.py_buffer(values)])
        for values in plain.values()
    ]
    table = pa.table(arrays, names=list(plain), metadata={_KEY: header})
    # opened here: Arrow takes some names for addresses, and knows none that is no UTF-8
    with replacing(path) as temporary, open(temporary, "wb") as file:
        pq.write_table(table, file)
    return path


def read_parquet(path: Path) -> dict[str, Any]:
    """Return the arguments of Signals that :func:`write_parquet` wrote.

    Raises
    ------
    InputError
        The file cannot be read, or doesn't hold Signals; it names the file.
    """
    import pyarrow as pa

    size = require_file(path, "a Parquet file").st_size
    check_cells(path.name, size // 8, 1)  # no number takes more room there than in memory
    try:
        names, columns, header = _parquet_columns(path)
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, KeyError) as error:
        raise InputError(
            f"{path} cannot be read as a Parquet file.",
            got=str(error) or type(error).__name__,
            todo=_AGAIN,
        ) from error
    signals = [i for i, name in enumerate(names) if name not in RESERVED]
    return {
        "values": np.column_stack([columns[i] for i in signals]),
        "time": columns[names.index("time")],
        "names": tuple(names[i] for i in signals),
        "confidence": columns[names.index("confidence")] if "confidence" in names else None,
        **_metadata(path, header),
    }


def _parquet_columns(path: Path) -> tuple[list[str], list[Any], bytes]:
    """Return names and numbers of all columns, and our header, having looked at the footer first.

    Raises
    ------
    InputError
        The footer says that this is not a file of Signals, or more than can be read.
    """
    import pyarrow.parquet as pq

    # read through memory: the file may be replaced or removed while the values are in use
    # and not by read_table, which imports pandas and pyarrow's datasets first
    file = pq.ParquetFile(arrow_file(path.read_bytes()))
    header = (file.schema_arrow.metadata or {}).get(_KEY)
    if header is None:
        raise InputError(
            f"{path} is a Parquet file, but not one that holds Signals.",
            todo="Save it with Signals.to_parquet, or convert it to CSV with a time column.",
        )
    _check_footer(path, file)
    table = _read_promised(path, file)
    return table.column_names, [_column(column) for column in table.columns], header


def _read_promised(path: Path, file: Any) -> Any:
    """Return the table, read piece by piece, and no more than the footer promises."""
    import pyarrow as pa

    batches, rows, promised = [], 0, file.metadata.num_rows
    for batch in file.iter_batches(max(1, min(_BATCH // file.metadata.num_columns, promised))):
        batches.append(batch)
        rows += batch.num_rows
        if rows > promised:
            break
    if rows != promised:
        raise InputError(
            f"{path} is damaged: it does not hold what its footer promises.",
            expected=f"{promised} rows",
            got=f"{rows}" if rows < promised else f"{rows} or more",
        )
    return pa.Table.from_batches(batches)


def _check_footer(path: Path, file: Any) -> None:
    """Refuse a Parquet file by its footer, before any of its data is read.

    Raises
    ------
    InputError
        It has no rows, no time, no signal, two columns of a name, a column of something else than
        numbers, or more numbers than can be held.
    """
    # Only what Arrow looks up safely: to ask a damaged file for its row groups ends the process.
    rows, schema = file.metadata.num_rows, file.schema_arrow
    check_cells(path.name, rows, max(file.metadata.num_columns, len(schema)))
    if rows <= 0:
        raise InputError(f"{path} holds no frames.", todo=_AGAIN)
    twice = [name for name, times in Counter(schema.names).items() if times > 1]
    if twice:
        raise InputError(f"{path} has two columns called {twice[0]!r}.")
    for name in ("time", next((n for n in schema.names if n not in RESERVED), None)):
        if name not in schema.names:
            raise InputError(
                f"{path} lacks what a file of Signals has.",
                expected="a column 'time' and a signal at least",
                got=some(schema.names) or "no columns",
            )
    for column in schema:
        if not _is_number(column.type):
            raise InputError(
                f"{path}: column {column.name!r} does not hold numbers.",
                expected="numbers, or nothing where a value is missing",
                got=str(column.type)[:80],
            )


def _is_number(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_floating(kind) or types.is_integer(kind) or types.is_null(kind))


def _column(column: Any) -> Any:
    """Return a column as an array, NaN where it is null.

    Not by to_numpy, which imports pandas first; and what Signals were written to needs nothing
    done, for which Arrow would define some hundred functions first.
    """
    import pyarrow as pa

    if column.type != pa.float64():
        column = column.cast(pa.float64())
    numbers = column.combine_chunks()
    return np.from_dlpack(numbers.fill_null(float("nan")) if numbers.null_count else numbers)


def _metadata(path: Path, header: bytes) -> dict[str, Any]:
    """Return what the header says of the Signals.

    Raises
    ------
    InputError
        It is not what :func:`write_parquet` writes.
    """
    try:
        content = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path} does not say what signals it holds.", got=str(error)[:200]
        ) from error
    if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
        raise InputError(
            f"{path} was written in a format that this openbitbox does not know.",
            todo="Update openbitbox.",
        )
    for name, kind in _HEADER.items():
        if type(content.get(name)) is not kind:
            raise InputError(
                f"{path} does not say what signals it holds.",
                expected=f"{name!r} in its header, a {kind.__name__}",
                got=repr(content.get(name))[:80],
            )
    return {name: content[name] for name in _HEADER}
