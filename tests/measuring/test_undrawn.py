"""MediaPipe starts without Matplotlib, and draws with it all the same."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("mediapipe.python.solutions")


def run(code: str) -> list[str]:
    """Return what a fresh process prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MPLBACKEND": "Agg"},
    )
    return done.stdout.split()


def test_matplotlib_is_imported_only_where_something_is_drawn() -> None:
    code = """
        import sys
        from bitbox.measuring.undrawn import without_drawing
        with without_drawing():
            import mediapipe
        print("matplotlib" in sys.modules)
        drawing = mediapipe.solutions.drawing_utils
        print(type(drawing.plt.figure()).__name__, "matplotlib.pyplot" in sys.modules)
        import matplotlib.pyplot
        print(matplotlib.pyplot.figure is drawing.plt.figure)
    """
    assert run(code) == ["False", "Figure", "True", "True"]


def test_what_imports_it_meanwhile_gets_it() -> None:
    code = """
        import sys
        from bitbox.measuring.undrawn import without_drawing
        with without_drawing():
            from matplotlib import pyplot, figure
            import matplotlib.axes
        print(figure.Figure.__name__, matplotlib.axes.Axes.__name__)
        print(pyplot.Figure is figure.Figure, matplotlib is sys.modules["matplotlib"])
    """
    assert run(code) == ["Figure", "Axes", "True", "True"]


def test_where_it_is_there_already_it_stays() -> None:
    code = """
        import sys, matplotlib
        from bitbox.measuring.undrawn import without_drawing
        with without_drawing():
            import matplotlib.pyplot
        print(matplotlib is sys.modules["matplotlib"], type(matplotlib.pyplot).__name__)
    """
    assert run(code) == ["True", "module"]
