"""What a study takes: two workers against one, a pair more, wrong pairings, and ten thousand pairs.

    python -m benchmarks.study [--pairs 60] [--pairings 10 20 40 80] [--planned 10000]

Generated signals; nothing is measured in videos, which would hide what the study itself costs.
Seconds are those of a clock and, after them, of the workers' processors: the latter are the same
when the machine has something else to do. How many pairings there are grows with the square of the
number of pairs until there are about 5000 (`bitbox.study.pairings.MOST`), and then no more, until
each pair is compared with five others only. Of ten thousand pairs one is compared, and what it left
is copied: what is measured is all that the study does besides comparing.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bitbox.study import Study, engine
from bitbox.study.pair import CARD, RECORD
from bitbox.study.pairing_table import Chance
from bitbox.study.pairings import Pairings, Recorded
from bitbox.study.study import PAIRINGS
from bitbox.synthetic.signals import imitated_pair
from bitbox.workflow.settings import Settings

SETTINGS = Settings(n_surrogates=999)


def manifest(folder: Path, pairs: int, recordings: int) -> Path:
    """Write recordings and a table in which pairs of them are listed."""
    for k in range(recordings):
        if not (folder / f"m{k}.parquet").exists():
            pair = imitated_pair(16, duration=120, seed=k)
            pair.participant.to_parquet(folder / f"p{k}.parquet")
            pair.model.to_parquet(folder / f"m{k}.parquet")
    rows = ["id,group,participant,model"]
    for k in range(pairs):
        model = k if recordings >= pairs else k // recordings % recordings
        group = "a" if recordings >= pairs else "ab"[k % 2]
        rows.append(f"{k},{group},p{k % recordings}.parquet,m{model}.parquet")
    path = folder / f"manifest{pairs}.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def _warm_up() -> None:
    """Import and compile."""
    from bitbox.social import imitation_quality

    pair = imitated_pair(2, duration=40, seed=1)
    imitation_quality(pair.participant, pair.model, n_surrogates=19, seed=1)


def _used() -> tuple[float, float]:
    """Return the seconds of processor time of this process, and its highest memory in MB."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


@contextmanager
def workers(count: int) -> Iterator[Any]:
    """Give a Dask client with workers that are ready."""
    with engine.local_client(count) as client:
        client.run(_warm_up)
        yield client


def timed(client: Any, work: Callable[[], object]) -> tuple[float, float, float]:
    """Return the seconds, the workers' processor time, and the highest memory of one of them."""
    before = client.run(_used)
    start = time.perf_counter()
    work()
    took = time.perf_counter() - start
    after = client.run(_used)
    busy = sum(after[name][0] - before[name][0] for name in after)
    return took, busy, max(peak for _, peak in after.values())


def without_pairings(folder: Path, pairs: int) -> None:
    """Print what two workers are to one, and what one pair more costs."""
    path, longer = manifest(folder, pairs, 8), manifest(folder, pairs + 1, 8)
    found = {}
    for count in (1, 2):
        with workers(count) as client:
            study = Study(path, folder / f"out{count}", SETTINGS, pairings=False)
            found[count] = timed(client, partial(study.run, client))
    with workers(1) as client:
        more = Study(longer, folder / "out1", SETTINGS, pairings=False)
        extra = timed(client, partial(more.run, client))
    (one, busy, _), (two, _, peak) = found[1], found[2]
    print(f"{pairs} pairs: one worker {one:.1f} s, two {two:.1f} s, ratio {one / two:.2f}")
    print(f"  {busy / pairs:.2f} s of processor time a pair; a worker has {peak:.0f} MB at most")
    print(f"  one pair more: {extra[0]:.1f} s, {extra[1]:.1f} s of processor time")


