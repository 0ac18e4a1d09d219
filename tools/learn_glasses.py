"""Learn from rendered people what glasses look like on the face laid flat.

Run as ``python -m tools.learn_glasses FOLDER``, with the people that
``python -m validation.humans.heads FOLDER`` draws, films and measures, one in five with glasses. It
writes ``glasses_map.npy`` into ``src/bitbox/face_backend/data``, by ridge regression to 1 with and
-1 without glasses, both counting the same; with ``--choose`` it only says what people left out
read.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend import glasses

FloatArray = NDArray[np.float64]

DATA = Path(glasses.__file__).parent / "data" / "glasses_map.npy"
#: As a share of the mean square of what is seen; 0.01 to 1 tell people left out apart as well.
RIDGE = 0.3
RIDGES = (0.03, 0.1, 0.3, 1.0)
_SHARES = 10


def learn(seen: FloatArray, worn: NDArray[np.bool_], ridge: float) -> FloatArray:
    """Return the weights, and a constant, from looks (people, n)."""
    counts = np.where(worn, 0.5 / worn.sum(), 0.5 / (~worn).sum())
    middle = counts @ seen
    about = seen - middle
    products = about @ about.T
    shrunk = ridge * np.trace(products) / len(seen)
    wanted = np.where(worn, 1.0, -1.0)
    part = np.linalg.solve(products + shrunk * np.diag(1 / (counts * len(seen))), wanted)
    weights = about.T @ part
    return np.append(weights, -middle @ weights)


def main() -> None:
    """Learn, and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--choose", action="store_true", help="only try ridges on people left out")
    given = parser.parse_args()
    looks, marks = [], []
    for path in sorted(given.folder.glob("*.npz"), key=lambda path: int(path.stem)):
        with np.load(path, allow_pickle=False) as file:
            looks.append(glasses.look(file["texture"]))
            marks.append(bool(file["glasses"]))
    seen, worn = np.array(looks, dtype=np.float64), np.array(marks)
    if not given.choose:
        np.save(DATA, learn(seen, worn, RIDGE).astype(np.float32))
        return
    order = np.random.default_rng(0).permutation(len(seen))
    for ridge in RIDGES:
        read = np.zeros(len(seen))
        for share in range(_SHARES):
            out = np.isin(np.arange(len(seen)), order[share::_SHARES])
            weights = learn(seen[~out], worn[~out], ridge)
            read[out] = seen[out] @ weights[:-1] + weights[-1]
        told = read >= glasses.LEAST
        print(
            f"ridge {ridge:g}: told of {told[worn].sum()} of {worn.sum()} with glasses, of"
            f" {told[~worn].sum()} of {(~worn).sum()} without (at most {read[~worn].max():.2f})"
        )


if __name__ == "__main__":
    main()
