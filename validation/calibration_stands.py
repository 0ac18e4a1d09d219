"""Whether rows of the calibration that an earlier version computed still stand.

    python validation/calibration_stands.py FOLDER [--settings segments phase pairs]

FOLDER is a checkout of that version (``git worktree add FOLDER COMMIT``). A few recordings of each
setting, and a few scorecards of the power study, are computed by both versions, each with its own
``validation/calibration.py``. Printed is by how much they differ at most. Rows of which all p are
the same to the last bit need not be computed again.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parents[1]
RECORDINGS, OF_LONG = 12, 3
COLUMNS = ("p", "p_fwer", "z")
CARDS = [
    (seconds, *window, own, 0)
    for seconds, window, own in itertools.product(
        (30.0, 60.0), ((0.5, 0.5), (1.1, 1.1), (2.0, 1.2), (4.0, 1.2)), (1.0, 4.0)
    )
]


def compute(tree: Path, wanted: list[str], target: Path) -> None:
    """Write what the version in a folder computes; to be called in a process of its own."""
    spec = importlib.util.spec_from_file_location("study", tree / "validation" / "calibration.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{tree} is no checkout of openbitbox.")
    study: Any = importlib.util.module_from_spec(spec)
    sys.modules["study"] = study
    spec.loader.exec_module(study)
    found: dict[str, dict[str, Any]] = {}
    for setting in study.SETTINGS:
        if setting.surrogate not in wanted:
            continue
        count = OF_LONG if setting.seconds > 200 else RECORDINGS
        p, fwer, _ = zip(*(study.one_recording(setting, k) for k in range(count)), strict=True)
        found[setting.label] = {"p": np.concatenate(p), "p_fwer": np.array(fwer)}
    for case in CARDS:
        card = study.card(*case)
        seconds, width, lag, own, _ = case
        name = f"power: {seconds:g} s, width {width:g}, lag {lag:g}, own movement {own:g}"
        found[name] = {column: card[column].to_numpy(float) for column in COLUMNS}
    target.write_bytes(pickle.dumps(found))


def computed_by(tree: Path, wanted: list[str], target: Path) -> dict[str, dict[str, Any]]:
    """Return what the version in a folder computes."""
    words = [sys.executable, __file__, str(tree), "--settings", *wanted, "--into", str(target)]
    paths = os.pathsep.join([str(tree / "src"), os.environ.get("PYTHONPATH", "")])
    subprocess.run(words, check=True, env={**os.environ, "PYTHONPATH": paths})  # noqa: S603  this script
    found: dict[str, dict[str, Any]] = pickle.loads(target.read_bytes())  # noqa: S301  our own
    return found


def difference(one: Any, other: Any) -> str:
    """Return by how much two arrays differ at most, in words."""
    if np.array_equal(one, other, equal_nan=True):
        return f"all {one.size} the same"
    lost = int((np.isfinite(one) != np.isfinite(other)).sum())
    most = np.nanmax(np.abs(one - other), initial=0.0)
    return f"by {most:.1e} at most" + (f", {lost} of {one.size} given by one only" if lost else "")


def main() -> None:
    """Compare this version with another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--settings", nargs="+", default=["segments", "phase", "pairs"])
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    folder = given.folder.resolve()
    if given.into is not None:
        compute(folder, given.settings, given.into)
        return
    with tempfile.TemporaryDirectory() as place:
        target = Path(place, "computed.pickle")
        before, now = (computed_by(tree, given.settings, target) for tree in (folder, HERE))
    for name, columns in now.items():
        if name not in before:
            print(f"{name}: only in this version")
            continue
        print(f"{name}:", *(f"{c} {difference(before[name][c], v)};" for c, v in columns.items()))


if __name__ == "__main__":
    main()
