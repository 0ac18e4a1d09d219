"""Compiled kernels that are kept: whatever happened to the files, the numbers are right."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attack.places import ROUNDS, small_disk

PROGRAM = """
from bitbox.system.kernel_cache import compiled

@compiled
def total(values):
    found = 0.0
    for value in values:
        found += value
    return found

import numpy as np
print(total(np.arange(5.0)), total(np.arange(7)))
stats = total.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


def run(folder: Path, kept: Path | None = None, **environment: str) -> tuple[int, int]:
    """Run the program in a process of its own; return how many kernels were found, and compiled."""
    program = folder / "program.py"
    if not program.exists():
        program.write_text(PROGRAM)
    known = {**os.environ, **environment}
    known |= {} if kept is None else {"NUMBA_CACHE_DIR": str(kept)}
    done = subprocess.run(
        [sys.executable, str(program)], env=known, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == "10.0 21.0"
    hits, misses = map(int, second.split())
    return hits, misses


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    folder = tmp_path / "kept"
    assert run(tmp_path, folder) == (0, 2)
    assert run(tmp_path, folder) == (2, 0)
    return folder


def test_damaged_files_are_made_again(tmp_path: Path, kept: Path) -> None:
    files = sorted(path for path in kept.rglob("*") if path.suffix in (".nbi", ".nbc"))
    assert len(files) == 3
    whole = {path: path.read_bytes() for path in files}

    def half(data: bytes) -> bytes:
        return data[: len(data) // 2]

    def flipped(data: bytes) -> bytes:
        place = 2 * len(data) // 3
        return data[:place] + bytes([data[place] ^ 16]) + data[place + 1 :]

    for damage in (half, flipped, lambda _: b"I am text"):
        for path in files:
            path.write_bytes(damage(whole[path]))
        run(tmp_path, kept)
        assert run(tmp_path, kept) == (2, 0)  # they were made again


def test_code_under_the_name_of_another_is_not_used(tmp_path: Path, kept: Path) -> None:
    """As two processes leave it that keep two kernels at once."""
    one, two = sorted(kept.rglob("*.nbc"))
    data = one.read_bytes(), two.read_bytes()
    one.write_bytes(data[1])
    two.write_bytes(data[0])
    assert run(tmp_path, kept) == (0, 2)


def test_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "16k") as disk:
        for _ in range(2):
            assert run(tmp_path, disk) == (0, 2)
        assert [path for path in disk.rglob("*") if ".tmp" in path.name] == []


def test_nowhere_to_write(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("no folder")
    assert run(tmp_path, home / "kept", HOME=str(home)) == (0, 2)


def test_a_folder_that_went_away(tmp_path: Path) -> None:
    code = PROGRAM.replace("import numpy as np", "import shutil, numpy as np; shutil.rmtree(%r)")
    kept = tmp_path / "kept"
    (tmp_path / "program.py").write_text(code % str(kept))
    assert run(tmp_path, kept) == (0, 2)


def test_many_processes_at_once(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    for _ in range(ROUNDS):
        kept = tmp_path / "kept"
        known = {**os.environ, "NUMBA_CACHE_DIR": str(kept)}
        command = [sys.executable, str(tmp_path / "program.py")]
        processes = [
            subprocess.Popen(command, env=known, stdout=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        assert {process.communicate()[0].splitlines()[0] for process in processes} == {"10.0 21.0"}
        shutil.rmtree(kept)
