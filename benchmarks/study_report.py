"""How large the report of a study is, and how long a browser takes until it can be used.

    python -m benchmarks.study_report [--pairs 500] [--signals 33] [--times 3]

Generated: every pair has the scorecard and findings of one real analysis of generated signals, with
other numbers; a tenth failed. Chromium opens the page and says when it has loaded, drawn, and is
free to answer; then a click sorts the table. At most 20 MB and 3 s are promised for 500 pairs.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from bitbox.provenance import hash_file
from bitbox.study.folder import write_study
from bitbox.study.manifest import Entry
from bitbox.study.pair import CARD, Job, compare
from bitbox.study.result import StudyResult
from bitbox.study.tables import (
    Done,
    failures_table,
    groups_table,
    pairs_table,
    quality_table,
    reliability_table,
    scores_table,
)
from bitbox.synthetic.signals import imitated_pair
from bitbox.workflow.settings import Settings

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
SEED, FAILED = 20261129, 0.1
LARGEST, LONGEST = 20e6, 3.0

PROBE = """
addEventListener("load", () => requestAnimationFrame(() => setTimeout(() => {
  const ready = performance.now();
  document.querySelector("#table th.signal button")?.click();
  requestAnimationFrame(() => setTimeout(() => {
    console.log(`MEASURED ${ready} ${performance.now() - ready}`);
  }));
})));
"""


def written(folder: Path, pairs: int, signals: int) -> Path:
    """Write the tables and the report of a generated study; return the report."""
    random = np.random.default_rng(SEED)
    pair = imitated_pair(signals, imitated=signals // 2, duration=60, seed=1)
    files = folder / "p.parquet", folder / "m.parquet"
    pair.participant.to_parquet(files[0])
    pair.model.to_parquet(files[1])
    sources = dict(zip(("participant", "model"), map(hash_file, files), strict=True))
    first = Job("first", *files, Settings(seed=1), sources, folder / "first", folder / "cache")
    error = compare(first)["error"]
    assert error is None, error
    record, card = first.record(), pd.read_csv(first.folder / CARD)
    rows = []
    for k in range(pairs):
        person = k // 2
        labels = {
            "id": f"person {person:03d}",
            "group": "ab"[person % 2],
            "condition": "alone" if k % 2 else "together",
            "session": "1",
        }
        name = f"{person:03d}_{'ab'[person % 2]}_{k % 2}"
        own = folder / "pairs" / name
        own.mkdir(parents=True)
        other = card.copy()
        numbers = other.select_dtypes("number").columns
        other[numbers] *= 1 + 0.2 * random.normal(size=(len(card), len(numbers)))
        other.to_csv(own / CARD, index=False, float_format="%.9g")
        entry = Entry(k + 2, name, Path(f"{name}.mp4"), Path("model.mp4"), labels)
        failed = random.random() < FAILED
        why = f"{name}.mp4 has no frame with a face in it. Look at the recording."
        rows.append(Done(entry, own, None if failed else record, why if failed else ""))
    scores = scores_table(rows)
    result = StudyResult(
        scores,
        pairs_table(rows),
        failures_table(rows),
        groups_table(scores, SEED),
        reliability_table(scores, SEED),
        quality_table(rows),
        folder,
    )
    write_study(result, str((record or {})["methods"]), {})
    return folder / "report.html"


def opened(page: Path, folder: Path) -> tuple[float, float]:
    """Return the seconds until a browser can use a page, and those that sorting takes."""
    digest = base64.b64encode(hashlib.sha256(PROBE.encode()).digest()).decode()
    source = page.read_text(encoding="utf-8")
    source = source.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    probed = folder / "probed.html"
    probed.write_text(source.replace("</body>", f"<script>{PROBE}</script></body>"), "utf-8")
    with tempfile.TemporaryDirectory() as profile:
        process = subprocess.Popen(
            [
                str(BROWSER),
                *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
                *("--disable-background-networking", "--disable-component-update"),
                *("--disable-sync", "--enable-logging=stderr", "--window-size=1280,900"),
                f"--user-data-dir={profile}",
                probed.as_uri(),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            for line in process.stderr or ():
                if "MEASURED" in line:
                    ready, sorting = line.split("MEASURED")[1].split('"')[0].split()
                    return float(ready) / 1000, float(sorting) / 1000
        finally:
            process.terminate()
            process.wait()
            time.sleep(0.5)  # until its helpers have let go of the profile
    raise RuntimeError("The browser ended without a word.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--signals", type=int, default=33)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        start = time.perf_counter()
        page = written(folder, options.pairs, options.signals)
        print(f"tables and report written in {time.perf_counter() - start:.1f} s")
        size = page.stat().st_size
        print(f"{options.pairs} pairs, {options.signals} signals: {size / 1e6:.2f} MB")
        if BROWSER is None:
            print("Chromium is not installed: not opened")
            return
        empty = folder / "empty.html"
        empty.write_text(
            "<!doctype html><title>Nothing</title><body><p>Nothing</p></body>", encoding="utf-8"
        )
        nothing = float(np.median([opened(empty, folder)[0] for _ in range(options.times)]))
        measured = [opened(page, folder) for _ in range(options.times)]
        ready, sorting = (float(np.median(times)) for times in zip(*measured, strict=True))
        print(
            f"usable after {ready:.2f} s (an empty page: {nothing:.2f} s; medians of "
            f"{options.times}), sorted in {sorting:.2f} s"
        )
        met = size <= LARGEST and ready <= LONGEST
        print("kept: at most 20 MB and 3 s" if met else "NOT kept: at most 20 MB and 3 s")


if __name__ == "__main__":
    main()
