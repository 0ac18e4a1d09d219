"""What is handed to other libraries, and how files are put in place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitbox.errors import InputError, OutputError
from bitbox.readers import read_signals
from bitbox.synthetic.signals import imitated_pair

ROWS = 20_000


def sources(monkeypatch: pytest.MonkeyPatch, module: str, name: str) -> list[int]:
    """Record how many bytes are Arrow's own when a function of pyarrow is given something."""
    import importlib

    import pyarrow as pa

    library = importlib.import_module(module)
    real, owned = getattr(library, name), []

    def watched(source, *arguments, **options):
        assert isinstance(source, pa.BufferReader)
        owned.append(pa.system_memory_pool().bytes_allocated() - before)
        return real(source, *arguments, **options)

    before = pa.system_memory_pool().bytes_allocated()
    monkeypatch.setattr(library, name, watched)
    return owned


def test_arrow_reads_tables_from_memory_of_its_own(tmp_path: Path, monkeypatch) -> None:
    """Its threads may let go of it when Python has ended: with Python's memory they abort."""
    path = tmp_path / "refused.csv"
    path.write_text("time,a\n" + "".join(f"{i / 30:.4f},1\n" for i in range(ROWS)) + "9,9,9\n")
    owned = sources(monkeypatch, "pyarrow.csv", "read_csv")
    with pytest.raises(InputError, match="another number of cells"):
        read_signals(path)
    assert owned[0] >= path.stat().st_size


def test_arrow_reads_parquet_from_memory_of_its_own(tmp_path: Path, monkeypatch) -> None:
    path = imitated_pair(duration=60)[0].to_parquet(tmp_path / "a.parquet")
    owned = sources(monkeypatch, "pyarrow.parquet", "ParquetFile")
    assert np.isfinite(read_signals(path).values).all()
    assert owned[0] >= path.stat().st_size


@pytest.mark.parametrize("name", ["", ".", "/", "a\0b.csv", "a\0/b.csv"])
def test_names_of_no_file_are_refused(tmp_path: Path, monkeypatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    signals = imitated_pair(duration=5)[0]
    for write in (signals.to_csv, signals.to_parquet):
        with pytest.raises(OutputError, match="names no file"):
            write(name)
    assert not list(tmp_path.iterdir())
