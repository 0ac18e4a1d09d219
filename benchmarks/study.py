"""What a study takes: two workers against one, a pair more, and ten thousand pairs to plan.

    python -m benchmarks.study [--pairs 60] [--planned 10000]

Generated signals; nothing is measured in videos, which would hide what the study itself costs.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from bitbox.study import Study, engine
from bitbox.synthetic.signals import imitated_pair
from bitbox.workflow.settings import Settings

SETTINGS = Settings(n_surrogates=999)


def manifest(folder: Path, pairs: int, recordings: int) -> Path:
    """Write recordings and a table in which pairs of them are listed."""
    for k in range(recordings):
        pair = imitated_pair(16, duration=120, seed=k)
        pair.participant.to_parquet(folder / f"p{k}.parquet")
        pair.model.to_parquet(folder / f"m{k}.parquet")
    rows = ["id,group,participant,model"]
    rows += [
        f"{k},{'ab'[k % 2]},p{k % recordings}.parquet,m{k // recordings % recordings}.parquet"
        for k in range(pairs)
    ]
    path = folder / f"manifest{pairs}.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def timed(path: Path, output: Path, workers: int) -> float:
    """Return the seconds of a study, without starting the workers."""
    with engine.local_client(workers) as client:
        client.run(_warm_up)
        start = time.perf_counter()
        Study(path, output, SETTINGS).run(client)
        return time.perf_counter() - start


def _warm_up() -> None:
    """Import and compile."""
    from bitbox.social import imitation_quality

    pair = imitated_pair(2, duration=40, seed=1)
    imitation_quality(pair.participant, pair.model, n_surrogates=19, seed=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--planned", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = manifest(folder, options.pairs, 8)
        one, two = (timed(path, folder / f"out{n}", n) for n in (1, 2))
        print(
            f"{options.pairs} pairs: one worker {one:.1f} s, two {two:.1f} s, ratio {one / two:.2f}"
        )
        longer = manifest(folder, options.pairs + 1, 8)
        more = timed(longer, folder / "out1", 1)
        print(f"one pair more: {more:.1f} s, where a pair takes {one / options.pairs:.2f} s")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        study = Study(manifest(folder, options.planned, 8), folder / "planned", SETTINGS)
        jobs, _ = study._jobs()
        todo = sum(job.record() is None for job in jobs)
        took = time.perf_counter() - start
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"{todo} pairs planned in {took:.1f} s, {grown:.0f} MB more")


if __name__ == "__main__":
    main()
