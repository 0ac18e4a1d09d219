"""The models of bodies and hands for tests: MediaPipe's own, or those that are installed."""

from __future__ import annotations

from importlib import util
from pathlib import Path

import pytest

from bitbox.measuring import models

INSTALLED = models.BODY.path  # before a test moves the cache


def require_models() -> None:
    """Skip where bodies cannot be measured."""
    pytest.importorskip("mediapipe")
    if not models.brings_models() and not INSTALLED.is_file():
        pytest.skip("There are no models of bodies: run bitbox models install.")


def make_installed(path: Path) -> Path:
    """What `bitbox models install` makes of the models of bodies."""
    require_models()
    if INSTALLED.is_file():
        path.write_bytes(INSTALLED.read_bytes())
        return path
    found = util.find_spec("mediapipe")
    assert found is not None
    assert found.submodule_search_locations
    folder = Path(found.submodule_search_locations[0]).parent
    path.write_bytes(models.bundled(models.BODY, folder))
    return path
