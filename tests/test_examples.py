"""Every public object of the reference has examples, and they do what they say."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import bitbox.face_backend
import bitbox.readers
import bitbox.report
import bitbox.report.figures
import bitbox.signals
import bitbox.social
import bitbox.video

REFERENCE = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
DIRECTIVE = re.compile(r"^\.\. auto(\w+):: (\S+)\n((?:   :.*\n)*)", re.MULTILINE)
#: Words for types and limits, of which there is nothing to show.
BARE = {"Components", "ROTATION", "TRANSLATION", "Image", "Picture", "DRAWN"}
#: What one can only see with the programs of others.
NEEDS_VIDEO = re.compile(r"participant\.mp4'|FaceProcessor\(|Cache\(|write_video|render_|stage\(")


def found(path: str) -> Any:
    """Return what a dotted path of the reference names."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def methods(owner: type, options: str) -> list[str]:
    """Return the names of the methods of a class that the reference shows."""
    line = re.search(r":members:(.*)", options)
    if line is None:
        return []
    inherited = ":inherited-members:" in options
    names = [name.strip() for name in line[1].split(",") if name.strip()] or [
        name
        for name in dir(owner)
        if not name.startswith("_") and (inherited or name in vars(owner))
    ]
    return [name for name in names if callable(getattr(owner, name))]


def public() -> dict[str, Any]:
    """Return all functions, classes and methods of the reference by their paths."""
    objects: dict[str, Any] = {}
    for kind, path, options in DIRECTIVE.findall(REFERENCE):
        if kind == "module":
            module = importlib.import_module(path)
            own = inspect.getmembers(module, inspect.isclass)
            objects |= {f"{path}.{n}": c for n, c in own if c.__module__ == path}
            continue
        objects[path] = found(path)
        if kind == "class":
            objects |= {
                f"{path}.{n}": getattr(objects[path], n) for n in methods(found(path), options)
            }
    return objects


PUBLIC = public()


@pytest.fixture(scope="session")
def participant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small video of a face."""
    pytest.importorskip("mediapipe")
    from bitbox.synthetic.demo import render_demo

    return render_demo(tmp_path_factory.mktemp("demo"), duration=5, size=(320, 180)).participant


def parsed(path: str) -> doctest.DocTest:
    docstring = inspect.getdoc(PUBLIC[path]) or ""
    _, _, section = docstring.partition("Examples\n--------\n")
    return doctest.DocTestParser().get_doctest(section, {"__name__": path}, path, None, None)


def skipped(example: doctest.Example) -> bool:
    return bool(example.options.get(doctest.SKIP))


@pytest.mark.parametrize("path", PUBLIC)
def test_the_examples_run(path: str, request, tmp_path: Path, monkeypatch) -> None:
    test = parsed(path)
    run = [example for example in test.examples if not skipped(example)]
    assert any(not re.match(r"(from|import) ", example.source) for example in run), (
        f"{path} has no example that does something"
    )
    text = "".join(example.source for example in run)
    if path.startswith("bitbox.body_backend"):
        pytest.importorskip("mediapipe.python")  # not in MediaPipe for Python 3.13
    if NEEDS_VIDEO.search(text):
        shutil.copy(request.getfixturevalue("participant"), tmp_path / "participant.mp4")
    elif re.search(r"figures|report|plot\(", text):
        pytest.importorskip("plotly")
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert result.failed == 0, "".join(said)


@pytest.mark.parametrize(
    "module",
    [
        bitbox.social,
        bitbox.signals,
        bitbox.readers,
        bitbox.video,
        bitbox.face_backend,
        bitbox.report,
        bitbox.report.figures,
    ],
    ids=lambda module: module.__name__,
)
def test_what_a_package_offers_is_in_the_reference(module: ModuleType) -> None:
    for name in set(module.__all__) - BARE:
        assert f"{module.__name__}.{name}" in PUBLIC


def test_an_example_that_is_wrong_fails() -> None:
    text = ">>> 1 + 1\n3\n"
    test = doctest.DocTestParser().get_doctest(text, {}, "wrong", None, None)
    assert doctest.DocTestRunner(verbose=False).run(test, out=lambda _: None).failed == 1


def test_the_reference_is_read() -> None:
    assert len(PUBLIC) > 100
    for path in ("bitbox.signals.Signals.get", "bitbox.errors.NoClockError"):
        assert path in PUBLIC
