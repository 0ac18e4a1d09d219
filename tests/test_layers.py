"""The folder tree is the data flow: no import points back, and no two files need each other."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "bitbox"

# From the ground up. A file may import from lower floors, and from its own folder.
FLOORS = [
    [""],
    ["errors", "progress"],
    ["files", "findings", "provenance", "system"],
    ["notebook"],
    ["signals"],
    ["people"],
    ["readers"],
    ["video"],
    ["measuring"],
    ["face_backend", "body_backend"],
    ["correlation"],
    ["statistics"],
    ["report"],
    ["analysis"],
    ["sync"],
    ["social", "scorecard"],
    ["synthetic"],
    ["workflow"],
    ["study"],
    ["cli"],
    ["__main__"],
]
HEAVY = {"av", "cv2", "dask", "distributed", "mediapipe", "plotly", "skimage", "matplotlib", "PIL"}


def module_name(path: Path) -> str:
    parts = list(path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(SOURCE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def floor(module: str) -> int:
    top = module.split(".")[0]
    for height, names in enumerate(FLOORS):
        if top in names:
            return height
    raise AssertionError(f"bitbox.{module} has no place in FLOORS: give it one")


def origin(module: str, name: str) -> str:
    """Return the file that a name comes from: a package only hands names on."""
    if f"{module}.{name}".lstrip(".") in MODULES:
        return f"{module}.{name}".lstrip(".")
    if MODULES[module].name == "__init__.py":
        for node in TREES[module].body:
            if isinstance(node, ast.ImportFrom) and name in {a.name for a in node.names}:
                return origin(inside(str(node.module)), name)
    return module


def inside(name: str) -> str:
    return name.removeprefix("bitbox").removeprefix(".")


def imports(module: str) -> set[str]:
    """Files of bitbox that this one imports: for type checking and in functions, too."""
    found = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            found |= {inside(a.name) for a in node.names if a.name.split(".")[0] == "bitbox"}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"bitbox.{module}: imports are absolute here"
            if str(node.module).split(".")[0] == "bitbox":
                found |= {origin(inside(str(node.module)), a.name) for a in node.names}
    return found - {module, ""}


GRAPH = {module: imports(module) for module in MODULES}


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the groups of files that reach each other."""
    reached: dict[str, set[str]] = {}
    for start in graph:
        seen: set[str] = set()
        todo = [start]
        while todo:
            new = graph[todo.pop()] - seen
            seen |= new
            todo.extend(new)
        reached[start] = seen
    groups = {
        tuple(sorted(b for b in reached[a] if a in reached[b])) for a in graph if a in reached[a]
    }
    return [list(group) for group in sorted(groups)]


@pytest.mark.parametrize("module", [name for name in MODULES if name])
def test_imports_point_down(module: str) -> None:
    for imported in GRAPH[module]:
        lower = floor(imported) < floor(module)
        same_folder = imported.split(".")[0] == module.split(".")[0]
        assert lower or same_folder, f"bitbox.{module} imports bitbox.{imported}"


def test_no_two_files_need_each_other() -> None:
    assert circles(GRAPH) == []


# Inside `correlation`, from the ground up; here no file imports another one of its row.
ENGINE = [
    ["plan", "jobs", "compiled"],
    ["geometry"],
    ["definition", "task", "vectors"],
    ["surface", "moments", "sums"],
    ["sliding"],
    ["gaps", "tiles"],
    ["careful"],
    ["workspace"],
    ["engine"],
    ["shifted"],
]


def test_correlation_has_one_direction() -> None:
    """Geometry knows nothing of arithmetic, arithmetic nothing of who calls it."""
    height = {f"correlation.{m}": k for k, row in enumerate(ENGINE) for m in row}
    engine = {m for m in MODULES if m.startswith("correlation.")}
    assert engine == set(height), "give every module a place in ENGINE"
    for module in engine:
        for imported in GRAPH[module] & engine:
            assert height[imported] < height[module], f"bitbox.{module} imports bitbox.{imported}"


def test_the_tests_see_imports_and_circles() -> None:
    assert "signals.signals" in GRAPH["signals.alignment"]
    assert "errors" in GRAPH["signals.signals"]
    assert "analysis.imitation" in GRAPH["social"]
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


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


def test_the_documented_functions_load_no_reader_and_no_drawing() -> None:
    """What nobody asked for costs every start."""
    code = "import sys, bitbox.social; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "bitbox.social" in loaded
    assert [m for m in loaded if m.startswith(("bitbox.readers", "bitbox.report.html"))] == []
