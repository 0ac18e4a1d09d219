"""Show whether p is uniform without imitation, imitation is found, and gain is unbiased.

Run from the repository's root::

    python validation/calibration.py              # everything, three quarters of an hour, two cores
    python validation/calibration.py --pairs 2000 # a quick look
    python validation/calibration.py --settings local  # only rows of that name, in the table

Short recordings have a script of their own, ``validation/short_recordings.py``.

Writes tables (CSV) and figures (SVG) to ``docs/validation``. Everything is simulated from fixed
seeds, so the numbers come out the same every time.
"""

from __future__ import annotations

import argparse
import io
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from bitbox.correlation.plan import WindowPlan
from bitbox.statistics import surrogates as broken
from bitbox.statistics.card import scorecard
from bitbox.statistics.difference import Difference
from bitbox.statistics.directions import Directions, judged
from bitbox.statistics.gain import gain
from bitbox.statistics.inference import INDEPENDENT, Alike, infer
from bitbox.statistics.null import matched, other_recordings, randomised_phases
from bitbox.statistics.specificity import OwnSignals
from bitbox.statistics.windows import Pair, Rule, mean_over
from bitbox.synthetic.signals import imitated_pair, movements

FloatArray = NDArray[np.float64]

FPS = 30.0
#: Independent signals a recording, so that corrections for many tests are tested, too.
SIGNALS = 20
SURROGATES = 199
#: A random phase takes as long as ten shifts.
SURROGATES_PHASE = 99
#: What the share of p <= 0.05 has to be where a surrogate's null hypothesis holds.
TOLERATED = (0.03, 0.07)
#: Pairs of signals a setting: 1600 recordings, so that 5 % of them is known to 0.5 %.
PAIRS = 32_000
#: Of these, 600 recordings (0.9 %) where one takes long, and a quarter where nothing is promised.
SHARE_OF_SLOW, SHARE_OF_UNCLAIMED = 0.375, 0.25


class Setting(NamedTuple):
    """What is simulated and how it is tested."""

    process: str
    surrogate: str = "circular"
    seconds: float = 60.0
    width: float = 2.0
    lag: float = 1.2
    polarity: bool = False
    twist: str = ""
    claimed: bool = True

    @property
    def label(self) -> str:
        """Name for tables and figures."""
        extra = [
            f"{self.seconds:g} s",
            *([f"width {self.width:g}"] if self.width != 2 else []),
            *(["polarity"] if self.polarity else []),
            *([self.twist] if self.twist else []),
        ]
        return f"{self.surrogate}: {self.process}, " + ", ".join(extra)


SETTINGS = [
    *(Setting(p) for p in ("bursts", "autocorrelated", "drifting", "white")),
    *(Setting(p, width=1.1, lag=1.1) for p in ("bursts", "autocorrelated", "drifting", "white")),
    Setting("bursts", seconds=30.0),
    Setting("autocorrelated", seconds=30.0),
    Setting("bursts", seconds=20.0),
    Setting("bursts", seconds=300.0),
    Setting("bursts", polarity=True),
    Setting("bursts", twist="a quarter of frames lost"),
    *(Setting(p, "segments") for p in ("bursts", "autocorrelated", "white")),
    Setting("bursts", "segments", seconds=300.0),
    *(Setting(p, "local") for p in ("bursts", "autocorrelated", "white")),
    Setting("bursts", "local", seconds=300.0),
    Setting("bursts", "local", twist="both active in the same half"),
    Setting("autocorrelated", "phase"),
    Setting("white", "phase"),
    Setting("bursts", "pairs"),
    # where a null hypothesis is not what the data are like: shown, not promised
    Setting("drifting", "segments", claimed=False),
    Setting("bursts", "phase", claimed=False),
    Setting("drifting", "phase", claimed=False),
    Setting("bursts", twist="both active in the same half", claimed=False),
    Setting("bursts", "segments", twist="both active in the same half", claimed=False),
    Setting("slow", width=2.0, claimed=False),
    Setting("prompted", twist="both move every 6 s, each in its own rhythm", claimed=False),
]


