"""A plain drawing is what Plotly makes of it: nothing that Plotly would refuse, drop or change."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitbox.report import html
from bitbox.report.drawing import Drawing, trace
from tests.report import samples

KINDS = {"f8": np.float64, "f4": np.float32, "i1": np.int8, "i2": np.int16, "i4": np.int32}


def unpacked(value: Any) -> Any:
    """Arrays as lists, so that it does not matter how they are packed."""
    if isinstance(value, dict) and "bdata" in value:
        numbers = np.frombuffer(base64.b64decode(value["bdata"]), KINDS[value["dtype"]])
        shape = [int(n) for n in str(value.get("shape", len(numbers))).split(",")]
        return unpacked(numbers.reshape(shape).tolist())
    if isinstance(value, dict):
        return {key: unpacked(inner) for key, inner in value.items() if key != "template"}
    if isinstance(value, list):
        return [unpacked(inner) for inner in value]
    return "missing" if isinstance(value, float) and np.isnan(value) else value


def test_the_page_holds_what_plotly_would_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Drawing] = []
    real = Drawing.to_json

    def kept(drawing: Drawing) -> str:
        made.append(drawing)
        return real(drawing)

    monkeypatch.setattr(Drawing, "to_json", kept)
    html.write_report(samples.full(3, 300), tmp_path / "report.html")
    assert len(made) > 5
    for drawing in made:
        plain = json.loads(real(drawing))
        assert unpacked(plain) == unpacked(json.loads(drawing.to_plotly().to_json()))


def test_changes_of_a_layout() -> None:
    axis = {"title": "x", "range": [0, 1]}
    drawing = Drawing({"xaxis": axis, "title": {"text": "old"}, "height": 3})
    drawing.update_layout(xaxis={"range": [0, 2]}, title=None, meta={"a": 1})
    assert drawing.layout == {
        "xaxis": {"title": "x", "range": [0, 2]}, "height": 3, "meta": {"a": 1}
    }  # fmt: skip
    assert axis["range"] == [0, 1]
    assert trace("scatter", x=[1], text=None) == {"type": "scatter", "x": [1]}


def test_a_report_does_not_load_plotly_s_objects(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from bitbox.report import write_report\n"
        "from tests.report import samples\n"
        f"write_report(samples.full(2, 100), {str(tmp_path / 'report.html')!r})\n"
        "print([name for name in ('plotly.graph_objects', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
