"""Report contents with planted structure, for the tests of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bitbox.findings import Finding
from bitbox.report import LagSurface, Person, ReportContent, Thumbnail
from bitbox.signals import Signals

FPS = 30.0


@dataclass(frozen=True)
class Matrix:
    """What the report needs of an analysis, and nothing else."""

    mean: Any
    std: Any
    lag: Any
    n_valid: Any
    x_names: list[str]
    y_names: list[str]
    times: Any
    values: Any = None
    lags: Any = None


def signals(values: np.ndarray, names: list[str]) -> Signals:
    return Signals(
        values,
        np.arange(len(values)) / FPS,
        names,
        kind="expression",
        schema="openbitbox-local-32-skin",
        units="noise units",
        backend="openbitbox-mediapipe",
    )


def smooth_noise(rng: np.random.Generator, frames: int, k: int) -> np.ndarray:
    kernel = np.hanning(25)
    noise = rng.normal(size=(frames + 24, k))
    return np.stack(
        [np.convolve(column, kernel, mode="valid") for column in noise.T], axis=1
    ) / np.sqrt((kernel**2).sum())


def matrix(names: list[str], rng: np.random.Generator, windows: int = 40) -> Matrix:
    k = len(names)
    values = np.clip(rng.normal(0.1, 0.3, (windows, k, k)), -0.99, 0.99)
    lags = -rng.uniform(0, 1.1, (windows, k, k))
    matched = np.arange(k)
    values[:, matched, matched] = np.clip(
        rng.normal(np.linspace(0.85, 0.3, k), 0.15, (windows, k)), -0.99, 0.99
    )
    lags[:, matched, matched] = -rng.normal(0.4, 0.1, (windows, k))
    return Matrix(
        mean=values.mean(axis=0),
        std=values.std(axis=0),
        lag=lags.mean(axis=0),
        n_valid=np.full((k, k), windows),
        x_names=list(names),
        y_names=list(names),
        times=0.55 + 0.5 * np.arange(windows),
        values=values,
        lags=lags,
    )


def ridge(rng: np.random.Generator, times: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Correlations (windows, lags) that are strongest near 0.4 s, swinging beside it."""
    latency = 0.4 + 0.06 * np.sin(times)[:, None]
    away = (-lags[None, :] - latency) / 0.35
    return np.clip(
        0.8 * np.exp(-(away**2)) * np.cos(2 * away) + rng.normal(0, 0.04, away.shape), -1, 1
    )


def scorecard(table: Matrix, rng: np.random.Generator) -> pd.DataFrame:
    """The scorecard with chance; its numbers are consistent with one another."""
    k = len(table.x_names)
    at = np.arange(k)
    shape = table.values[:, at, at].mean(axis=0)
    latency = -table.lags[:, at, at]
    chance_mean, chance_sd = rng.uniform(0.35, 0.5, k), rng.uniform(0.03, 0.06, k)
    z = (shape - chance_mean) / chance_sd
    p = np.clip(np.exp(-np.maximum(z, 0)), 0.001, 1)
    q25, q50, q75 = np.quantile(latency, [0.25, 0.5, 0.75], axis=0)
    return pd.DataFrame(
        {
            "shape": shape,
            "shape_fisher": np.tanh(np.arctanh(table.values[:, at, at]).mean(axis=0)),
            "chance_mean": chance_mean,
            "chance_sd": chance_sd,
            "z": z,
            "p": p,
            "p_fwer": np.clip(p * 3, 0, 1),
            "q_fdr": np.clip(p * 2, 0, 1),
            "latency": q50,
            "latency_q25": q25,
            "latency_q75": q75,
            "edge": rng.uniform(0, 0.3, k),
            "gain": rng.uniform(0.4, 1.2, k),
            "windows": len(table.times),
            "coverage": rng.uniform(0.85, 1, k),
            "reverse_z": rng.normal(0, 1, k),
        },
        index=pd.Index(table.x_names, name="signal"),
    )


def thumbnail(time: float = 1.0, *, found: bool = True) -> Thumbnail:
    rows, columns = np.mgrid[:240, :320]
    image = np.stack([rows % 256, columns % 256, (rows + columns) % 256], axis=2)
    angle = np.linspace(0, 2 * np.pi, 51)
    points = np.stack([160 + 40 * np.cos(angle), 120 + 50 * np.sin(angle)], axis=1)
    return Thumbnail(time, image.astype(np.uint8), points if found else None)


def full(k: int = 8, frames: int = 900, seed: int = 1, **changes: Any) -> ReportContent:
    """A content with every part."""
    rng = np.random.default_rng(seed)
    names = [f"GE{i}" for i in range(k)]
    model = smooth_noise(rng, frames, k)
    participant = 0.7 * np.roll(model, 12, axis=0) + 0.5 * smooth_noise(rng, frames, k)
    participant[frames // 3 : frames // 3 + 40] = np.nan
    pair = signals(participant, names), signals(model, names)
    table = matrix(names, rng)
    lags = -np.arange(33, -1, -1) / FPS
    parts: dict[str, Any] = {
        "title": "How well P07 imitates the model",
        "participant": Person(
            "Participant",
            "P07_session1.mp4",
            {"Frame rate": "29.97 fps, variable", "Size": "1280 × 720 pixels"},
            pair[0],
            frames=[thumbnail(1.0), thumbnail(9.5), thumbnail(12.0, found=False)],
        ),
        "model": Person("Model", "model_smile.mp4", {"Frame rate": "30 fps"}, pair[1]),
        "headline": "5 of 8 movement signals are imitated beyond chance (median z 3.1).",
        "scorecard": scorecard(table, rng),
        "findings": [
            Finding("few-windows", "warning", "There are only 18 windows.", "Record longer."),
            Finding("rates-differ", "info", "Frame rates differ: 29.97 and 30.", "Nothing to do."),
        ],
        "aligned": pair,
        "matrix": table,
        "surfaces": [
            LagSurface(name, ridge(rng, table.times, lags), table.times, lags) for name in names[:2]
        ],
        "descriptions": {"GE0": "The jaw opens."},
        "parameters": {"width": 1.1, "step": 0.5, "lag": 1.1, "fps": 30.0, "polarity": True},
        "provenance": {"versions": {"numpy": "1.26.4"}, "seed": 20240117, "inputs": ["a", "b"]},
        "methods": "Videos were analysed with openbitbox.\n\nWindows were 1.1 s wide.",
        "data_dictionary": pd.DataFrame(
            {"file": ["scorecard.csv"], "column": ["z"], "meaning": ["Distance from chance."]}
        ),
    }
    return ReportContent(**{**parts, **changes})
