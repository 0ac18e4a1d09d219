"""What the first use compiles: the engine's kernels by another process, and each kernel once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
from bitbox.correlation.careful import windows
from bitbox.social import imitation_quality
from bitbox.synthetic.signals import imitated_pair
from bitbox.workflow import first_use

first_use.begin()
participant, model, _ = imitated_pair(3, duration=30, seed=1)
values = participant.values.copy()
values[100:110] = float("nan")
imitation_quality(participant.replace(values=values), model, n_surrogates=19, seed=1)
print(sum(windows.stats.cache_hits.values()), sum(windows.stats.cache_misses.values()))
"""


def test_the_engine_is_compiled_by_another_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kept")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1", "0"]  # found on the disk, nothing compiled here


def test_nothing_is_begun_where_it_was_done_before(monkeypatch) -> None:
    from bitbox.social import imitation
    from bitbox.synthetic.signals import imitated_pair
    from bitbox.workflow import first_use

    participant, model, _ = imitated_pair(2, duration=10, seed=1)
    imitation(participant, model)  # compiles, or finds, what it needs
    begun: list[object] = []
    monkeypatch.setattr(first_use.ahead, "begin", begun.append)
    first_use.begin()
    assert not begun


def test_the_analysis_is_loaded_ahead() -> None:
    program = """
import sys
from bitbox.workflow.first_use import load_analysis
load_analysis()
from bitbox.correlation.careful import windows
print("pandas" in sys.modules, bool(windows.signatures))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["True", "True"], done.stderr
