"""The folder tree is the data flow: an import never points back."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "bitbox"

# From the ground up. A module may import from lower rows only, or from its own row.
LAYERS = [
    ["", "errors", "progress", "blas"],
    [
        "extras",
        "files",
        "neutral",
        "scratch",
        "interrupts",
        "kernel_cache",
        "quality",
        "provenance",
    ],
    ["signal_checks"],
    ["signals", "signal_files", "bitbox_dict"],
    ["correlation"],
    ["results"],
    ["statistics"],
    ["alignment"],
    ["pair"],
    ["social", "scorecard", "suggest", "methods", "matching"],
    ["stretches"],
    ["identity"],
    ["readers"],
    [
        *(
            "video",
            "video_clock",
            "video_opening",
            "video_picture",
            "video_repeats",
            "video_sampling",
        ),
        "video_writing",
    ],
    ["face_backend"],
    ["synthetic"],
    ["report"],
    [
        *("recordings", "settings", "finished_run", "run_report", "results_folder", "run"),
        "demo",
    ],
    ["study"],
    ["cli", "__main__"],
]
# Drawing needs nothing of bitbox but its errors; results draw themselves through it.
DRAWING = {"report.figures", "report.heatmaps", "report.lines", "report.rows", "report.theme"}

HEAVY = {"av", "cv2", "dask", "distributed", "mediapipe", "plotly", "skimage", "matplotlib", "PIL"}


def module_name(path: Path) -> str:
    parts = list(path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(SOURCE.rglob("*.py"))}


def rank(module: str) -> int:
    top = module.split(".")[0]
    for height, names in enumerate(LAYERS):
        if top in names:
            return height
    raise AssertionError(f"bitbox.{module} has no place in LAYERS: give it one")


def imports(path: Path) -> set[str]:
    """Modules of bitbox that this file imports when it runs (not only for type checking)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute here"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {
                n if n.removeprefix("bitbox.") in MODULES else str(node.module) for n in names
            }
    return {
        name.removeprefix("bitbox").removeprefix(".")
        for name in found
        if name.split(".")[0] == "bitbox"
    }


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    for imported in imports(MODULES[module]) - DRAWING:
        if module in DRAWING:
            assert imported in ("errors", "extras"), f"bitbox.{module} imports bitbox.{imported}"
        assert rank(imported) <= rank(module), f"bitbox.{module} imports bitbox.{imported}"


def test_correlation_has_one_direction() -> None:
    """Geometry knows nothing of arithmetic, arithmetic nothing of who calls it."""
    inside = {m: imports(MODULES[m]) for m in MODULES if m.startswith("correlation.")}
    assert not {m for m in inside["correlation.plan"] if m.startswith("correlation.")}
    for module, imported in inside.items():
        if module != "correlation.engine":
            assert "correlation.engine" not in imported, f"bitbox.{module} imports the engine"


def test_the_test_sees_imports() -> None:
    assert "signals" in imports(MODULES["alignment"])
    assert "errors" in imports(MODULES["signals"])


def test_social_imports_without_heavy_libraries() -> None:
    code = (
        "import sys\n"
        "from bitbox.social import imitation, coordination\n"
        "from bitbox.face_backend import FaceProcessor\n"
        f"heavy = {sorted(HEAVY)!r}\n"
        "print(','.join(name for name in heavy if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