def with_pairings(folder: Path, sizes: list[int]) -> None:
    """Print what wrong pairings cost beside the pairs, by the number of pairs."""
    for pairs in sizes:
        path = manifest(folder, pairs, pairs)
        output = folder / f"pairings{pairs}"
        with workers(2) as client:
            plain = Study(path, output, SETTINGS, pairings=False)
            _, own, _ = timed(client, partial(plain.run, client))
        found = {}
        for count in (1, 2):
            shutil.rmtree(output / PAIRINGS, ignore_errors=True)
            with workers(count) as client:
                study = Study(path, output, SETTINGS)
                found[count] = timed(client, partial(study.run, client))
        n = json.loads((output / "study.json").read_text(encoding="utf-8"))["chance"]["pairings"]
        (one, busy, _), (two, _, peak) = found[1], found[2]
        print(
            f"{pairs} pairs, {n} pairings: one worker {one:.1f} s, two {two:.1f} s, ratio "
            f"{one / two:.2f}"
        )
        print(
            f"  {1000 * busy / n:.0f} ms of processor time a pairing, {busy / own:.2f} of "
            f"all that the pairs take; a worker has {peak:.0f} MB at most"
        )


def growth() -> None:
    """Print how many pairings there are of people who all have models of their own."""
    for pairs in (20, 50, 70, 100, 500, 1000, 10_000):
        rows = {k: Recorded(f"p{k}", "a", "", "", "", f"m{k}") for k in range(pairs)}
        design = Pairings(rows, seed=1)
        count = sum(map(len, design.wanted(design.exchanges()).values()))
        print(f"{pairs} pairs: {count} pairings, {count / pairs:.0f} a pair")


def planned(folder: Path, pairs: int) -> None:
    """Print what ten thousand pairs take, besides comparing them."""
    said: list[str] = []
    began = [time.perf_counter()]

    def step(name: str) -> None:
        took, peak = time.perf_counter() - began[0], _used()[1]
        said.append(f"  {name}: {took:.1f} s, {peak:.0f} MB")
        began[0] = time.perf_counter()

    path = manifest(folder, pairs, 8)
    rows = path.read_text(encoding="utf-8").splitlines()
    for k in range(pairs):  # models of their own: the same content, from other moments on
        rows[k + 1] += f",{k % 100 / 100},{k // 100 / 100}"
    rows[0] += ",start,model_start"
    path.write_text("\n".join(rows), encoding="utf-8")
    study = Study(path, folder / "planned", SETTINGS)
    step("manifest read and checked")
    jobs, _ = study._jobs()
    todo = [job for job in jobs if job.record() is None]
    step(f"{len(todo)} pairs planned")
    _copied(jobs)
    began[0] = time.perf_counter()
    done = study._done(jobs, {})
    step("what was found of them read")
    chance = Chance.of(done, jobs, study.folder / PAIRINGS, 1)
    scored = [row for row in chance.rows.values() if not row.is_done()]
    step(f"{sum(len(row.models) for row in scored)} pairings planned")
    signals = [f"s{k:02d}" for k in range(16)]
    for row in scored:
        row.path.parent.mkdir(exist_ok=True)
        kept = {n: {"key": key, "z": dict.fromkeys(signals, 1.0)} for n, key in row.keys().items()}
        row.path.write_text(json.dumps(kept), encoding="utf-8")
    began[0] = time.perf_counter()
    left = sum(not row.is_done() for row in chance.rows.values())
    step(f"seen that {left} pairings are left")
    chance.table(signals, 1)
    step("pairings tested")
    study._result(done, None)
    step("all other tables made")
    print("\n".join([f"{pairs} pairs, besides comparing them:", *said]))


def _copied(jobs: list[Any]) -> None:
    """Compare the first pair, and let all others have found the same."""
    from bitbox.study.pair import compare

    ended = compare(jobs[0])
    assert ended["error"] is None, ended
    record = jobs[0].record()
    for job in jobs[1:]:
        job.folder.mkdir(parents=True)
        shutil.copy(jobs[0].folder / CARD, job.folder / CARD)
        text = json.dumps({**record, "key": job.key})
        (job.folder / RECORD).write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--pairings", type=int, nargs="*", default=[10, 20, 40, 80])
    parser.add_argument("--planned", type=int, default=10_000)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.pairs:
            without_pairings(folder, options.pairs)
        with_pairings(folder, options.pairings)
        growth()
        if options.planned:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                pool.apply(planned, (folder, options.planned))


if __name__ == "__main__":
    main()
