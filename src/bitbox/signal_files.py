"""Signals on disk: Parquet with everything inside, CSV for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from bitbox.errors import InputError
from bitbox.files import arrow_file, replacing, require_file
from bitbox.neutral import cells
from bitbox.signal_checks import RESERVED
from bitbox.signals import Signals

_KEY = b"bitbox.signals"
_FORMAT = 1


def write_csv(signals: Signals, path: Path) -> Path:
    """Write time, values and confidence (if known) to a CSV file."""
    frame = signals.to_frame()
    if signals.confidence is not None:
        frame["confidence"] = signals.confidence
    table = cells(frame)
    table.index = table.index.map("{:.15g}".format)  # times of day differ in the 13th digit
    with replacing(path) as temporary:
        table.to_csv(temporary, index_label="time", float_format="%.9g", encoding="utf-8")
    return path


def write_parquet(signals: Signals, path: Path) -> Path:
    """Write everything to one Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {"time": signals.time}
    columns |= {name: signals.values[:, i] for i, name in enumerate(signals.names)}
    if signals.confidence is not None:
        columns["confidence"] = signals.confidence
    header = json.dumps({"format": _FORMAT, **signals.metadata()})
    table = pa.table(columns).replace_schema_metadata({_KEY: header})
    # opened here: Arrow takes some names for addresses, and knows none that is no UTF-8
    with replacing(path) as temporary, open(temporary, "wb") as file:
        pq.write_table(table, file)
    return path


def read_parquet(path: Path) -> Signals:
    """Read what :func:`write_parquet` wrote."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    require_file(path, "a Parquet file")
    try:
        # read through memory: the file may be replaced or removed while the values are in use
        # and not by read_table, which imports pandas and pyarrow's datasets first
        table = pq.ParquetFile(arrow_file(path.read_bytes())).read()
    except FileNotFoundError as error:
        raise InputError(f"There is no file called {path}.") from error
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path} cannot be read as a Parquet file.", got=str(error), todo="Is it complete?"
        ) from error
    header = (table.schema.metadata or {}).get(_KEY)
    if header is None:
        raise InputError(
            f"{path} is a Parquet file, but not one that holds Signals.",
            todo="Save it with Signals.to_parquet, or convert it to CSV with a time column.",
        )
    metadata = json.loads(header)
    if metadata.pop("format", None) != _FORMAT:
        raise InputError(
            f"{path} was written in a format that this openbitbox does not know.",
            todo="Update openbitbox.",
        )
    names = [name for name in table.column_names if name not in RESERVED]
    has_confidence = "confidence" in table.column_names
    return Signals(
        np.column_stack([_column(table, name) for name in names]),
        _column(table, "time"),
        tuple(names),
        confidence=_column(table, "confidence") if has_confidence else None,
        **metadata,
    )


def _column(table: Any, name: str) -> Any:
    """Return a column as an array; not by to_numpy, which imports pandas first."""
    return np.from_dlpack(table[name].combine_chunks())
