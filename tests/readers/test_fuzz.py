"""Whatever is in a file, reading it gives Signals or an error for its owner, nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bitbox.errors import BitboxError
from bitbox.readers import read_signals
from bitbox.signals import Signals

CELLS = st.sampled_from(
    [
        "",
        "0",
        "1",
        "2.5",
        "-3",
        "1e400",
        "nan",
        "inf",
        "x",
        '"',
        "é",
        " 1 ",
        "1,5",
        "0x1",
        "\0",
        "-",
        "1,000",
        "10:59:35:12.5",
    ]
)
NAMES = st.sampled_from(
    (
        *("time", "frame", "a", "b", "", " a", "confidence", "success", "AU01_r", "timestamp"),
        *("FaceRectX", "FaceScore", "AU01", "au_1_intensity", "frame_idx", "Tx", "x0", "y0", "1"),
        *("Time", "Timecode", "BlendshapeCount", "JawOpen", "Pitch", "Yaw", "Roll", "Identity"),
        *("frame_time_in_ms", "pose_Rx", "pose_Ry", "pose_Rz", '"q"', "'=a", "a b"),
    )
)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=5)
KEYS = (
    *("face_blendshapes", "category_name", "score", "timestamp_ms", "people", "pose_keypoints_2d"),
    *("faceBlendshapes", "categories", "categoryName", "timestamp"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
FPS = st.sampled_from([None, 30.0])
SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
)


def read(name: str, content: bytes, fps: float | None) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        target = path.parent if name.startswith("json/") else path
        try:
            signals = read_signals(target, fps=fps)
        except BitboxError:
            return
        assert isinstance(signals, Signals)
        assert np.isfinite(signals.time).all()


@SETTINGS
@given(st.lists(NAMES, min_size=1, max_size=5), ROWS, st.sampled_from(",;\t |"), st.booleans(), FPS)
def test_tables(
    names: list[str], rows: list[list[str]], separator: str, stated: bool, fps: float | None
) -> None:
    lines = [separator.join(names), *(separator.join(row) for row in rows)]
    read("a.csv", "\n".join([f"sep={separator}"] * stated + lines).encode(), fps)


@SETTINGS
@given(
    st.binary(max_size=60), st.sampled_from(["a.csv", "a.json", "v_rects.3DI", "a.parquet"]), FPS
)
def test_bytes(content: bytes, name: str, fps: float | None) -> None:
    read(name, content, fps)


@SETTINGS
@given(ROWS, st.sampled_from(["rects", "pose_smooth", "expression_localized"]))
def test_threedi(rows: list[list[str]], name: str) -> None:
    read(f"v_{name}.3DI", "\n".join(" ".join(row) for row in rows).encode(), 30)


@SETTINGS
@given(JSON, st.sampled_from(["a.json", "json/v_000000000000_keypoints.json"]), FPS)
def test_json(content: object, name: str, fps: float | None) -> None:
    read(name, json.dumps(content).encode(), fps)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", "[" * 100_000),
        ("a.json", '[{"timestamp_ms": 1' + "0" * 400 + ', "face_blendshapes": []}]'),
        ("a.json", '[{"face_blendshapes": [[{"category_name": "jawOpen", "score": 1e999}]]}]'),
        ("json/v_000000000000_keypoints.json", "[" * 100_000),
        (
            "json/v_000000000000_keypoints.json",
            '{"people": [{"pose_keypoints_2d": [1' + "0" * 400 + ", 1, 1]}]}",
        ),
        ("json/v_000000000000_keypoints.json", '{"people": [{"pose_keypoints_2d": [1, 1]}]}'),
        ("a.csv", "a" * 200_000 + "\n1\n"),
        ("a.csv", "a,b\n1,2\n" + "1" * 200_000 + "\n"),
        ("a.csv", '"a\nb",c\n1,2\n'),
    ],
)
def test_extremes(name: str, content: str) -> None:
    read(name, content.encode(), 30)


@pytest.mark.parametrize("mark", [b"PAR1", b"PAR1" * 5])
def test_a_parquet_file_cut_off(mark: bytes) -> None:
    read("a.parquet", mark, None)
