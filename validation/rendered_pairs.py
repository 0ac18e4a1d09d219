"""Chance, tried on faces: people who move by themselves are compared with each other.

    python validation/rendered_pairs.py

Fifteen rendered people smile, open the mouth, raise brows and lips, nod and turn at times of their
own. Each is tracked like any video. Nobody imitates anybody, so each of the 210 ordered pairs tests
the analysis on real tracked signals, with the tracker's noise and whatever one movement leaks into
the signals of another. Writes docs/validation/rendered.csv.
"""

from __future__ import annotations

import itertools
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from bitbox.face_backend import FaceProcessor
from bitbox.signals import Signals
from bitbox.social import imitation_quality
from bitbox.synthetic.performance import Bursts, perform
from bitbox.synthetic.video import Person, Scene, render_video

PEOPLE, SECONDS, FPS = 15, 60.0, 24.0
FACE = ("smile", "mouth_open", "lip_raise", "brow_raise", "blink")
HEAD = ("pitch", "yaw")
SURROGATES = 199
SCENE = Scene(size=(640, 360), eye_distance=48, noise=2.0)
OUTPUT = Path(__file__).parents[1] / "docs" / "validation" / "rendered.csv"


def record(number: int, folder: Path) -> tuple[Signals, Signals]:
    """Render somebody, track the face, and return local units and head pose."""
    time = np.arange(round(SECONDS * FPS)) / FPS
    seeds = itertools.count(1000 * (number + 1))
    face = {name: Bursts.random(SECONDS, next(seeds)) for name in FACE}
    head = {
        name: Bursts.random(SECONDS, next(seeds), length=(1.4, 2.2), size=(4.0, 7.0), signed=True)
        for name in HEAD
    }
    path = folder / f"person{number}.mp4"
    person = Person(perform(time, face, head), other=number % 2 == 1)
    render_video(path, person, SCENE)
    processor = FaceProcessor()
    processor.io(path)
    return processor.localized_expressions(normalize=False), processor.fit(normalize=False)[1]


def main() -> None:
    """Record everybody, compare everybody with everybody else, and write the table."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        people = list(pool.map(lambda number: record(number, Path(folder)), range(PEOPLE)))
    rows = []
    for which, label in ((0, "local expressions"), (1, "head rotations")):
        cards = [
            imitation_quality(a[which], b[which], n_surrogates=SURROGATES, seed=i).scorecard
            for i, (a, b) in enumerate(itertools.permutations(people, 2))
        ]
        p = pd.concat([card["p"] for card in cards]).dropna()
        first = np.array([card["p_fwer"].min() for card in cards])
        q = np.array([(card["q_fdr"] <= 0.05).any() for card in cards])
        rows.append(
            {
                "signals": label,
                "pairs of people": len(cards),
                "p values": len(p),
                "p <= 0.05": f"{(p <= 0.05).mean():.1%}",
                "p <= 0.01": f"{(p <= 0.01).mean():.1%}",
                "any p_fwer <= 0.05": f"{(first <= 0.05).mean():.1%}",
                "any q <= 0.05": f"{q.mean():.1%}",
                "KS": f"{stats.kstest(p, 'uniform').statistic:.3f}",
            }
        )
    table = pd.DataFrame(rows)
    table.to_csv(OUTPUT, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