def person(setting: Setting, n_frames: int, rng: np.random.Generator) -> FloatArray:
    """Return the signals of one person who imitates nobody, (T, SIGNALS, 1)."""
    process, options = setting.process, {}
    if process == "slow":  # a movement takes a third of the recording
        process, options = "autocorrelated", {"bandwidth": 0.05}
    if process == "prompted":
        t = np.arange(n_frames) / FPS
        phase = rng.uniform(0, 6, SIGNALS)
        since = (t[:, None] - phase) % 6.0
        values = np.where(since < 1.5, np.sin(np.pi * since / 1.5) ** 2, 0.0) * 2.5
    else:
        values = movements(process, n_frames, SIGNALS, FPS, rng, **options)  # type: ignore[arg-type]
    if "half" in setting.twist:
        values = values * np.where(np.arange(n_frames) < n_frames / 2, 1.0, 0.15)[:, None]
    values = values + 0.05 * rng.standard_normal(values.shape)
    if "lost" in setting.twist:
        for start in rng.integers(0, n_frames, n_frames // 60):
            values[start : start + 17] = np.nan
    return values[:, :, None]


def null_of(
    setting: Setting, x: FloatArray, y: FloatArray, pairs: list[Pair], rng: np.random.Generator
) -> tuple[FloatArray, Alike]:
    """Return the shapes of the surrogates, and how alike these are."""
    rule, plan = pairs[0].rule, pairs[0].rule.plan
    if setting.surrogate == "pairs":
        others = [person(setting, plan.n_frames, rng) for _ in range(19)]
        return other_recordings(x, others, rule, threads=1), INDEPENDENT
    if setting.surrogate == "phase":
        seeds = np.random.SeedSequence(int(rng.integers(2**32))).spawn(SURROGATES_PHASE)
        return randomised_phases(x, y, rule, seeds, threads=1), INDEPENDENT
    shifts = broken.circular_shifts(plan, SURROGATES)
    n, places = 0, broken.circular_places(plan, shifts)
    local = setting.surrogate == "local"
    if local or setting.surrogate == "segments":
        n, cut = SURROGATES, broken.local_places if local else broken.segment_places
        places = np.concatenate([cut(plan, n, rng), places])
    null = np.stack([mean_over(pair, places)[0] for pair in pairs], axis=1)
    return judged(null, n, shifts, plan, local)


def one_recording(setting: Setting, number: int) -> tuple[FloatArray, float, float]:
    """Return p of every signal, and the smallest p_fwer and q_fdr, of one simulated recording."""
    n_frames = round(setting.seconds * FPS)
    plan = WindowPlan.from_seconds(n_frames, FPS, width=setting.width, lag=setting.lag)
    rule = Rule.make(plan, setting.polarity, 0.8)
    rng = np.random.default_rng([20, number, hash_of(setting.label)])
    x, y = person(setting, n_frames, rng), person(setting, n_frames, rng)
    pairs = [Pair(x[:, i], y[:, i], rule) for i in range(SIGNALS)]
    shape = np.array([matched(pair).shape for pair in pairs])
    null, alike = null_of(setting, x, y, pairs, rng)
    result = infer(shape, null, alike)
    if not alike.can_tell(len(null)):  # no p is given: nothing is rejected
        return np.full(SIGNALS, np.nan), np.nan, np.nan
    return result.p, float(np.nanmin(result.p_fwer)), float(np.nanmin(result.q_fdr))


def null_p(
    setting: Setting, n_pairs: int, workers: ProcessPoolExecutor
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return p of every pair, and the smallest p_fwer and q_fdr of every recording."""
    slow = setting.seconds > 200 or setting.surrogate in {"phase", "pairs"}
    share = (SHARE_OF_SLOW if slow else 1.0) * (1.0 if setting.claimed else SHARE_OF_UNCLAIMED)
    n_recordings = max(1, round(n_pairs / SIGNALS * share))
    found = workers.map(partial(one_recording, setting), range(n_recordings), chunksize=10)
    p, smallest, q = zip(*found, strict=True)
    return np.concatenate(p), np.array(smallest), np.array(q)


def hash_of(text: str) -> int:
    """Return a number that is the same in every process."""
    import zlib

    return zlib.crc32(text.encode())


def calibrate(n_pairs: int, wanted: str = "") -> tuple[pd.DataFrame, dict[str, FloatArray]]:
    """Return rejections of every setting whose name holds what is wanted, and the p themselves."""
    rows, kept = [], {}
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        for setting in (one for one in SETTINGS if wanted in one.label):
            began = time.perf_counter()
            p, fwer, q = null_p(setting, n_pairs, workers)
            p = p[np.isfinite(p)]
            kept[setting.label] = p
            any_fwer = float(np.mean(fwer <= 0.05))
            rows.append(
                {
                    "setting": setting.label,
                    "claimed": "yes" if setting.claimed else "no",
                    "pairs": len(p),
                    "p ≤ 0.05": float(np.mean(p <= 0.05)),
                    "p ≤ 0.01": float(np.mean(p <= 0.01)),
                    "distance": float(stats.kstest(p, "uniform").statistic),
                    "recordings": len(fwer),
                    "any p_fwer ≤ 0.05": any_fwer,
                    "standard error": float(np.sqrt(any_fwer * (1 - any_fwer) / len(fwer))),
                    "any q_fdr ≤ 0.05": float(np.mean(q <= 0.05)),
                }
            )
            seconds = time.perf_counter() - began
            print(f"{seconds:6.1f} s  {rows[-1]['p ≤ 0.05']:.3f}  {any_fwer:.3f}  {setting.label}",
                  flush=True)  # fmt: skip
    return pd.DataFrame(rows), kept


def power(n_pairs: int) -> pd.DataFrame:
    """Return the share of imitated signals found, by strength, length and width."""
    rows = []
    n_recordings = max(1, n_pairs // 100)
    for seconds in (30.0, 60.0, 300.0):
        for width, lag in ((0.5, 0.5), (1.1, 1.1), (2.0, 1.2), (4.0, 1.2)):
            for own in (0.5, 1.0, 2.0, 4.0):
                found = [card(seconds, width, lag, own, seed) for seed in range(n_recordings)]
                table = pd.concat(found)
                rows.append(
                    {
                        "seconds": seconds,
                        "width": width,
                        "lag": lag,
                        "own movement": own,
                        "r": 1 / np.sqrt(1 + own**2),
                        "signals": len(table),
                        "p ≤ 0.05": float((table["p"] <= 0.05).mean()),
                        "p_fwer ≤ 0.05": float((table["p_fwer"] <= 0.05).mean()),
                        "median z": float(table["z"].median()),
                        "latency error": float((table["latency"] - 0.5).abs().median()),
                    }
                )
        print(f"power at {seconds:g} s done", flush=True)
    return pd.DataFrame(rows)


def card(seconds: float, width: float, lag: float, own: float, seed: int) -> pd.DataFrame:
    """Return the scorecard of ten signals, all imitated with gain 1 and half a second behind."""
    pair = imitated_pair(10, duration=seconds, delay=0.5, gain=1.0, own=own, seed=seed)
    x, y = pair.participant.values[:, :, None], pair.model.values[:, :, None]
    plan = WindowPlan.from_seconds(len(x), FPS, width=width, lag=lag)
    rule = Rule.make(plan, False, 0.8)
    forward, reverse = Directions(x, y, rule, SURROGATES, seed, None, None).against("circular")
    n = x.shape[1]
    rest = (
        OwnSignals.untold(n),
        Difference.untold(n),
        np.full(n, np.nan),
        np.zeros(n, dtype=np.bool_),
    )
    return scorecard(pair.truth.names, x, y, rule, forward, reverse, *rest)


def gains(n_pairs: int) -> pd.DataFrame:
    """Return what three estimators make of a gain of 0.7, by measurement noise of both people."""
    rows = []
    for noise in (0.0, 0.05, 0.1, 0.2, 0.3, 0.4):
        pair = imitated_pair(
            max(10, n_pairs // 20), duration=60, delay=0.4, gain=0.7, own=0.3, noise=noise, seed=5
        )
        x, y = pair.participant.values[:, :, None], pair.model.values[:, :, None]
        plan = WindowPlan.from_seconds(len(x), FPS, width=2.0, lag=1.2)
        rule = Rule.make(plan, False, 0.8)
        estimates: dict[str, list[float]] = {}
        for i in range(x.shape[1]):
            windows = matched(Pair(x[:, i], y[:, i], rule))
            used = windows.both_move & (windows.strength > 0.6)
            lags = windows.lag[used].astype(np.int64)
            for name, value in three_gains(x[:, i], y[:, i], plan, used, lags):
                estimates.setdefault(name, []).append(value)
        for name, values in estimates.items():
            rows.append(
                {
                    "noise": noise,
                    "estimator": name,
                    "mean": float(np.mean(values)),
                    "sd": float(np.std(values, ddof=1)),
                }
            )
    return pd.DataFrame(rows)


def three_gains(
    x: FloatArray, y: FloatArray, plan: WindowPlan, used: NDArray[np.bool_], lags: Any
) -> Iterator[tuple[str, float]]:
    """Yield the corrected slope, the plain slope and the ratio of standard deviations."""
    starts = plan.starts[used]
    yield "corrected slope (used)", gain(x, y, starts, lags, plan.window)
    frames = np.arange(plan.window)
    a = x[starts[:, None] + frames, 0]
    b = y[(starts + lags)[:, None] + frames, 0]
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    yield "plain slope", float((a * b).sum() / (b * b).sum())
    yield "ratio of standard deviations", float(np.sqrt((a * a).sum() / (b * b).sum()))


def draw_calibration(p_values: dict[str, FloatArray], table: pd.DataFrame, path: Path) -> None:
    """Draw expected against observed quantiles of p, for settings where it is claimed and not."""
    plt = pyplot()
    drawing, axes = plt.subplots(1, 2, figsize=(10, 5), sharey=True)
    for axis, claimed, title in (
        (axes[0], True, "where the null hypothesis holds"),
        (axes[1], False, "where it does not"),
    ):
        for row in table[table["claimed"] == ("yes" if claimed else "no")].itertuples():
            p = np.sort(p_values[row.setting])
            axis.plot(p, (np.arange(len(p)) + 0.5) / len(p), lw=1, label=row.setting)
        axis.plot([0, 1], [0, 1], "k--", lw=0.8)
        axis.set(title=title, xlabel="p", xlim=(0, 1), ylim=(0, 1))
        axis.legend(fontsize=5.5, loc="lower right", frameon=False)
    axes[0].set_ylabel("share of pairs with p or less")
    save(drawing, path)


def draw_power(table: pd.DataFrame, path: Path) -> None:
    """Draw power against strength, one panel a length, one line a width."""
    plt = pyplot()
    drawing, axes = plt.subplots(1, 3, figsize=(10, 3.6), sharey=True)
    for axis, (seconds, part) in zip(axes, table.groupby("seconds"), strict=True):
        for (width, lag), line in part.groupby(["width", "lag"]):
            label = f"width {width:g} s, lag {lag:g} s"
            axis.plot(line["r"], line["p_fwer ≤ 0.05"], "o-", ms=3, lw=1, label=label)
        axis.set(title=f"{seconds:g} s of recording", xlabel="true correlation", ylim=(0, 1.02))
        axis.axhline(0.05, color="k", ls="--", lw=0.8)
    axes[0].set_ylabel("share found (p_fwer ≤ 0.05)")
    axes[0].legend(fontsize=7, frameon=False)
    save(drawing, path)


def draw_gains(table: pd.DataFrame, path: Path) -> None:
    """Draw the three estimators against noise."""
    plt = pyplot()
    drawing, axis = plt.subplots(figsize=(5, 3.6))
    for name, line in table.groupby("estimator", sort=False):
        axis.errorbar(line["noise"], line["mean"], line["sd"], fmt="o-", ms=3, lw=1, label=name)
    axis.axhline(0.7, color="k", ls="--", lw=0.8)
    axis.set(xlabel="measurement noise (SD relative to movement)", ylabel="gain", ylim=(0.4, 1.1))
    axis.legend(fontsize=7, frameon=False)
    save(drawing, path)


def pyplot() -> Any:
    """Return Matplotlib, set to draw the same file every time."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "bitbox", "svg.fonttype": "none", "font.size": 8})
    import matplotlib.pyplot as plt

    return plt


def save(drawing: Any, path: Path) -> None:
    """Write a figure without the date."""
    drawing.tight_layout()
    drawing.savefig(path, metadata={"Date": None})


def main(arguments: list[str] | None = None) -> int:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=PAIRS, help="pairs a setting")
    parser.add_argument("--output", type=Path, default=Path("docs/validation"))
    parser.add_argument("--only", choices=("calibration", "power", "gain"), default=None)
    parser.add_argument("--settings", help="only those whose name holds this, and no figure")
    given = parser.parse_args(arguments)
    if given.settings is not None:
        _some_rows(given.pairs, given.settings, given.output / "calibration.csv")
        return 0
    given.output.mkdir(parents=True, exist_ok=True)
    studies: dict[str, Callable[[], None]] = {
        "calibration": lambda: _calibration(given.pairs, given.output),
        "power": lambda: _study(power(given.pairs // 16), draw_power, given.output, "power"),
        "gain": lambda: _study(gains(given.pairs // 16), draw_gains, given.output, "gain"),
    }
    for name, study in studies.items():
        if given.only in (None, name):
            study()
    return 0


def _some_rows(n_pairs: int, wanted: str, path: Path) -> None:
    """Put some rows into the table, in place of those that are there."""
    new, _ = calibrate(n_pairs, wanted)
    old = pd.read_csv(path, dtype=str)
    new = pd.read_csv(io.StringIO(new.to_csv(index=False, float_format="%.4g")), dtype=str)
    rows = {row["setting"]: row for part in (old, new) for _, row in part.iterrows()}
    order = [setting.label for setting in SETTINGS if setting.label in rows]
    pd.DataFrame([rows[label] for label in order]).to_csv(path, index=False)


def _calibration(n_pairs: int, output: Path) -> None:
    table, p_values = calibrate(n_pairs)
    table.to_csv(output / "calibration.csv", index=False, float_format="%.4g")
    draw_calibration(p_values, table, output / "calibration.svg")
    print(table.to_string(index=False, float_format="%.3f"))
    claimed = table[table["claimed"] == "yes"]
    for column in ("p ≤ 0.05", "any p_fwer ≤ 0.05"):
        outside = claimed.loc[~claimed[column].between(*TOLERATED), "setting"]
        print(f"{column} outside 3 to 7 %:", ", ".join(outside) or "none")


def _study(
    table: pd.DataFrame, draw: Callable[[pd.DataFrame, Path], None], output: Path, name: str
) -> None:
    table.to_csv(output / f"{name}.csv", index=False, float_format="%.4g")
    draw(table, output / f"{name}.svg")
    print(table.to_string(index=False, float_format="%.3f"))


if __name__ == "__main__":
    raise SystemExit(main())
